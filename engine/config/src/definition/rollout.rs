//! `rollout`: clusters in waves.

use super::harness::Repository;
use crate::VariableInput;

/// Clusters `canary`, `prod["eu"]`, `prod["us"]` and `last`, with one namespace each but for `prod`, and the
/// rollout from line 32 on.
fn repository(rollout: &str) -> Repository {
    let text = r#"terrane {
  environment = "test"
}
cluster "canary" {
  sandbox = true
}
cluster "last" {
  sandbox = true
}
cluster "prod" {
  for_each = toset(["eu", "us"])
  sandbox  = true
}
cluster "none" {
  for_each = toset([])
  sandbox  = true
}
namespace "a" {
  cluster = cluster.last
}
namespace "z" {
  cluster = cluster.canary
}
variable "in_prod" {
  type    = bool
  default = true
}
namespace "m" {
  for_each = var.in_prod ? cluster.prod : {}
  cluster  = each.value
}
"#;
    Repository::new(&[("main.hcl", &format!("{text}{rollout}"))])
}

const WAVES: &str = r#"rollout "all" {
  wave "first" {
    clusters = [cluster.canary]
  }
  wave "nobody" {
    clusters = [cluster.none]
  }
  wave "second" {
    clusters = [cluster.prod]
  }
  wave "third" {
    clusters = [cluster.last]
  }
}
"#;

#[test]
fn a_wave_waits_for_all_of_the_one_before() {
    let order = repository(WAVES).definition().addresses();
    let expected = [
        "namespace.z.manifest.namespace",
        "namespace.m[\"eu\"].manifest.namespace",
        "namespace.m[\"us\"].manifest.namespace",
        "namespace.a.manifest.namespace",
    ];
    assert_eq!(order, expected);
    let edges = repository(WAVES).definition().declared_edges();
    let expected = [
        "cluster.last -> cluster.prod[\"eu\"]",
        "cluster.last -> cluster.prod[\"us\"]",
        "cluster.prod[\"eu\"] -> cluster.canary",
        "cluster.prod[\"us\"] -> cluster.canary",
    ];
    let between_clusters: Vec<&String> = edges.iter().filter(|edge| edge.starts_with("cluster.")).collect();
    assert_eq!(between_clusters, expected);
}

#[test]
fn a_wave_waits_although_nothing_lies_on_the_one_before() {
    let mut repository = repository(WAVES);
    let nothing = VariableInput::Argument { name: "in_prod".into(), text: "false".into() };
    repository.options.variables.push(nothing);
    assert_eq!(
        repository.definition().addresses(),
        ["namespace.z.manifest.namespace", "namespace.a.manifest.namespace"]
    );
}

#[test]
fn gates_may_depend_on_variables() {
    let rollout = WAVES
        .replace(
            "[cluster.canary]\n",
            "[cluster.canary]\n    soak = \"${var.minutes}m\"\n    checks = [check.well]\n",
        )
        .replace("[cluster.last]\n", "[cluster.last]\n    approval = var.in_prod\n");
    let rest = "variable \"minutes\" {\n  default = 10\n}\ncheck \"well\" {\n  assert {\n    condition = true\n    \
                error_message = \"no\"\n  }\n}\n";
    let definition = repository(&(rollout + rest)).definition();
    let waves = definition.rollouts().iter().flat_map(|rollout| &rollout.waves);
    let told: Vec<_> = waves.map(|it| (it.name.as_str(), it.soak, it.checks.len(), it.approval)).collect();
    let soak = Some(std::time::Duration::from_secs(600));
    assert_eq!(told, [("first", soak, 1, false), ("second", None, 0, false), ("third", None, 0, true)]);
}

/// A module that uses another one, each with a check.
const MODULES: [(&str, &str); 2] = [
    (
        "modules/web/main.hcl",
        "part \"inner\" {\n}\ncheck \"ready\" {\n  assert {\n    condition = true\n    error_message = \"no\"\n  }\n}\n",
    ),
    (
        "modules/part/main.hcl",
        "check \"done\" {\n  assert {\n    condition = false\n    error_message = \"not yet\"\n  }\n}\n",
    ),
];

const USES: &str = "web \"one\" {\n  cluster = cluster.canary\n}\nweb \"each\" {\n  for_each = toset([\"x\", \"y\"])\n  \
                    cluster  = cluster.canary\n}\n";

fn with_checks(checks: &str) -> Repository {
    let checks = format!("[cluster.canary]\n    checks = [{checks}]\n");
    let repository = repository(&(WAVES.replace("[cluster.canary]\n", &checks) + USES));
    MODULES.iter().for_each(|(path, text)| repository.write(path, text));
    repository
}

#[test]
fn checks_of_modules_are_named_by_their_addresses() {
    for (written, named) in [
        ("web.one.check.ready", &["web.one.check.ready"][..]),
        ("web.one.part.inner.check.done", &["web.one.part.inner.check.done"]),
        (
            "web.each.check.ready, web.each[\"x\"].part.inner.check.done",
            &["web.each.check.ready", "web.each[\"x\"].part.inner.check.done"],
        ),
    ] {
        let definition = with_checks(written).definition();
        let checks: Vec<String> =
            definition.rollouts()[0].waves[0].checks.iter().map(ToString::to_string).collect();
        assert_eq!(checks, named, "{written}");
    }
}

#[test]
fn a_check_that_nobody_would_judge_is_a_fault() {
    for (written, want) in [
        (
            "web.one.check.redy",
            "TRN0120 main.hcl:35:15: there is no web.one.check.redy (did you mean \"ready\"?)",
        ),
        ("web.two.check.ready", "TRN0120 main.hcl:35:15: there is no web.two.check.ready"),
        ("web.one.namespace.ready", "TRN0120 main.hcl:35:15: there is no web.one.namespace.ready"),
        ("namespace.a.check.ready", "TRN0120 main.hcl:35:15: there is no namespace.a.check.ready"),
        ("web.one.check.ready[0]", "TRN0120 main.hcl:35:15: there is no web.one.check.ready[0]"),
        ("web.each[\"z\"].check.ready", "TRN0122 main.hcl:35:15: there is no web.each[\"z\"].check.ready"),
        ("web.one[\"z\"].check.ready", "TRN0122 main.hcl:35:15: there is no web.one[\"z\"].check.ready"),
        ("var.in_prod", "TRN0117 main.hcl:35:15: checks takes references to checks"),
        ("\"web.one\"", "TRN0117 main.hcl:35:15: checks takes references to checks"),
    ] {
        let faults = with_checks(written).faults();
        assert!(faults.contains(want), "{written}\n{faults}");
    }
}

#[test]
fn faults_of_rollouts_are_found_where_they_are() {
    let wave = |body: &str| format!("rollout \"r\" {{\n  wave \"w\" {{\n{body}  }}\n}}\n");
    let cases = [
        ("rollout \"r\" {\n}\n".to_owned(), "TRN0112 main.hcl:32:1: rollout \"r\" has no wave"),
        (wave(""), "TRN0112 main.hcl:33:3: wave \"w\" needs the argument clusters"),
        (
            wave("    clusters = cluster.canary\n"),
            "TRN0117 main.hcl:34:16: clusters of wave \"w\" must be a list of clusters",
        ),
        (
            wave("    clusters = [\"canary\"]\n"),
            "TRN0117 main.hcl:34:17: clusters takes references to clusters",
        ),
        (
            wave("    clusters = [cluster.canry]\n"),
            "TRN0120 main.hcl:34:17: there is no cluster.canry (did you mean \"canary\"?)",
        ),
        (wave("    clusters = [namespace.a]\n"), "TRN0120 main.hcl:34:17: there is no cluster.a"),
        (
            wave("    clusters = [cluster.prod[\"ue\"]]\n"),
            "TRN0122 main.hcl:34:17: cluster.prod has no instance \"ue\" (there are eu, us)",
        ),
        (
            wave("    clusters = [cluster.canary[\"x\"]]\n"),
            "TRN0122 main.hcl:34:17: cluster.canary has no instance \"x\"",
        ),
        (
            wave("    clusters = [cluster.prod, cluster.prod[\"eu\"]]\n"),
            "TRN0114 main.hcl:34:31: cluster prod[\"eu\"] is in two waves",
        ),
        (
            wave("    clusters = [cluster.canary]\n    soak     = \"soon\"\n"),
            "TRN0117 main.hcl:35:16: \"soon\" is not a duration",
        ),
        (
            wave("    clusters = [cluster.canary]\n    checks   = [check.well]\n"),
            "TRN0120 main.hcl:35:17: there is no check.well",
        ),
        (
            wave("    clusters = [cluster.canary]\n    approval = namespace.a.name\n"),
            "TRN0121 main.hcl:35:16: ",
        ),
        (
            wave("    clusters = [cluster.canary]\n    approval = \"maybe\"\n"),
            "TRN0117 main.hcl:35:16: invalid value for approval",
        ),
        (WAVES.replace("second", "first"), "TRN0114 main.hcl:39:8: wave \"first\" is declared twice"),
        (WAVES.to_owned() + WAVES, "TRN0114 main.hcl:46:1: rollout \"all\" is declared twice"),
    ];
    for (text, want) in cases {
        let faults = repository(&text).faults();
        assert!(faults.contains(want), "{text}\n{faults}");
    }
}

#[test]
fn waves_against_the_order_of_clusters_are_a_cycle() {
    let back = WAVES
        .replace("all", "back")
        .replace("canary", "other")
        .replace("last", "canary")
        .replace("other", "last");
    let faults = repository(&format!("{WAVES}{back}")).faults();
    assert!(faults.contains("TRN0502"), "{faults}");
    assert!(faults.contains("dependency cycle: cluster."), "{faults}");
}
