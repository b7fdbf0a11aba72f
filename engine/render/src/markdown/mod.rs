//! The plan as one comment for a pull request.

mod danger;
mod effect;
mod images;
mod inert;
mod object;
mod page;

use std::borrow::Cow;

use engine_core::diagnostic::{Diagnostic, Severity};
use engine_core::mark::EnvironmentName;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::{ActionKind, Change, Plan, Shown};

use crate::body::summary;
use crate::diagnostics::tally;
use crate::escape::{cut, escape};
use crate::text::sentence;
use effect::Effect;
use inert::{cell, code};
use page::{Page, Section};

/// Bytes that a comment may take by default: below GitHub's 65,536 characters, however they are counted.
pub const DEFAULT_LIMIT: usize = 60_000;

/// The least limit that is kept; there must be room for the verdict.
const LEAST_LIMIT: usize = 2_000;

/// Columns of the title beyond which it is cut.
const MAX_TITLE: usize = 100;

/// What a preview shows besides the plan of the merged definition.
#[derive(Debug, Clone, Copy)]
pub struct PreviewOptions<'a> {
    /// What the preview is of, such as a revision. Untrusted text.
    pub title: Option<&'a str>,
    /// The plan of the merge base: what would happen without the merge. The preview shows the difference.
    pub pending: Option<&'a Plan>,
    /// Remarks, one line each. Untrusted text.
    pub notes: &'a [String],
    /// Bytes that the result may take; at least 2,000.
    pub limit: usize,
}

impl Default for PreviewOptions<'_> {
    fn default() -> Self {
        Self { title: None, pending: None, notes: &[], limit: DEFAULT_LIMIT }
    }
}

/// Returns the hidden first line by which a preview comment of an environment is found again.
pub fn preview_marker(environment: &EnvironmentName) -> String {
    format!("<!-- terrane:preview:{environment} -->")
}

/// Returns the comment that says what merging does: a verdict, counts per cluster, dangers, images, and the
/// objects' differences, largest last, as far as the limit goes.
///
/// Text from the definition or a cluster stands only in code spans and fences that it cannot leave; it mentions
/// nobody, refers to no issue and is no command.
pub fn plan_markdown(plan: &Plan, options: &PreviewOptions<'_>) -> String {
    let effect = Effect::of(plan, options.pending);
    let limit = options.limit.max(LEAST_LIMIT);
    let mut page = Page::new(limit);
    page.push(&head(plan, options, &effect));
    page.section(notes(options), limit / 20);
    page.section(diagnostics(plan), limit / 5);
    page.section(unobserved(plan), limit / 20);
    page.section(clusters(&effect), limit / 10);
    page.section(danger::section(&effect), limit / 5);
    page.section(images::section(&effect), limit / 8);
    page.section(outputs(&effect), limit / 20);
    page.section(listed(PENDING, &effect.anyway), limit / 20);
    page.section(listed(WITHDRAWN, &effect.withdrawn), limit / 20);
    object::put_all(&mut page, &effect);
    page.finish()
}

const PENDING: &str = "**Pending without this merge**";
const WITHDRAWN: &str = "**Pending until now, dropped by this merge**";

fn head(plan: &Plan, options: &PreviewOptions<'_>, effect: &Effect<'_>) -> String {
    let title = options.title.map(|title| format!(": {}", code(&cut(&escape(title), Some(MAX_TITLE)))));
    format!(
        "{}\n### Terrane preview of {}{}\n\n**{}**\n\nState serial {}, decision {}.\n\n",
        preview_marker(&plan.environment),
        code(plan.environment.as_str()),
        title.unwrap_or_default(),
        verdict(plan, effect),
        plan.serial,
        code(&plan.decision_digest().to_string()),
    )
}

fn verdict(plan: &Plan, effect: &Effect<'_>) -> String {
    if plan.diagnostics.has_errors() {
        return format!("This plan cannot be applied: {}.", tally(&plan.diagnostics));
    }
    let mut parts = Tally::of(effect.changes.iter().map(Cow::as_ref)).parts();
    let more = [(effect.outputs.len(), "outputs to set"), (effect.withdrawn.len(), "pending to drop")];
    parts
        .extend(more.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")));
    if parts.is_empty() {
        "Merging changes nothing.".into()
    } else {
        format!("Merging: {}.", parts.join(", "))
    }
}

fn notes(options: &PreviewOptions<'_>) -> Section {
    Section::list("", options.notes.iter().map(|note| format!("- {}", code(note))))
}

fn diagnostics(plan: &Plan) -> Section {
    let sorted = plan.diagnostics.clone().sorted();
    Section::list("**Errors and warnings**", sorted.iter().map(diagnostic))
}

fn diagnostic(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut line = format!("- **{severity}** {}: {}", diagnostic.code, code(&diagnostic.summary));
    if let Some(span) = &diagnostic.span {
        line += &format!(" at {}", code(&span.to_string()));
    }
    for text in [Some(&diagnostic.detail), diagnostic.hint.as_ref()].into_iter().flatten() {
        if !text.is_empty() {
            line += &format!("<br>{}", code(text));
        }
    }
    line
}

fn unobserved(plan: &Plan) -> Section {
    let kinds = plan.unobserved.iter().flat_map(|(cluster, kinds)| {
        kinds.iter().map(move |kind| format!("- {} on {}", code(kind), code(cluster.as_str())))
    });
    Section::list("**Not observed, so this preview is incomplete**", kinds)
}

fn clusters(effect: &Effect<'_>) -> Section {
    let mut order: Vec<(&ClusterRef, Vec<&Change>)> = Vec::new();
    for change in &effect.changes {
        let cluster = &change.object_ref.cluster;
        match order.iter_mut().find(|(known, _)| *known == cluster) {
            Some((_, changes)) => changes.push(change),
            None => order.push((cluster, vec![change])),
        }
    }
    let rows = order.into_iter().map(|(cluster, changes)| {
        let tally = Tally::of(changes);
        format!(
            "| {} | {} | {} | {} | {} | {} |",
            cell(cluster.as_str()),
            tally.create,
            tally.change,
            tally.replace,
            tally.delete,
            tally.other
        )
    });
    Section::table("", "| Cluster, in order of apply | Create | Change | Replace | Delete | Other |", rows)
}

fn outputs(effect: &Effect<'_>) -> Section {
    let side = |shown| match shown {
        &Shown::Absent => "–".into(),
        shown => cell(&summary(shown)),
    };
    let rows = effect.outputs.iter().map(|output| {
        let name = cell(&output.name);
        format!("| {name} | {} | {} |", side(&output.before), side(&output.after))
    });
    Section::table("**Outputs**", "| Output | Before | After |", rows)
}

fn listed(title: &str, changes: &[&Change]) -> Section {
    let line = |change: &&Change| format!("- {} {}", code(&change.object_ref.key()), sentence(change));
    Section::list(title, changes.iter().map(line))
}

/// How many objects each sort of action concerns.
#[derive(Default)]
struct Tally {
    create: usize,
    change: usize,
    replace: usize,
    delete: usize,
    other: usize,
}

impl Tally {
    fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut tally = Self::default();
        for change in changes {
            let count = match change.action.kind() {
                ActionKind::Create => &mut tally.create,
                ActionKind::Update | ActionKind::Adopt | ActionKind::Import | ActionKind::Move => {
                    &mut tally.change
                }
                ActionKind::Replace => &mut tally.replace,
                ActionKind::Delete => &mut tally.delete,
                ActionKind::Forget | ActionKind::Read | ActionKind::Await | ActionKind::NoOp => {
                    &mut tally.other
                }
            };
            *count += 1;
        }
        tally
    }

    /// Returns what there is, in words.
    fn parts(&self) -> Vec<String> {
        let parts = [
            (self.create, "to create"),
            (self.change, "to change"),
            (self.replace, "to replace"),
            (self.delete, "to delete"),
            (self.other, "to read or forget"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        parts.map(|(count, words)| format!("{count} {words}")).collect()
    }
}

#[cfg(test)]
mod tests;
