//! Compares random expressions with the reference implementation.
//!
//! The expressions are the same in every run; `LANGUAGE_EXPRESSIONS` sets how many, 6,000 if it is not set.

mod grammar;

use std::collections::BTreeSet;

use language::compare::difference;
use language::node::{Content, Node};
use language::{Answer, Question, ask, evaluate, names};
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::grammar::Grammar;

/// How many differences are shown, the shortest expressions first.
const SHOWN: usize = 400;

/// Of values that are unknown the reference forgets in places that they are sensitive, and so of what is computed from
/// them. Where both come together, a mark that only this implementation has is no difference.
fn marked_alike(question: &Question, reference: &Answer) -> Answer {
    let names = |prefixes: &[&str]| prefixes.iter().any(|prefix| question.text.contains(prefix));
    let may_lose = names(&["u_", "v_", "part"]) && names(&["secret", "pin", "flag", "mixed", "sensitive("]);
    let mut reference = reference.clone();
    if let (true, Ok(reference), Ok(ours)) = (may_lose, &mut reference, evaluate(question)) {
        mark(reference, &ours);
    }
    reference
}

/// Marks every part of a value as sensitive that is so in another.
fn mark(node: &mut Node, like: &Node) {
    node.sensitive |= like.sensitive;
    match (&mut node.content, &like.content) {
        (
            Content::List { value, .. } | Content::Tuple { value },
            Content::List { value: like, .. } | Content::Tuple { value: like },
        ) => {
            value.iter_mut().zip(like).for_each(|(node, like)| mark(node, like));
        }
        (
            Content::Map { value, .. } | Content::Object { value },
            Content::Map { value: like, .. } | Content::Object { value: like },
        ) => {
            value
                .iter_mut()
                .for_each(|(key, node)| like.get(key).into_iter().for_each(|like| mark(node, like)));
        }
        _ => {}
    }
}

#[test]
fn random_expressions_mean_what_they_mean_to_the_reference() {
    let wanted = std::env::var("LANGUAGE_EXPRESSIONS").ok();
    let wanted = wanted.map_or(6_000, |wanted| wanted.parse().expect("LANGUAGE_EXPRESSIONS is a number"));
    let mut grammar = Grammar::new(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut texts = BTreeSet::new();
    while texts.len() < wanted {
        texts.insert(grammar.expression());
    }
    let questions: Vec<_> =
        texts.into_iter().map(|text| Question { text: format!("{text}\n"), names: names() }).collect();
    let answers = ask(&questions);
    let with_value = answers.iter().filter(|reply| reply.answer.is_ok()).count();
    let hidden = answers.iter().filter(|reply| reply.hidden).count();
    assert!(hidden * 8 < wanted, "{hidden} of {wanted} expressions are not compared");
    assert!(with_value * 3 > wanted * 2, "only {with_value} of {wanted} expressions have a value");
    let mut failures: Vec<_> = questions
        .iter()
        .zip(&answers)
        // What a part with a fault still tells of its type and mark is told differently, which has cases of its own.
        .filter(|(_, reply)| !reply.hidden)
        .filter_map(|(question, reply)| {
            let reference = &reply.answer;
            let found = difference(&evaluate(question), &marked_alike(question, reference))?;
            Some((question.text.len(), format!("{}{found}", question.text)))
        })
        .collect();
    failures.sort();
    let shown: Vec<_> = failures.iter().take(SHOWN).map(|(_, failure)| failure.as_str()).collect();
    assert!(failures.is_empty(), "{} of {wanted} differ\n\n{}", failures.len(), shown.join("\n\n"));
}
