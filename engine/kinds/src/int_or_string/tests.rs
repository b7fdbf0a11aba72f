use super::*;

fn text(text: &str) -> IntOrString {
    IntOrString::String(text.to_owned())
}

#[test]
fn takes_percentages_of_a_total() {
    for (value, total, up, down) in [
        (IntOrString::Int(3), 10, Some(3), Some(3)),
        (text("25%"), 10, Some(3), Some(2)),
        (text("100%"), 7, Some(7), Some(7)),
        (text("0%"), 7, Some(0), Some(0)),
        (text("150%"), 3, Some(5), Some(4)),
        (text("http"), 10, None, None),
        (text("%"), 10, None, None),
        (text("50%"), i64::MAX, None, None),
    ] {
        assert_eq!(value.of_total(total, Rounding::Up), up, "{value} of {total}");
        assert_eq!(value.of_total(total, Rounding::Down), down, "{value} of {total}");
    }
}

#[test]
fn reads_numbers_as_numbers() {
    for (written, value) in [
        ("8080", IntOrString::Int(8080)),
        ("http", text("http")),
        ("25%", text("25%")),
        ("99999999999", text("99999999999")),
    ] {
        let parsed: IntOrString = written.parse().unwrap();
        assert_eq!(parsed, value);
        assert_eq!(parsed.to_string(), written);
    }
}
