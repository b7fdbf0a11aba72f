use proptest::prelude::*;

use super::*;

#[test]
fn prints_the_canonical_form() {
    for (text, printed) in [
        ("0", "0"),
        ("0Gi", "0"),
        ("-0", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("007", "7"),
        ("1000m", "1"),
        ("100m", "100m"),
        ("0.1", "100m"),
        ("1.5", "1500m"),
        (".5", "500m"),
        ("5.", "5"),
        ("-1.5", "-1500m"),
        ("2000", "2k"),
        ("1500k", "1500k"),
        ("1000k", "1M"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("64Gi", "64Gi"),
        ("0.5Gi", "512Mi"),
        ("0.5Mi", "512Ki"),
        ("0.0001Gi", "107374182400u"),
        ("0.5Ki", "512"),
        ("0.0001Ki", "102400u"),
        ("1e3", "1e3"),
        ("1500e3", "1500e3"),
        ("1000e3", "1e6"),
        ("1E3", "1e3"),
        ("1e-3", "1e-3"),
        ("1e+2", "100"),
        ("1E", "1E"),
        ("1n", "1n"),
        ("1500u", "1500u"),
        ("0.1n", "1n"),
        ("1.0000000001", "1000000001n"),
        ("-0.1n", "-1n"),
        ("16Ei", "9223372036854775807"),
        ("8Ei", "9223372036854775807"),
        ("4Ei", "4Ei"),
        ("100E", "100E"),
        ("1e-99", "1e-9"),
    ] {
        assert_eq!(text.parse::<Quantity>().unwrap().to_string(), printed, "{text}");
    }
}

#[test]
fn refuses_what_is_no_quantity() {
    for text in [
        "",
        " ",
        "+",
        "-",
        ".",
        "Gi",
        "1 Gi",
        "1gi",
        "1K",
        "1ki",
        "1Gb",
        "1e",
        "1ee3",
        "1e3.5",
        "1.2.3",
        "--1",
        "0x10",
        "1e99999999999",
        "١",
        "1Gi ",
        "NaN",
    ] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
}

#[test]
fn huge_numbers_are_capped_without_effort() {
    let most = "1e2147483647".parse::<Quantity>().unwrap();
    assert_eq!(most, "9".repeat(100_000).parse().unwrap());
    assert_eq!(most.checked_add(Quantity::from_count(1)), None);
    assert_eq!("1e-2147483648".parse::<Quantity>().unwrap().to_string(), "1e-9");
    assert_eq!(format!("{}Gi", "9".repeat(100_000)).parse(), "8Ei".parse::<Quantity>());
}

#[test]
fn compares_by_value() {
    let quantity = |text: &str| text.parse::<Quantity>().unwrap();
    assert_eq!(quantity("1000m"), quantity("1"));
    assert_eq!(quantity("1Gi"), quantity("1073741824"));
    assert!(quantity("1G") < quantity("1Gi"));
    assert!(quantity("-1") < Quantity::ZERO);
}

#[test]
fn sums_keep_the_notation_of_the_first_amount() {
    let quantity = |text: &str| text.parse::<Quantity>().unwrap();
    let sum = |a: &str, b: &str| quantity(a).checked_add(quantity(b)).unwrap().to_string();
    assert_eq!(sum("512Mi", "512Mi"), "1Gi");
    assert_eq!(sum("0", "1Gi"), "1Gi");
    assert_eq!(sum("250m", "0.75"), "1");
    assert_eq!(quantity("64Gi").checked_sub(quantity("16Gi")).unwrap().to_string(), "48Gi");
    assert_eq!(quantity("250m").checked_mul(3).unwrap().to_string(), "750m");
}

proptest! {
    #[test]
    fn printing_loses_nothing(nanos in -MAX_NANOS..MAX_NANOS, which in 0..3) {
        let notation = [Notation::Decimal, Notation::Binary, Notation::Exponent][which as usize];
        let nanos = if notation == Notation::Binary { nanos % (i64::MAX as i128 * NANOS) } else { nanos };
        let quantity = Quantity { nanos, notation };
        let printed = quantity.to_string();
        let parsed: Quantity = printed.parse().unwrap();
        prop_assert_eq!(parsed, quantity);
        prop_assert_eq!(parsed.to_string(), printed);
    }

    #[test]
    fn any_text_is_answered(text in "[-+0-9.eEinumkKMGTP]{0,40}|\\PC*") {
        let _ = text.parse::<Quantity>();
    }
}
