use proptest::prelude::*;

use super::*;

#[test]
fn what_is_hidden_is_shown() {
    for (text, want) in [
        ("plain ünïcode 日本", "plain ünïcode 日本"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u{9b}2J\u{7f}", "\\x9b2J\\x7f"),
        ("a\r\n\tb\0", "a\\r\\n\\tb\\x00"),
        ("user\u{202e}nimda", "user<U+202E>nimda"),
        ("pay\u{200b}pal\u{feff}", "pay<U+200B>pal<U+FEFF>"),
        ("\u{e0041}", "<U+E0041>"),
        ("e\u{301}", "e\u{301}"),
        ("##[command]rm", "\\x23#[command]rm"),
        ("x ##vso[task.setvariable]", "x \\x23#vso[task.setvariable]"),
        ("## heading", "## heading"),
    ] {
        assert_eq!(escape(text), want, "{text:?}");
    }
}

#[test]
fn towers_of_combining_marks_are_taken_down() {
    let tower = format!("e{}", "\u{301}".repeat(10_000));
    let shown = escape(&tower);
    assert_eq!(shown.matches('\u{301}').count(), MAX_COMBINING);
    assert!(shown.ends_with("<U+0301>"));
}

#[test]
fn lines_cannot_begin_with_a_workflow_command() {
    assert_eq!(escape_line("  ::add-mask::x"), "  \\x3a:add-mask::x");
    assert_eq!(escape_line("::1 is an address"), "::1 is an address");
}

#[test]
fn quotes_hold_what_they_quote() {
    assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    assert_eq!(quoted("a\n\x1b"), r#""a\n\x1b""#);
}

#[test]
fn cuts_say_how_much_is_missing() {
    let long = "x".repeat(100);
    assert_eq!(cut(&long, Some(40)), format!("{}… (84 more)", "x".repeat(16)));
    assert_eq!(cut(&long, Some(100)), long);
    assert_eq!(cut(&long, None), long);
}

#[test]
fn folds_keep_both_ends() {
    let image = format!("registry.example.com/app@sha256:{}", "0123456789abcdef".repeat(4));
    for (room, want) in [
        (Some(60), "registry.example.com/app@sha256:0… 47 more …0123456789abcdef"),
        (Some(20), "regist… 87 more …def"),
        (Some(96), &*image),
        (None, &*image),
    ] {
        assert_eq!(fold(&image, room), want);
    }
}

#[test]
fn cut_pairs_show_the_difference() {
    let (before, after) = (format!("{}old", "x".repeat(500)), format!("{}new", "x".repeat(500)));
    let (before, after) = cut_pair(&before, &after, Some(30));
    let common = "x".repeat(26);
    assert_eq!((before, after), (format!("…{common}old"), format!("…{common}new")));
    let (before, after) = cut_pair(&format!("{}old{}", "x".repeat(500), "y".repeat(500)), "", Some(30));
    assert_eq!((before.as_str(), after.as_str()), ("xxxxxx… (997 more)", ""));
    let texts = ["old", "new"].map(|word| format!("{}{word}{}", "x".repeat(500), "y".repeat(500)));
    let (before, after) = cut_pair(&texts[0], &texts[1], Some(60));
    let common = "x".repeat(20);
    let rest = "y".repeat(12);
    assert_eq!(before, format!("…{common}old{rest}… (488 more)"));
    assert_eq!(after, format!("…{common}new{rest}… (488 more)"));
}

proptest! {
    #[test]
    fn escaped_text_has_no_hidden_character(text in any::<String>()) {
        prop_assert!(!escape(&text).chars().any(is_hidden));
        prop_assert!(!quoted(&text).chars().any(is_hidden));
        prop_assert!(!escape_line(&text).chars().any(is_hidden));
    }

    #[test]
    fn cuts_fit(text in "\\PC*", other in "\\PC*", room in 20usize..60) {
        prop_assert!(columns(&cut(&text, Some(room))) <= room);
        let folded = fold(&text, Some(room));
        prop_assert!(columns(&folded) <= room);
        prop_assert_eq!(columns(&text) <= room, folded == text);
        let (before, after) = cut_pair(&text, &other, Some(room));
        prop_assert!(columns(&before) <= room && columns(&after) <= room);
    }
}
