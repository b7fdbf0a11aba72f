use std::collections::BTreeMap;
use std::path::Path;

use engine_core::address::Address;
use engine_core::cluster::Connection;
use engine_core::field_path::FieldPath;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::PlannedOutput;
use engine_core::ports::Resolver;
use engine_core::value::Value;

use super::Origin;
use super::harness::{HEAD, Repository};
use crate::{StateChoice, VariableInput};

const CONFIG: &str = r#"
manifest "config" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "config", namespace = "team" }
    data       = { key = "value" }
  }
}
"#;

/// An environment that this repository ships.
fn shipped(name: &str) -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut repository = Repository::new(&[]);
    repository.options.repository = root.clone();
    repository.options.directory = root.join("environments").join(name);
    repository
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_quickstart_has_a_quota_argo_cd_and_an_app_within_40_lines() {
    let repository = shipped("quickstart");
    let text = std::fs::read_to_string(repository.options.directory.join("main.hcl")).unwrap();
    assert!(text.lines().count() <= 40);
    let definition = repository.definition();
    assert_eq!(
        definition.body("namespace.dev.manifest.quota[0]").at(&["spec", "hard", "pods"]),
        Some(&"10".into())
    );
    definition.body(r#"argocd.main.manifest.component["argocd-server"]"#);
    let app = definition.body(r#"app.hello.kustomization.objects[0]["ConfigMap/dev/rendered"]"#);
    assert_eq!(app.str_at(&["data", "path"]), Some("environments/quickstart/apps/hello/overlays/dev"));
    assert_eq!(definition.state, StateChoice::Local { branch: None });
}

#[test]
fn task_manager_declares_two_applications_on_labelled_namespaces() {
    let definition = shipped("task-manager").definition();
    for (env, path) in
        [("dev", "apps/task-manager/overlays/dev"), ("prod", "apps/task-manager/overlays/prod")]
    {
        let application = definition.body(&format!(r#"app.task-manager["{env}"].manifest.application[0]"#));
        assert_eq!(application.str_at(&["metadata", "name"]), Some(&*format!("task-manager-{env}")));
        assert_eq!(application.str_at(&["metadata", "namespace"]), Some("argocd"));
        assert_eq!(application.str_at(&["spec", "source", "path"]), Some(path));
        assert_eq!(application.str_at(&["spec", "source", "targetRevision"]), Some("main"));
        assert_eq!(application.str_at(&["spec", "destination", "namespace"]), Some(env));
        assert!(application.at(&["spec", "syncPolicy", "automated"]).is_some());
        let namespace = definition.body(&format!(r#"namespace.env["{env}"].manifest.namespace"#));
        for object in [application, namespace] {
            let labels = object.at(&["metadata", "labels"]).unwrap();
            assert_eq!(labels.to_string(), r#"{"cluster":"single-cluster","managed-by":"argocd"}"#);
        }
    }
    let edges = definition.declared_edges();
    assert!(edges.contains(&r#"app.task-manager["dev"] -> namespace.env["dev"]"#.to_owned()), "{edges:#?}");
    assert!(!edges.contains(&r#"app.task-manager["dev"] -> namespace.env["prod"]"#.to_owned()));
    assert_eq!(
        definition.outputs["applications"].value,
        PlannedOutput::Value(json(r#"["task-manager-dev","task-manager-prod"]"#))
    );
}

#[test]
fn task_manager_can_apply_its_overlays_itself() {
    let mut repository = shipped("task-manager");
    repository.options.variables =
        vec![VariableInput::Argument { name: "deliver".into(), text: "false".into() }];
    let definition = repository.definition();
    definition.body(r#"app.task-manager["prod"].kustomization.objects[0]["ConfigMap/prod/rendered"]"#);
    assert!(definition.addresses().iter().all(|address| !address.contains("manifest.application")));
}

#[test]
fn argo_cd_on_a_real_cluster_is_refused_with_the_reason() {
    let mut repository = shipped("task-manager");
    repository.options.variables =
        vec![VariableInput::Argument { name: "context".into(), text: "somewhere".into() }];
    let faults = repository.faults();
    assert!(faults.contains("TRN0133"), "{faults}");
    assert!(faults.contains("bundles of upstream releases are not supported yet"), "{faults}");
}

#[test]
fn an_app_is_delivered_from_the_repository_it_lies_in() {
    let mut repository = Repository::main(
        "namespace \"dev\" {}\nargocd \"main\" {\n  version = \"3.5.7\"\n}\napp \"web\" {\n  namespace = namespace.dev.name\n  \
         overlay = \"apps/web\"\n  deliver = argocd.main\n  images = { web = \"v2\" }\n}\n",
    );
    assert!(repository.faults().contains("this one has no remote"));
    repository.options.origin =
        Some(Origin { url: "https://example.com/repo.git".into(), revision: "release".into() });
    let definition = repository.definition();
    let spec = definition.body("app.web.manifest.application[0]").at(&["spec", "source"]).unwrap();
    assert_eq!(
        spec.to_string(),
        r#"{"kustomize":{"images":["web=web:v2"]},"path":"apps/web","repoURL":"https://example.com/repo.git","targetRevision":"release"}"#
    );
}

#[test]
fn instances_references_and_nested_blocks_mean_what_terraform_users_expect() {
    let definition = Repository::main(
        r#"
locals {
  team = "core"
}
variable "sizes" {
  type    = map(number)
  default = { a = 1, b = 2 }
}
manifest "each" {
  for_each = var.sizes
  object {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata {
      name      = "each-${each.key}"
      namespace = local.team
      labels "app" {
        nested = "x"
      }
    }
    data = { size = tostring(each.value), nothing = null }
  }
}
manifest "count" {
  count = 2
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "count-${count.index}", namespace = manifest.each["a"].namespace }
    data       = { all = join(",", [for key, one in manifest.each : one.name]), first = manifest.each.b.object.data.size }
  }
}
"#,
    )
    .definition();
    assert_eq!(
        definition.addresses(),
        [r#"manifest.each["a"]"#, r#"manifest.each["b"]"#, "manifest.count[0]", "manifest.count[1]"]
    );
    assert_eq!(
        definition.body(r#"manifest.each["b"]"#).to_string(),
        r#"{"apiVersion":"v1","data":{"size":"2"},"kind":"ConfigMap","metadata":{"labels":{"app":{"nested":"x"}},"name":"each-b","namespace":"core"}}"#
    );
    let data = definition.body("manifest.count[1]").at(&["data"]).unwrap();
    assert_eq!(data.to_string(), r#"{"all":"each-a,each-b","first":"2"}"#);
    let edges = definition.declared_edges();
    for edge in ["manifest.count[0] -> manifest.each", r#"manifest.count[0] -> manifest.each["a"]"#] {
        assert!(edges.contains(&edge.to_owned()), "{edges:#?}");
    }
}

#[test]
fn a_local_carries_the_dependencies_of_what_it_refers_to() {
    let definition = Repository::main(&format!(
        "{CONFIG}locals {{\n  name = manifest.config.name\n}}\n{}",
        CONFIG.replace("\"config\"", "\"other\"").replace("\"value\"", "local.name")
    ))
    .definition();
    assert_eq!(definition.declared_edges(), ["manifest.other -> manifest.config"]);
}

#[test]
fn depends_on_and_the_order_of_clusters_become_edges() {
    let text = r#"
terrane {
  environment = "test"
}
cluster "prod" {
  for_each   = toset(["eu", "us"])
  sandbox    = true
  depends_on = [cluster.stage]
}
cluster "stage" {
  sandbox = true
}
namespace "late" {
  for_each = cluster.prod
  cluster  = each.value
  name     = "late"
}
namespace "early" {
  cluster    = cluster.stage
}
namespace "last" {
  cluster    = cluster.stage
  depends_on = [namespace.early]
}
"#;
    let definition = Repository::new(&[("main.hcl", text)]).definition();
    let names: Vec<_> = definition.clusters.keys().map(ClusterRef::as_str).collect();
    assert_eq!(names, [r#"prod["eu"]"#, r#"prod["us"]"#, "stage"]);
    let order = definition.addresses();
    let at = |address: &str| order.iter().position(|one| one == address).unwrap();
    for late in ["eu", "us"] {
        let late = at(&format!(r#"namespace.late["{late}"].manifest.namespace"#));
        assert!(at("namespace.last.manifest.namespace") < late, "{order:?}");
    }
    assert!(at("namespace.early.manifest.namespace") < at("namespace.last.manifest.namespace"));
}

#[test]
fn modules_pass_on_protection_waiting_and_their_cluster() {
    let definition = Repository::main(
        r#"
namespace "env" {
  for_each = toset(["dev"])
  wait     = false
  lifecycle {
    prevent_destroy = true
  }
  timeouts {
    apply  = "90s"
    update = "2m"
  }
}
"#,
    )
    .definition();
    let resource = definition.graph.at(&address(r#"namespace.env["dev"].manifest.namespace"#)).unwrap();
    assert!(resource.lifecycle.prevent_destroy);
    assert_eq!(resource.wait, engine_core::resource::Wait::Never);
    let timeouts = [resource.timeouts.create, resource.timeouts.update, resource.timeouts.delete];
    assert_eq!(timeouts.map(|timeout| timeout.as_secs()), [90, 120, 600]);
    assert_eq!(resource.object_ref().cluster.as_str(), "main");
    assert_eq!(resource.object_ref().name, "dev");
}

#[test]
fn a_repository_has_modules_of_its_own_and_may_replace_embedded_ones() {
    let module = r#"
variable "team" {
  type = string
}
namespace "inner" {
  name   = "${var.team}-${self.name}"
  labels = { platform = cluster.platform, env = terrane.environment }
}
output "name" {
  value = namespace.inner.name
}
"#;
    let repository = Repository::main("team_space \"a\" {\n  team = \"core\"\n}\n");
    repository.write("modules/team_space/main.hcl", module);
    let definition = repository.definition();
    let namespace = definition.body("team_space.a.namespace.inner.manifest.namespace");
    assert_eq!(namespace.str_at(&["metadata", "name"]), Some("core-a"));
    assert_eq!(
        namespace.at(&["metadata", "labels"]).unwrap().to_string(),
        r#"{"env":"test","platform":"sandbox"}"#
    );

    let repository = Repository::main("namespace \"a\" {}\n");
    repository.write("modules/namespace/main.hcl", CONFIG);
    assert!(repository.faults().starts_with("TRN0160 main.hcl:8:1: module namespace is in the repository"));
    let head = HEAD.replace("\"test\"", "\"test\"\n  override = [\"namespace\"]");
    repository.write("main.hcl", &format!("{head}namespace \"a\" {{}}\n"));
    assert_eq!(repository.definition().addresses(), ["namespace.a.manifest.config"]);
}

#[test]
fn manifests_are_read_from_files_with_the_namespace_on_top() {
    let repository =
        Repository::main("manifests \"rbac\" {\n  files = [\"rbac/*.yaml\"]\n  namespace = \"team\"\n}\n");
    repository.write(
        "rbac/a.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\n---\n---\napiVersion: v1\nkind: List\n\
         items:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: team}\n",
    );
    repository.write(
        "rbac/b.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: own}\ndata: {m: '0755'}\n",
    );
    let definition = repository.definition();
    assert_eq!(
        definition.addresses(),
        [
            r#"manifests.rbac["ConfigMap/own/c"]"#,
            r#"manifests.rbac["Namespace/team"]"#,
            r#"manifests.rbac["Role.rbac.authorization.k8s.io/team/reader"]"#,
        ]
    );
    assert!(definition.files.contains_key("rbac/b.yaml"));
}

#[test]
fn objects_of_the_whole_cluster_have_no_namespace_whatever_files_say() {
    let crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: sites.example.com}, \
               spec: {group: example.com, scope: Cluster, names: {kind: Site}}}";
    let of_the_cluster =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: b}\n";
    let site = "apiVersion: example.com/v1\nkind: Site\nmetadata: {name: s}\n";
    let page = "apiVersion: example.com/v1\nkind: Page\nmetadata: {name: p}\n";
    let text = format!("{of_the_cluster}---\n{site}---\n{page}---\n{crd}\n");
    let repository =
        Repository::main("manifests \"all\" {\n  files = [\"*.yaml\"]\n  namespace = \"team\"\n}\n");
    repository.write("all.yaml", &text);
    assert_eq!(
        repository.definition().addresses(),
        [
            r#"manifests.all["ClusterRole.rbac.authorization.k8s.io/a"]"#,
            r#"manifests.all["CustomResourceDefinition.apiextensions.k8s.io/sites.example.com"]"#,
            r#"manifests.all["Page.example.com/team/p"]"#,
            r#"manifests.all["Site.example.com/s"]"#,
        ]
    );
}

#[test]
fn lists_of_manifests_are_their_items() {
    let repository =
        Repository::main("manifests \"rbac\" {\n  files = [\"*.yaml\"]\n  namespace = \"n\"\n}\n");
    repository.write(
        "roles.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- metadata: {name: a}\n\
         - {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: b}}\n",
    );
    repository.write(
        "own.yaml",
        "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: c}\nitems: [{metadata: {name: d}}]\n",
    );
    let addresses = repository.definition().addresses();
    assert_eq!(
        addresses,
        [
            r#"manifests.rbac["AllowList.example.com/n/c"]"#,
            r#"manifests.rbac["Role.rbac.authorization.k8s.io/n/a"]"#,
            r#"manifests.rbac["Role.rbac.authorization.k8s.io/n/b"]"#,
        ]
    );
    // More than a definition's file may have.
    let filler = format!("# {}\n", "x".repeat(100)).repeat(45_000);
    repository
        .write("large.yaml", &format!("{filler}apiVersion: v1\nkind: Namespace\nmetadata: {{name: e}}\n"));
    assert_eq!(repository.definition().addresses().len(), 4);
}

#[test]
fn variables_take_their_values_in_the_order_of_precedence() {
    let mut repository = Repository::main(
        "variable \"tag\" {\n  type = string\n  default = \"default\"\n}\nvariable \"ports\" {\n  type = list(number)\n  default = []\n}\n\
         output \"tag\" {\n  value = \"${var.tag} ${length(var.ports)}\"\n}\n",
    );
    repository.write("terrane.vars.hcl", "tag = \"file\"\nunknown = 1\n");
    repository.write("b.auto.vars.hcl", "tag = \"auto\"\n");
    let environment = |text: &str| VariableInput::Environment { name: "tag".into(), text: text.into() };
    let argument = |name: &str, text: &str| VariableInput::Argument { name: name.into(), text: text.into() };
    let output = |repository: &Repository| match &repository.definition().outputs["tag"].value {
        PlannedOutput::Value(value) => value.as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(output(&repository), "default 0");
    repository.options.variables.push(environment("environment"));
    assert_eq!(output(&repository), "environment 0");
    let files = crate::variable_files(repository.path());
    repository.options.variables.extend(files.into_iter().map(VariableInput::File));
    assert_eq!(output(&repository), "auto 0");
    let warnings = repository.definition().warnings;
    assert_eq!(warnings.iter().next().unwrap().summary, "there is no variable \"unknown\"");
    repository.options.variables.push(argument("tag", "argument"));
    repository.options.variables.push(argument("ports", "[80, 443]"));
    assert_eq!(output(&repository), "argument 2");
    repository.options.variables.push(argument("tagg", "x"));
    assert!(repository.faults().contains(
        "TRN0132 <argument --var tagg>:1:1: there is no variable \"tagg\" (did you mean \"tag\"?)"
    ));
}

const READ: &str = r#"
read "ConfigMap" "ca" {
  name      = "ca"
  namespace = NAMESPACE
}
manifest "copy" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "copy", namespace = "team" }
    data       = { ca = read.ConfigMap.ca.data.cert }
  }
}
output "ca" {
  value = read.ConfigMap.ca.data.cert
}
"#;

#[test]
fn a_read_of_nothing_planned_is_asked_for_and_then_used() {
    let repository = Repository::main(&READ.replace("NAMESPACE", "\"kube-public\""));
    let definition = repository.definition();
    let asked: Vec<_> = definition.reads.iter().map(|read| read.address.to_string()).collect();
    assert_eq!(asked, ["read.ConfigMap.ca"]);
    assert_eq!(definition.reads[0].object_ref().key(), "ConfigMap/kube-public/ca");

    let answer = BTreeMap::from([(address("read.ConfigMap.ca"), json(r#"{"data":{"cert":"PEM"}}"#))]);
    let definition = repository.load_with(&answer).unwrap();
    assert!(definition.reads.is_empty());
    assert_eq!(definition.body("manifest.copy").str_at(&["data", "ca"]), Some("PEM"));

    let absent = BTreeMap::from([(address("read.ConfigMap.ca"), Value::Null)]);
    let faults = repository.load_with(&absent).err().unwrap();
    assert!(
        repository
            .print(&faults)
            .contains("TRN0404 main.hcl:9:1: ConfigMap/kube-public/ca does not exist on cluster main")
    );
}

#[test]
fn a_read_behind_something_planned_leaves_a_hole_that_is_filled_at_apply() {
    let text = format!("namespace \"late\" {{}}\n{}", READ.replace("NAMESPACE", "namespace.late.name"));
    let repository = Repository::main(&text);
    let definition = repository.definition();
    assert!(definition.reads.is_empty());
    assert_eq!(
        definition.addresses(),
        ["namespace.late.manifest.namespace", "read.ConfigMap.ca", "manifest.copy"]
    );
    let copy = definition.graph.at(&address("manifest.copy")).unwrap().manifest().unwrap();
    assert_eq!(copy.holes()[0].path.to_string(), "data.ca");
    assert_eq!(definition.outputs["ca"].value, PlannedOutput::Unknown);

    let filler = &definition.filler;
    let reads = BTreeMap::from([(address("read.ConfigMap.ca"), json(r#"{"data":{"cert":"PEM"}}"#))]);
    let filled = filler.fill(&address("manifest.copy"), copy, &reads).unwrap();
    assert_eq!(filled.body().str_at(&["data", "ca"]), Some("PEM"));
    assert!(filled.holes().is_empty());
    assert_eq!(filler.outputs(&reads).unwrap()["ca"], PlannedOutput::Value("PEM".into()));

    let broken = BTreeMap::from([(address("read.ConfigMap.ca"), json(r#"{"data":{}}"#))]);
    assert!(filler.fill(&address("manifest.copy"), copy, &broken).is_err());
    assert!(filler.fill(&address("manifest.copy"), copy, &BTreeMap::new()).is_err());
}

#[test]
fn sensitive_values_stay_marked_and_are_refused_where_they_would_show() {
    let variable = "variable \"token\" {\n  type = string\n  sensitive = true\n  default = \"s3cr3t\"\n}\n";
    let definition =
        Repository::main(&format!("{variable}{}", CONFIG.replace("\"value\"", "\"x-${var.token}\"")))
            .definition();
    let manifest = definition.graph.at(&address("manifest.config")).unwrap().manifest().unwrap();
    let path = FieldPath::fields(["data", "key"]);
    assert!(manifest.sensitive().covers(&path));

    for (text, code) in [
        (CONFIG.replace("\"config\", n", "var.token, n"), "TRN0152"),
        (CONFIG.replace("  object", "  for_each = toset([var.token])\n  object"), "TRN0152"),
        ("output \"x\" {\n  value = var.token\n}\n".to_owned(), "TRN0152"),
    ] {
        let faults = Repository::main(&format!("{variable}{text}")).faults();
        assert!(faults.starts_with(code), "{text}: {faults}");
        assert!(!faults.contains("s3cr3t"), "{faults}");
    }
}

#[test]
fn environments_may_share_a_branch() {
    let with = |state: &str| {
        let main = format!(
            "variable \"where\" {{\n  default = \"states\"\n}}\nterrane {{\n  environment = \"test\"\n  {state}\n}}\n\
             cluster \"main\" {{\n  sandbox = true\n}}\n"
        );
        Repository::new(&[("main.hcl", &main)]).definition().state
    };
    let branch = Some("states".into());
    for (state, want) in [
        ("state \"local\" { branch = var.where }", StateChoice::Local { branch: branch.clone() }),
        ("state \"git\" { branch = \"states\" }", StateChoice::Git { remote: "origin".into(), branch }),
    ] {
        assert_eq!(with(state), want);
    }
}

#[test]
fn clusters_are_connected_as_declared_or_as_the_run_says() {
    let mut repository = Repository::new(&[(
        "main.hcl",
        "terrane {\n  environment = \"test\"\n  state \"git\" {\n    remote = \"upstream\"\n  }\n}\ncluster \"main\" {\n  context = \"a\"\n  \
         kubeconfig = \"k\"\n  platform = \"k3s\"\n}\n",
    )]);
    let main = |repository: &Repository| {
        let definition = repository.definition();
        assert_eq!(definition.state, StateChoice::Git { remote: "upstream".into(), branch: None });
        definition.clusters[&ClusterRef::new("main")].clone()
    };
    let context =
        |context: &str| Connection::Context { context: context.into(), kubeconfig: Some("k".into()) };
    assert_eq!(main(&repository).connection, context("a"));
    assert_eq!(main(&repository).platform, "k3s");
    repository.options.contexts.insert("MAIN".into(), "b".into());
    assert_eq!(main(&repository).connection, context("b"));
}

#[test]
fn a_run_may_send_a_sandbox_to_a_context_instead() {
    for connection in ["sandbox = true", "sandbox = true\n  context = null"] {
        let mut repository = Repository::new(&[(
            "main.hcl",
            &format!(
                "terrane {{\n  environment = \"test\"\n  state \"local\" {{}}\n}}\ncluster \"main\" {{\n  {connection}\n}}\n"
            ),
        )]);
        let main = |repository: &Repository| {
            repository.definition().clusters[&ClusterRef::new("main")].connection.clone()
        };
        assert_eq!(main(&repository), Connection::Sandbox);
        repository.options.contexts.insert("MAIN".into(), "b".into());
        assert_eq!(main(&repository), Connection::Context { context: "b".into(), kubeconfig: None });
    }
}

#[test]
fn the_order_of_files_and_blocks_does_not_matter() {
    let (a, b) = (CONFIG.to_owned(), CONFIG.replace("\"config\"", "\"other\""));
    let one = Repository::new(&[("a.hcl", HEAD), ("b.hcl", &a), ("c.hcl", &b)]).definition();
    let two = Repository::new(&[("z.hcl", HEAD), ("b.hcl", &format!("{b}{a}"))]).definition();
    assert_eq!(one.addresses(), two.addresses());
}

#[test]
fn templates_of_a_module_render_with_their_marks() {
    let repository = Repository::main(
        "variable \"token\" {\n  default = \"hush\"\n  sensitive = true\n}\nsite \"a\" {\n  title = \"Home\"\n  token = var.token\n}\n",
    );
    repository.write(
        "modules/site/main.hcl",
        "variable \"title\" {}\nvariable \"token\" {}\nmanifest \"m\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = { name = \"site\", namespace = \"team\" }\n    data = {\n      page = k8s::tera(\"templates/page.tera\", { title = var.title })\n      token = k8s::tera(\"templates/token.tera\", { token = var.token })\n    }\n  }\n}\n",
    );
    repository.write("modules/site/templates/page.tera", "{% include \"templates/head.tera\" %}body");
    repository.write("modules/site/templates/head.tera", "<{{ title }}>");
    repository.write("modules/site/templates/token.tera", "{{ token }}");
    let definition = repository.definition();
    let body = definition.body("site.a.manifest.m");
    assert_eq!(body.str_at(&["data", "page"]), Some("<Home>body"));
    let resource = definition.graph.at(&"site.a.manifest.m".parse().unwrap()).unwrap();
    let sensitive = resource.manifest().unwrap().sensitive();
    let path = |name: &str| FieldPath::fields(["data", name]);
    assert!(sensitive.covers(&path("token")) && !sensitive.covers(&path("page")));
    assert!(definition.files.contains_key("modules/site/templates/head.tera"), "{:?}", definition.files);

    repository.write("modules/site/templates/head.tera", "{% include \"../../main.hcl\" %}");
    let faults = repository.faults();
    assert!(faults.starts_with("TRN0260 "), "{faults}");
    std::os::unix::fs::symlink("/etc/hostname", repository.path().join("modules/site/templates/out.tera"))
        .unwrap();
    assert!(repository.faults().contains("TRN0103 modules/site/templates/out.tera:1:1: "));
}

#[test]
fn templates_of_an_embedded_module_render() {
    let repository = Repository::main("monitoring \"main\" {\n  scrape_interval = \"7s\"\n}\n");
    let definition = repository.definition();
    let settings = definition.body("monitoring.main.manifest.settings[\"prometheus\"]");
    let text = settings.str_at(&["data", "prometheus.yml"]).unwrap();
    assert!(text.starts_with("global:\n  scrape_interval: \"7s\"\n"), "{text}");
    let path = "<embedded>/monitoring/templates/prometheus.yml.tera";
    assert!(definition.files.contains_key(path), "{:?}", definition.files);
}
