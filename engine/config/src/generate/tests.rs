use super::*;
use crate::expr_value::ExprValue;

fn shape(arguments: &[(&str, ExprValue)]) -> Result<Shape, String> {
    Shape::new(&ExprValue::object(arguments.iter().map(|(name, value)| ((*name).into(), value.clone()))))
}

#[test]
fn values_have_the_length_and_the_characters_that_are_asked_for() {
    let drawn = shape(&[]).unwrap().draw().unwrap();
    assert_eq!(drawn.chars().count(), 32);
    let digits = shape(&[
        ("length", 4096.into()),
        ("lower", false.into()),
        ("upper", false.into()),
        ("special", false.into()),
    ]);
    let drawn = digits.unwrap().draw().unwrap();
    assert!(drawn.chars().all(|c| c.is_ascii_digit()));
    let counts: Vec<usize> = ('0'..='9').map(|digit| drawn.matches(digit).count()).collect();
    // 410 of each are expected, with a standard deviation of 19.
    assert!(counts.iter().all(|count| (250..570).contains(count)), "{counts:?}");
    for _ in 0..50 {
        let shape = shape(&[
            ("length", 4.into()),
            ("min_lower", 1.into()),
            ("min_upper", 1.into()),
            ("min_numeric", 1.into()),
            ("min_special", 1.into()),
            ("override_special", "é".into()),
        ]);
        let drawn = shape.unwrap().draw().unwrap();
        assert!(drawn.contains('é') && drawn.chars().count() == 4, "{drawn}");
        assert!(
            drawn.chars().any(|c| c.is_ascii_lowercase()) && drawn.chars().any(|c| c.is_ascii_uppercase())
        );
    }
}

#[test]
fn a_value_is_drawn_once() {
    let (generated, shape) = (Generated::default(), shape(&[]).unwrap());
    let (one, other): (Address, Address) = ("secret.one".parse().unwrap(), "secret.other".parse().unwrap());
    let first = generated.value(&one, &"a".into(), &shape).unwrap();
    assert_eq!(generated.value(&one, &"a".into(), &shape).unwrap(), first);
    assert_ne!(generated.value(&one, &"b".into(), &shape).unwrap(), first);
    assert_ne!(generated.value(&other, &"a".into(), &shape).unwrap(), first);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    for (arguments, want) in [
        (vec![("lenght", 3.into())], "it has no argument lenght: did you mean \"length\"?"),
        (vec![("length", 0.into())], "length must be from 1 to 4096"),
        (vec![("length", 4097.into())], "length must be from 1 to 4096"),
        (vec![("length", "x".into())], "length: a number is required"),
        (vec![("min_lower", ExprValue::number(-1_i64))], "min_lower must be a whole number"),
        (vec![("length", 2.into()), ("min_lower", 3.into())], "it asks for more characters than its length"),
        (vec![("special", false.into()), ("min_special", 1.into())], "min_special asks for characters"),
        (
            vec![
                ("lower", false.into()),
                ("upper", false.into()),
                ("numeric", false.into()),
                ("override_special", "".into()),
            ],
            "no characters are allowed",
        ),
    ] {
        let fault = shape(&arguments).unwrap_err();
        assert!(fault.starts_with(want), "found {fault}, want {want}");
    }
    assert!(Shape::new(&ExprValue::NULL).is_err());
}
