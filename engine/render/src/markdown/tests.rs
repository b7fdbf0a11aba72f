use engine_core::diagnostic::{Code, Diagnostic};
use engine_core::field_path::PathElement;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::{Action, FieldChange, OutputChange, Reason, Shown, Tier};
use engine_core::resource::FieldPolicy;
use engine_core::value::Value;
use proptest::prelude::*;

use super::*;
use crate::samples::{change, conflict, contest, drifted, field, mixed, plan, uid, update};

/// Without the line of serial and digest, which says nothing to a reader of this file.
fn body(plan: &Plan, options: &PreviewOptions<'_>) -> String {
    let text = plan_markdown(plan, options);
    let lines = text.lines().filter(|line| !line.starts_with("State serial"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_comment_goes_from_verdict_to_details() {
    let text = body(&mixed(), &PreviewOptions::default());
    let (overview, _) = text.split_once("<details>").unwrap();
    insta::assert_snapshot!(overview, @r"
    <!-- terrane:preview:demo -->
    ### Terrane preview of `demo`

    **Merging: 1 to create, 2 to change, 1 to replace, 1 to delete.**


    | Cluster, in order of apply | Create | Change | Replace | Delete | Other |
    |---|---|---|---|---|---|
    | `main` | 1 | 2 | 1 | 1 | 0 |

    **Look at these**

    - **delete** `Role.rbac.authorization.k8s.io/dev/old` on `main`
    - **replace** `Job.batch/dev/migrate` on `main`, for `spec.completions`
    - **restart** the pods of `Deployment.apps/dev/web` on `main`
    ");
}

#[test]
fn a_replacement_names_the_fields_that_force_it() {
    let mut plan = mixed();
    plan.changes[2].immutable = vec!["spec.selector".into(), "spec.template".into()];
    let text = plan_markdown(&plan, &PreviewOptions::default());
    for line in [
        "- **replace** `Job.batch/dev/migrate` on `main`, for `spec.selector`, `spec.template`\n",
        "<br>`cannot be changed in place: spec.selector, spec.template`",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_is_taken_names_whom_it_is_taken_from() {
    let mut plan = mixed();
    let taken = ["spec.a", "spec.b", "spec.c", "spec.replicas"];
    let mut conflicts: Vec<_> =
        taken.iter().map(|path| conflict(path, "5", "3", FieldPolicy::Take)).collect();
    conflicts[0].manager = "@team`".into();
    conflicts.push(conflict("spec.paused", "true", "false", FieldPolicy::Yield));
    contest(&mut plan, "Deployment.apps/dev/web", conflicts);
    let text = plan_markdown(&plan, &PreviewOptions::default());
    for line in [
        "- **take** `spec.a` of `Deployment.apps/dev/web` on `main` from `` @\u{200b}team` ``\n",
        "- **take** `spec.b`, `spec.c`, `spec.replicas` of `Deployment.apps/dev/web` on `main` from `kubectl-edit`\n",
        "<br>`takes spec.replicas from kubectl-edit, which updated it at 2026-01-02T03:04:05Z`<br>",
        "<br>`leaves spec.paused to kubectl-edit, which updated it at 2026-01-02T03:04:05Z: true there, false here`",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn objects_are_folded_diffs() {
    let mut web = mixed().changes.swap_remove(1);
    web.tier = Tier::Client;
    let text = body(&plan(vec![web]), &PreviewOptions::default());
    let (_, details) = text.split_once("<details>").unwrap();
    insta::assert_snapshot!(details, @r#"
    <summary><code>~</code> <code>Deployment.apps/dev/web</code> will be changed</summary>

    `app.x.manifest.web` on `main` (predicted without the server)<br>`restarts its pods`

    ```diff
    - spec.replicas: 5
    + spec.replicas: 3
    - spec.template.spec.containers.image: "app:v1"
    + spec.template.spec.containers.image: "app:v2"
    ```

    </details>
    "#);
}

#[test]
fn what_is_pending_anyway_is_not_blamed_on_the_merge() {
    let replicas = drifted("spec.replicas", "5", "3");
    let image = field("spec.image", r#""v1""#, r#""v2""#);
    let web = |fields| change("Deployment.apps/dev/web", update(), Reason::Changed, fields);
    let job = change("Job.batch/dev/once", Action::Create, Reason::New, vec![]);
    let old = change("ConfigMap/dev/old", Action::Delete { uid: uid() }, Reason::Removed, vec![]);
    let base = plan(vec![web(vec![replicas.clone()]), job.clone(), old]);
    let head = plan(vec![web(vec![image, replicas]), job]);
    let options = PreviewOptions {
        title: Some("merge of `feature`"),
        pending: Some(&base),
        notes: &["the base has moved on".into()],
        ..PreviewOptions::default()
    };
    insta::assert_snapshot!(body(&head, &options), @r#"
    <!-- terrane:preview:demo -->
    ### Terrane preview of `demo`: `` merge of `feature` ``

    **Merging: 1 to change, 1 pending to drop.**


    - `the base has moved on`

    | Cluster, in order of apply | Create | Change | Replace | Delete | Other |
    |---|---|---|---|---|---|
    | `main` | 0 | 1 | 0 | 0 | 0 |

    **Pending without this merge**

    - `Job.batch/dev/once` will be created

    **Pending until now, dropped by this merge**

    - `ConfigMap/dev/old` will be deleted: it is no longer declared

    <details><summary><code>~</code> <code>Deployment.apps/dev/web</code> will be changed</summary>

    `app.x.manifest.web` on `main`

    ```diff
    - spec.image: "v1"
    + spec.image: "v2"
    ```

    </details>
    "#);
}

#[test]
fn a_merge_without_effect_says_so() {
    let base = mixed();
    let options = PreviewOptions { pending: Some(&base), ..PreviewOptions::default() };
    let text = plan_markdown(&base, &options);
    assert!(text.contains("**Merging changes nothing.**"));
    assert!(!text.contains("<details>"));
}

#[test]
fn errors_come_first() {
    let mut plan = mixed();
    let diagnostic = Diagnostic::error(Code(601), "conflict with <b>@team</b>").hint("import it");
    plan.diagnostics.push(diagnostic);
    plan.unobserved.insert(ClusterRef::new("main"), vec!["Role: forbidden".into()]);
    let text = body(&plan, &PreviewOptions::default());
    let lines: Vec<&str> = text.lines().skip(3).take(9).collect();
    insta::assert_snapshot!(lines.join("\n").replace('\u{200b}', "<ZERO WIDTH>"), @r"
    **This plan cannot be applied: 1 error.**


    **Errors and warnings**

    - **error** TRN0601: `conflict with <b>@<ZERO WIDTH>team</b>`<br>`import it`

    **Not observed, so this preview is incomplete**
    ");
}

#[test]
fn big_plans_keep_to_the_limit_and_say_what_is_missing() {
    let many = |count: usize| {
        let value = |n: usize| format!("\"{}\"", "x".repeat(n % 300));
        plan(
            (0..count)
                .map(|n| {
                    change(
                        &format!("ConfigMap/dev/settings-{n}"),
                        Action::Delete { uid: uid() },
                        Reason::Removed,
                        vec![field("data.key", &value(n), "")],
                    )
                })
                .collect(),
        )
    };
    for limit in [0, 2_000, 10_000, 60_000] {
        let text = plan_markdown(&many(3_000), &PreviewOptions { limit, ..PreviewOptions::default() });
        assert!(text.len() <= limit.max(LEAST_LIMIT), "{} > {limit}", text.len());
        assert!(text.contains("3000 to delete"));
        assert!(text.contains("Too long for this comment"));
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert_inert(&text);
    }
    let title = "日e\u{301}@x".repeat(5_000);
    let options = PreviewOptions { title: Some(&title), limit: 0, ..PreviewOptions::default() };
    assert!(plan_markdown(&many(1), &options).contains("1 to delete"), "a title cannot hide the verdict");
    let text = plan_markdown(&many(20), &PreviewOptions::default());
    assert_eq!(text.matches("<details>").count(), 20);
    assert!(!text.contains("Too long"));
}

/// Takes fences and code spans out of Markdown as the specification reads them, and checks that what remains is
/// only what this crate writes.
fn assert_inert(text: &str) {
    let mut outside = String::new();
    let mut fence: Option<usize> = None;
    for line in text.lines() {
        let ticks = line.bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            Some(_) => assert!(line.starts_with(['+', '-', '!', ' ']), "{line:?}"),
            None if ticks >= 3 && !line[ticks..].contains('`') => fence = Some(ticks),
            None => {
                outside.push_str(line);
                outside.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    let mut rest = without_code_tags(&without_spans(&outside));
    let environment = "demo".parse().unwrap();
    for known in [preview_marker(&environment).as_str(), "### ", "<br>"] {
        rest = rest.replace(known, "");
    }
    for tag in ["details", "summary"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        assert_eq!(rest.matches(&open).count(), rest.matches(&close).count(), "{rest}");
        rest = rest.replace(&open, "").replace(&close, "");
    }
    let strange = |char: char| {
        let hidden = crate::escape::is_hidden(char) && !"\n\u{200b}".contains(char);
        hidden || "<>`@[]!".contains(char)
    };
    assert!(!rest.contains(strange), "{rest:?}");
}

/// Takes out what stands in `<code>`, up to the first other tag.
fn without_code_tags(text: &str) -> String {
    let mut pieces = text.split("<code>");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('<').expect("code ends with a tag");
        assert!(!code.contains(['>', '`', '"']), "{code:?}");
        out.push_str(rest.strip_prefix("/code>").expect("code ends with its own tag"));
    }
    out
}

/// Takes out code spans: a run of backticks ends at the next run of the same length.
fn without_spans(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let run = rest[at..].bytes().take_while(|byte| *byte == b'`').count();
        let (ticks, body) = rest[at..].split_at(run);
        let mut from = 0;
        let close = loop {
            let found = from + body[from..].find(ticks).expect("a code span is left open");
            let len = body[found..].bytes().take_while(|byte| *byte == b'`').count();
            if len == run {
                break found;
            }
            from = found + len;
        };
        assert!(!body[..close].contains('\n'), "a code span crosses lines");
        rest = &body[close + run..];
    }
    out + rest
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "`",
        "```",
        "\n",
        "\n\n",
        "</details>",
        "<img src=x>",
        "<!-- ",
        "-->",
        "@team",
        "#12",
        "/approve",
        "|",
        "\\",
        "~~~",
        "[x](http://y)",
        "\u{1b}[2J",
        "\u{9b}",
        "\u{202e}",
        " ",
        "'",
        "\"",
        "&lt;",
        "a",
        "+",
        "- ",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()), any::<String>(),]
}

proptest! {
    #[test]
    fn hostile_text_cannot_leave_its_place(
        name in hostile(), key in hostile(), before in hostile(), after in hostile(), note in hostile(),
    ) {
        let value = |text: &str| Shown::Value(Value::string(text));
        let mut data = field("data", "", "");
        data.path.push(PathElement::Field(key.as_str().into()));
        let data = FieldChange { before: value(&before), after: value(&after), ..data };
        let mut image = field("spec.containers", "", "");
        image.path.push(PathElement::Index(0));
        image.path.push(PathElement::Field("image".into()));
        let image = FieldChange { before: value(&before), after: value(&after), ..image };
        let mut one = change("Pod/dev/a", update(), Reason::Changed, vec![data, image]);
        one.object_ref.name = name.as_str().into();
        one.object_ref.cluster = ClusterRef::new(key.as_str());
        one.address = one.address.object(name.as_str());
        one.restarts = vec![one.object_ref.clone()];
        let mut gone = one.clone();
        gone.object_ref.kind.group = key.as_str().into();
        gone.action = Action::Delete { uid: uid() };
        let mut plan = plan(vec![one, gone]);
        plan.unobserved.insert(ClusterRef::new(key.as_str()), vec![note.clone()]);
        plan.diagnostics.push(Diagnostic::warning(Code(1), name).detail(after).hint(note.clone()));
        let notes = [note.clone()];
        plan.outputs.push(OutputChange { name: note.as_str().into(), before: value(&note), after: Shown::Unknown });
        let options = PreviewOptions { title: Some(&note), notes: &notes, ..PreviewOptions::default() };
        let text = plan_markdown(&plan, &options);
        assert_inert(&text);
        prop_assert_eq!(text.matches("<!--").count(), 1);
        prop_assert!(!text.lines().any(|line| line.trim_start().starts_with('/')));
    }
}

#[test]
fn images_are_gathered_from_whole_and_single_fields() {
    let containers = |image: &str| {
        let json = r#"{"template":{"spec":{"containers":[{"name":"a","image":"IMAGE"},{"name":"b","image":"side:1"}]}}}"#;
        json.replace("IMAGE", image)
    };
    let create = |name: &str| {
        let fields = vec![field("spec", "", &containers("app:2"))];
        change(&format!("Deployment.apps/dev/{name}"), Action::Create, Reason::New, fields)
    };
    let mut image = field("spec.containers", "", "");
    image.path.push(PathElement::Index(0));
    image.path.push(PathElement::Field("image".into()));
    image.before = crate::samples::shown(r#""app:1""#);
    image.after = crate::samples::shown(r#""app:2""#);
    let pod = change("Pod/dev/p", update(), Reason::Changed, vec![image]);
    let text = body(
        &plan(vec![pod, create("a"), create("b"), create("c"), create("d")]),
        &PreviewOptions::default(),
    );
    let (_, images) = text.split_once("**Images**").unwrap();
    let (images, _) = images.split_once("<details>").unwrap();
    insta::assert_snapshot!(images, @r"
    | From | To | Used by |
    |---|---|---|
    | – | `app:2` | `Deployment.apps/dev/a`, `Deployment.apps/dev/b`, `Deployment.apps/dev/c`, 1 more |
    | – | `side:1` | `Deployment.apps/dev/a`, `Deployment.apps/dev/b`, `Deployment.apps/dev/c`, 1 more |
    | `app:1` | `app:2` | `Pod/dev/p` |
    ");
}
