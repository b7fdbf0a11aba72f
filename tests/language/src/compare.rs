//! Whether two implementations mean the same.

use std::collections::BTreeMap;
use std::str::FromStr;

use engine_core::value::Number;

use crate::Answer;
use crate::node::{Content, End, Known, Node};

/// Tells in which way an answer differs from that of the reference, `None` when it does not.
///
/// Three things are no difference: digits behind the 95th, where a binary number and a decimal one part; a sensitive mark
/// on what is unknown, which the reference sometimes loses; and to know more of how an unknown text begins.
pub fn difference(ours: &Answer, reference: &Answer) -> Option<String> {
    match (ours, reference) {
        (Ok(ours), Ok(reference)) if same(ours, reference) => None,
        (Ok(ours), Ok(reference)) => Some(format!("ours      {ours}\nreference {reference}")),
        (Err(_), Err(_)) => None,
        (Ok(ours), Err(reason)) => Some(format!("ours      {ours}\nreference error: {reason}")),
        (Err(reason), Ok(reference)) => Some(format!("ours      error: {reason}\nreference {reference}")),
    }
}

fn same(ours: &Node, reference: &Node) -> bool {
    let lost = ours.sensitive && !reference.sensitive && matches!(reference.content, Content::Unknown(_));
    (lost || ours.sensitive == reference.sensitive) && same_content(&ours.content, &reference.content)
}

fn same_content(ours: &Content, reference: &Content) -> bool {
    match (ours, reference) {
        (Content::Number { value: a }, Content::Number { value: b }) => same_number(a, b),
        (Content::List { r#type: a, value: ours }, Content::List { r#type: b, value: reference }) => {
            a == b && same_items(ours, reference)
        }
        (Content::Set { r#type: a, value: ours }, Content::Set { r#type: b, value: reference }) => {
            a == b && same_items(&sorted(ours), &sorted(reference))
        }
        (Content::Tuple { value: ours }, Content::Tuple { value: reference }) => same_items(ours, reference),
        (Content::Map { r#type: a, value: ours }, Content::Map { r#type: b, value: reference }) => {
            a == b && same_entries(ours, reference)
        }
        (Content::Object { value: ours }, Content::Object { value: reference }) => {
            same_entries(ours, reference)
        }
        (Content::Unknown(ours), Content::Unknown(reference)) => same_knowledge(ours, reference),
        (ours, reference) => ours == reference,
    }
}

/// Returns the items of a set in an order that both have: the reference orders all but scalars by a hash.
fn sorted(items: &[Node]) -> Vec<Node> {
    let mut items = items.to_vec();
    items.sort_by_key(ToString::to_string);
    items
}

fn same_items(ours: &[Node], reference: &[Node]) -> bool {
    ours.len() == reference.len() && ours.iter().zip(reference).all(|(ours, reference)| same(ours, reference))
}

fn same_entries(ours: &BTreeMap<String, Node>, reference: &BTreeMap<String, Node>) -> bool {
    ours.len() == reference.len()
        && ours.iter().zip(reference).all(|((a, ours), (b, reference))| a == b && same(ours, reference))
}

fn same_knowledge(ours: &Known, reference: &Known) -> bool {
    let ends = |ours: &Option<End>, reference: &Option<End>| match (ours, reference) {
        (Some(ours), Some(reference)) => same_number(&ours.number, &reference.number),
        (ours, reference) => ours == reference,
    };
    let plain = |known: &Known| Known { from: None, to: None, prefix: String::new(), ..known.clone() };
    plain(ours) == plain(reference)
        && ours.prefix.starts_with(&reference.prefix)
        && ends(&ours.from, &reference.from)
        && ends(&ours.to, &reference.to)
}

/// The reference keeps 512 binary digits of a number, which are 154 decimal ones.
fn same_number(a: &str, b: &str) -> bool {
    let read = |text: &str| Number::from_str(text).map(|number| number.to_decimal());
    match (read(a), read(b)) {
        (Ok(a), Ok(b)) if a == b => true,
        (Ok(a), Ok(b)) => a.with_prec(95) == b.with_prec(95),
        _ => false,
    }
}
