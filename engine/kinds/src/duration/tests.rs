use proptest::prelude::*;

use super::*;

#[test]
fn parses_what_go_parses_and_prints_what_go_prints() {
    for (text, printed) in [
        ("0", "0s"),
        ("+0", "0s"),
        ("30s", "30s"),
        ("60s", "1m0s"),
        ("1h30m", "1h30m0s"),
        ("90m", "1h30m0s"),
        ("1.5h", "1h30m0s"),
        (".5s", "500ms"),
        ("5.s", "5s"),
        ("-1m", "-1m0s"),
        ("1m0.5s", "1m0.5s"),
        ("1500us", "1.5ms"),
        ("3µs7ns", "3.007µs"),
        ("1ns", "1ns"),
        ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
    ] {
        assert_eq!(text.parse::<Duration>().unwrap().to_string(), printed, "{text}");
    }
}

#[test]
fn refuses_what_is_no_duration() {
    for text in [
        "",
        "3",
        "s",
        "-",
        ".s",
        "1d",
        "1 h",
        "1h 30m",
        "1..5s",
        "1.5.5s",
        "--1s",
        "1e3s",
        "é",
        "2562048h",
        "99999999999999999999h",
    ] {
        assert!(text.parse::<Duration>().is_err(), "{text}");
    }
}

#[test]
fn only_durations_forward_have_a_standard_form() {
    assert_eq!("1m30s".parse::<Duration>().unwrap().as_std(), Some(std::time::Duration::from_secs(90)));
    assert_eq!("-1ns".parse::<Duration>().unwrap().as_std(), None);
}

proptest! {
    #[test]
    fn prints_what_it_parses_back(nanoseconds in -i64::MAX..i64::MAX) {
        let duration = Duration { nanoseconds };
        prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
    }

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        let _ = text.parse::<Duration>();
    }
}
