//! The language of label selectors.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>; the words of refusals
//! are those of k8s.io/apimachinery/pkg/labels.

use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult, FieldError};
use crate::meta;
use crate::validation::{label_key_faults, label_value_faults};

/// One condition on one label.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Requirement {
    /// Whether it holds for these labels.
    pub fn holds(&self, labels: &Value) -> bool {
        let value = labels[&self.key].as_str();
        let number = || value.and_then(|text| text.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(wanted) => value.is_some_and(|value| wanted.iter().any(|w| w == value)),
            Test::NotIn(unwanted) => value.is_none_or(|value| unwanted.iter().all(|w| w != value)),
            Test::Above(bound) => number().is_some_and(|value| value > *bound),
            Test::Below(bound) => number().is_some_and(|value| value < *bound),
        }
    }
}

/// Reads a `LabelSelector` object.
pub(super) fn of_object(selector: &Value) -> Vec<Requirement> {
    let mut requirements = Vec::new();
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default().to_owned();
        requirements.push(Requirement { key: key.clone(), test: Test::In(vec![value]) });
    }
    for expression in meta::items(&selector["matchExpressions"]) {
        let values = || meta::strings(&expression["values"]).into_iter().map(str::to_owned).collect();
        let test = match expression["operator"].as_str() {
            Some("NotIn") => Test::NotIn(values()),
            Some("Exists") => Test::Exists,
            Some("DoesNotExist") => Test::Absent,
            _ => Test::In(values()),
        };
        let key = expression["key"].as_str().unwrap_or_default().to_owned();
        requirements.push(Requirement { key, test });
    }
    requirements
}

/// Reads the text of a selector.
///
/// # Errors
/// 400 if it cannot be read, or names a key or value that no label can have.
pub(super) fn parse(text: &str) -> ApiResult<Vec<Requirement>> {
    Parser { tokens: tokens(text), at: 0 }.selector().map_err(ApiError::BadRequest)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Sign(&'a str),
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Sign(text) => text,
            Self::End => "",
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
        let length = match sign {
            Some(sign) => sign.len(),
            None => rest
                .find(|letter: char| letter.is_ascii_whitespace() || "=!(),><".contains(letter))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(if sign.is_some() { Token::Sign(token) } else { Token::Word(token) });
        rest = after.trim_start();
    }
    tokens
}

// Every step either goes on or says in one sentence what it found instead.
struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Sign("!") => {}
                Token::Sign(sign) => {
                    return Err(format!("found '{sign}', expected: !, identifier, or 'end of string'"));
                }
            }
            let requirement = self.requirement();
            requirements.push(requirement.map_err(|why| format!("unable to parse requirement: {why}"))?);
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Sign(",") => {}
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
            if !matches!(self.peek(), Token::Word(_) | Token::Sign("!")) {
                return Err(format!("found '{}', expected: identifier after ','", self.peek().text()));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.peek() == Token::Sign("!");
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key.to_owned(),
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        let faults = label_key_faults(&key);
        if !faults.is_empty() {
            return Err(FieldError::invalid("<nil>", &json!(key), &faults.join("; ")).to_string());
        }
        if negated {
            return Ok(Requirement { key, test: Test::Absent });
        }
        if matches!(self.peek(), Token::End | Token::Sign(",")) {
            return Ok(Requirement { key, test: Test::Exists });
        }
        let operator = self.next().text();
        let values = match operator {
            "in" | "notin" => self.values()?,
            "=" | "==" | "!=" | ">" | "<" => vec![self.value()?],
            other => {
                return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt"));
            }
        };
        let test = test(operator, &key, values)?;
        Ok(Requirement { key, test })
    }

    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Sign(",") => return Ok(String::new()),
            _ => {}
        }
        match self.next() {
            Token::Word(value) => Ok(value.to_owned()),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    // The empty value is one, too: `()` and `(a,)` hold it.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.next();
        if open != Token::Sign("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        let mut values = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Word(value) => {
                    self.next();
                    value
                }
                Token::Sign("," | ")") => "",
                other if values.is_empty() => {
                    return Err(format!("found '{}', expected: ',', ')' or identifier", other.text()));
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            };
            values.push(value.to_owned());
            match self.next() {
                Token::Sign(",") => {}
                Token::Sign(")") => break,
                other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
            }
        }
        values.sort();
        values.dedup();
        Ok(values)
    }
}

fn test(operator: &str, key: &str, values: Vec<String>) -> Result<Test, String> {
    let mut faults = Vec::new();
    let bound = values.first().and_then(|value| value.parse::<i64>().ok());
    if matches!(operator, ">" | "<") && bound.is_none() {
        let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
        faults.push(FieldError::invalid("values[0]", &json!(values.first()), detail).to_string());
    }
    for (idx, value) in values.iter().enumerate() {
        let found = label_value_faults(value);
        if !found.is_empty() {
            let at = format!("values[{idx}][{key}]");
            faults.push(FieldError::invalid(at, &json!(value), &found.join("; ")).to_string());
        }
    }
    match faults.as_slice() {
        [] => {}
        [only] => return Err(only.clone()),
        many => return Err(format!("[{}]", many.join(", "))),
    }
    Ok(match (operator, bound) {
        (">", Some(bound)) => Test::Above(bound),
        ("<", Some(bound)) => Test::Below(bound),
        ("notin" | "!=", _) => Test::NotIn(values),
        _ => Test::In(values),
    })
}
