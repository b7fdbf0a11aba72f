use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::SourceFile;
use crate::object_ref::ClusterRef;
use crate::plan::fixtures::{Declared, graph, parse};
use crate::sensitive::SensitivePaths;

/// The place of `text` in a file that holds nothing else.
fn place(path: &str, text: &str) -> SourceSpan {
    let file = Arc::new(SourceFile { path: path.into(), text: text.into() });
    SourceSpan::new(file, 0..text.len())
}

fn addresses(graph: &ResourceGraph) -> Vec<String> {
    graph.in_order().map(|resource| resource.address.to_string()).collect()
}

/// The inferred edges as `dependent <- dependency: reason`.
fn inferred(graph: &ResourceGraph) -> Vec<String> {
    let name = |index| match graph.node(index) {
        Node::Resource(idx) => graph.resources()[*idx].object_ref().to_string(),
        Node::Start(address) | Node::Done(address) => address.to_string(),
    };
    let edges = graph.edges().filter_map(|(dependency, dependent, reason)| match reason {
        EdgeReason::Inferred(why) => Some(format!("{} <- {}: {why}", name(dependent), name(dependency))),
        _ => None,
    });
    let mut edges: Vec<String> = edges.collect();
    edges.sort();
    edges
}

fn on_cluster(cluster: &str, mut declared: Declared) -> Declared {
    let body = declared.manifest().body().clone();
    let manifest =
        crate::manifest::Manifest::new(ClusterRef::new(cluster), body, SensitivePaths::default(), Vec::new());
    declared.resource.body = Body::Object(Box::new(manifest.unwrap()));
    declared
}

fn build(resources: Vec<Resource>) -> Result<ResourceGraph, Diagnostics> {
    let mut builder = GraphBuilder::default();
    for resource in resources {
        let block = builder.block(&resource.address, None);
        builder.resource(block, resource);
    }
    builder.build()
}

#[test]
fn an_object_is_declared_once_on_each_cluster() {
    let mut first = Declared::new("v1 ConfigMap dev/a", "{}").at("manifest.first").resource;
    let mut second = Declared::new("v1 ConfigMap dev/a", "{}").at("manifest.second").resource;
    (first.span, second.span) = (Some(place("a.hcl", "first")), Some(place("b.hcl", "second")));
    let faults = build(vec![first.clone(), second]).err().unwrap();
    let [fault] = faults.iter().collect::<Vec<_>>()[..] else { panic!("{faults:?}") };
    assert_eq!(fault.code, DUPLICATE_OBJECT);
    assert_eq!(fault.summary, "object ConfigMap/dev/a is declared twice on cluster main");
    assert_eq!(fault.detail, "Declared by manifest.first and by manifest.second.");
    assert_eq!(fault.span.as_ref().unwrap().to_string(), "b.hcl:1:1");
    assert_eq!(fault.labels[0].span.to_string(), "a.hcl:1:1");

    let elsewhere = on_cluster("other", Declared::new("v1 ConfigMap dev/a", "{}").at("manifest.second"));
    assert!(build(vec![first.clone(), elsewhere.resource]).is_ok(), "another cluster has its own");
    let read = Declared::read("ConfigMap/dev/a").resource;
    assert!(build(vec![first, read]).is_ok(), "reading is not declaring");
}

#[test]
fn an_address_is_declared_once() {
    let of = |name: &str| Declared::new(&format!("v1 ConfigMap dev/{name}"), "{}").at("manifest.x").resource;
    let faults = build(vec![of("a"), of("b"), of("c")]).err().unwrap();
    assert_eq!(faults.len(), 2, "each repetition is told");
    assert!(faults.iter().all(|fault| fault.code == DUPLICATE_ADDRESS));
    assert_eq!(faults.iter().next().unwrap().summary, "address manifest.x is declared twice");
}

#[test]
fn a_cycle_is_told_with_every_edge_and_its_place() {
    let mut builder = GraphBuilder::default();
    let names = ["app.a", "app.b", "app.c", "app.beside"];
    let [a, b, c, beside] = names.map(|name| builder.block(&parse(name), None));
    builder.depend(a, b, EdgeReason::Reference(place("a.hcl", "app.b.url")));
    builder.depend(b, c, EdgeReason::DependsOn(place("b.hcl", "[app.c]")));
    builder.depend(c, a, EdgeReason::Reference(place("c.hcl", "app.a.url")));
    builder.depend(a, beside, EdgeReason::Reference(place("d.hcl", "app.beside")));
    let faults = builder.build().err().unwrap();
    let [fault] = faults.iter().collect::<Vec<_>>()[..] else { panic!("{faults:?}") };
    assert_eq!(fault.code, CYCLE);
    let mut lines: Vec<&str> = fault.detail.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "  app.a needs app.b (a.hcl:1:1)",
            "  app.b needs app.c (b.hcl:1:1)",
            "  app.c needs app.a (c.hcl:1:1)"
        ]
    );
    let mut places: Vec<String> = fault.labels.iter().map(|label| label.span.to_string()).collect();
    places.push(fault.span.as_ref().unwrap().to_string());
    places.sort();
    assert_eq!(places, ["a.hcl:1:1", "b.hcl:1:1", "c.hcl:1:1"]);
    assert!(!fault.summary.contains("beside"), "{}", fault.summary);
}

#[test]
fn a_block_that_needs_itself_or_its_own_module_is_a_cycle() {
    let span = || EdgeReason::Reference(place("a.hcl", "x"));
    let mut builder = GraphBuilder::default();
    let block = builder.block(&parse("app.a"), None);
    builder.depend(block, block, span());
    assert_eq!(builder.build().err().unwrap().iter().next().unwrap().summary, "dependency cycle: app.a");

    let mut builder = GraphBuilder::default();
    let outer = builder.block(&parse("app.a"), None);
    let inner = builder.block(&parse("app.a.manifest.b"), Some(outer));
    builder.depend(inner, outer, span());
    assert!(builder.build().err().unwrap().iter().next().unwrap().summary.contains("app.a.manifest.b"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat table")]
fn edges_follow_from_what_objects_say() {
    let pod = |spec: &str| format!(r#"{{"spec":{{"containers":[],{spec}}}}}"#);
    let template = |spec: &str| format!(r#"{{"spec":{{"template":{}}}}}"#, pod(spec));
    let env = |from: &str| template(&format!(r#""initContainers":[{{"name":"c",{from}}}]"#));
    let volume = |source: &str| template(&format!(r#""volumes":[{{"name":"v",{source}}}]"#));
    let (config, secret) = ("v1 ConfigMap dev/x", "v1 Secret dev/x");
    let (configured, mounted) = ("its pods take their environment from it", "its pods mount it");
    let binding = |kind: &str| format!(r#"{{"roleRef":{{"kind":"{kind}","name":"x"}}}}"#);
    let account = r#"{"subjects":[{"kind":"ServiceAccount","name":"x","namespace":"other"}]}"#.to_owned();
    let webhook = r#"{"webhooks":[{"clientConfig":{"service":{"namespace":"dev","name":"x"}}}]}"#.to_owned();
    let crd_spec = r#"{"spec":{"group":"example.com","names":{"kind":"Widget"}}}"#;
    let projected = r#""projected":{"sources":[{"secret":{"name":"x"}},{"configMap":{"name":"x"}}]}"#;
    for (dependency, dependent, rest, why) in [
        ("v1 Namespace dev", "v1 ConfigMap dev/y", "{}".to_owned(), "it lies in this Namespace"),
        (
            "apiextensions.k8s.io/v1 CustomResourceDefinition widgets.example.com",
            "example.com/v1 Widget dev/y",
            "{}".to_owned(),
            "its kind is defined by this CustomResourceDefinition",
        ),
        (
            "v1 ServiceAccount dev/x",
            "apps/v1 Deployment dev/y",
            template(r#""serviceAccountName":"x""#),
            "its pods run as this ServiceAccount",
        ),
        (
            "scheduling.k8s.io/v1 PriorityClass x",
            "v1 Pod dev/y",
            pod(r#""priorityClassName":"x""#),
            "its pods have this priority",
        ),
        (
            secret,
            "batch/v1 Job dev/y",
            template(r#""imagePullSecrets":[{"name":"x"}]"#),
            "its pods pull images with this Secret",
        ),
        (config, "apps/v1 StatefulSet dev/y", volume(r#""configMap":{"name":"x"}"#), mounted),
        (secret, "apps/v1 DaemonSet dev/y", volume(r#""secret":{"secretName":"x"}"#), mounted),
        (secret, "apps/v1 Deployment dev/y", volume(projected), mounted),
        (config, "apps/v1 Deployment dev/y", volume(projected), mounted),
        (
            "v1 PersistentVolumeClaim dev/x",
            "apps/v1 Deployment dev/y",
            volume(r#""persistentVolumeClaim":{"claimName":"x"}"#),
            mounted,
        ),
        (config, "apps/v1 Deployment dev/y", env(r#""envFrom":[{"configMapRef":{"name":"x"}}]"#), configured),
        (secret, "apps/v1 Deployment dev/y", env(r#""envFrom":[{"secretRef":{"name":"x"}}]"#), configured),
        (
            config,
            "apps/v1 Deployment dev/y",
            env(r#""env":[{"name":"E","valueFrom":{"configMapKeyRef":{"name":"x","key":"k"}}}]"#),
            configured,
        ),
        (
            secret,
            "batch/v1 CronJob dev/y",
            format!(
                r#"{{"spec":{{"jobTemplate":{}}}}}"#,
                env(r#""env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"x","key":"k"}}}]"#)
            ),
            configured,
        ),
        (
            "storage.k8s.io/v1 StorageClass x",
            "v1 PersistentVolumeClaim dev/y",
            r#"{"spec":{"storageClassName":"x"}}"#.to_owned(),
            "it asks for this StorageClass",
        ),
        (
            "storage.k8s.io/v1 StorageClass x",
            "apps/v1 StatefulSet dev/y",
            r#"{"spec":{"volumeClaimTemplates":[{"spec":{"storageClassName":"x"}}]}}"#.to_owned(),
            "it asks for this StorageClass",
        ),
        (
            "rbac.authorization.k8s.io/v1 Role dev/x",
            "rbac.authorization.k8s.io/v1 RoleBinding dev/y",
            binding("Role"),
            "it binds this role",
        ),
        (
            "rbac.authorization.k8s.io/v1 ClusterRole x",
            "rbac.authorization.k8s.io/v1 RoleBinding dev/y",
            binding("ClusterRole"),
            "it binds this role",
        ),
        (
            "v1 ServiceAccount other/x",
            "rbac.authorization.k8s.io/v1 ClusterRoleBinding y",
            account,
            "it binds this account",
        ),
        (
            "v1 Service dev/x",
            "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration y",
            webhook,
            "the webhook calls this Service",
        ),
    ] {
        let spec = if dependency.contains("CustomResource") { crd_spec } else { "{}" };
        let before = Declared::new(dependency, spec).at("manifest.z-dependency");
        let after = Declared::new(dependent, &rest).at("manifest.a-dependent");
        let other = on_cluster("other", before.clone());
        let name = |declared: &Declared| declared.resource.object_ref().to_string();
        let want = format!("{} <- {}: {why}", name(&after), name(&before));
        let graph = graph(&[after.clone(), before]);
        assert_eq!(inferred(&graph), [want], "{dependent}");
        assert_eq!(addresses(&graph), ["manifest.z-dependency", "manifest.a-dependent"]);
        let apart = build(vec![after.resource, other.resource]).ok().unwrap();
        assert_eq!(inferred(&apart), [""; 0], "objects of another cluster are other objects");
    }
}

#[test]
fn what_is_not_declared_is_no_dependency() {
    let spec = r#"{"spec":{"template":{"spec":{"serviceAccountName":"default","containers":[],
        "volumes":[{"name":"v","configMap":{"name":"elsewhere"}}]}}}}"#;
    let elsewhere = Declared::new("v1 ConfigMap prod/elsewhere", "{}");
    let graph = graph(&[Declared::new("apps/v1 Deployment dev/web", spec), elsewhere]);
    assert_eq!(inferred(&graph), [""; 0]);
}

#[test]
fn malformed_objects_infer_nothing() {
    for rest in [
        r#"{"spec":{"template":{"spec":{"containers":1,"volumes":{"a":1},"imagePullSecrets":["x"]}}}}"#,
        r#"{"spec":[1]}"#,
        r#"{"spec":{"template":{"spec":{"containers":[1,{"env":[null],"envFrom":"x"}]}}}}"#,
    ] {
        assert_eq!(inferred(&graph(&[Declared::new("apps/v1 Deployment dev/web", rest)])), [""; 0]);
    }
}

#[test]
fn an_inferred_edge_gives_way_to_a_declared_one() {
    let mounts = r#"{"spec":{"template":{"spec":{"containers":[],
        "volumes":[{"name":"v","configMap":{"name":"settings"}}]}}}}"#;
    let mut builder = GraphBuilder::default();
    let (web, settings) =
        (builder.block(&parse("manifest.web"), None), builder.block(&parse("manifest.settings"), None));
    builder.resource(web, Declared::new("apps/v1 Deployment dev/web", mounts).resource);
    builder.resource(settings, Declared::new("v1 ConfigMap dev/settings", "{}").resource);
    builder.depend(settings, web, EdgeReason::DependsOn(place("a.hcl", "[manifest.web]")));
    let graph = builder.build().ok().unwrap();
    assert_eq!(inferred(&graph), [""; 0]);
    assert_eq!(addresses(&graph), ["manifest.web", "manifest.settings"]);
}

#[test]
fn records_keep_the_blocks_and_objects_that_a_resource_depends_on() {
    let mounts = r#"{"spec":{"volumes":[{"name":"v","configMap":{"name":"a"}}]}}"#;
    let graph = graph(&[
        Declared::new("v1 Namespace dev", "{}").at("namespace.dev.manifest.namespace"),
        Declared::new("v1 ConfigMap dev/a", "{}").at("app.shared.manifest.a"),
        Declared::new("v1 ConfigMap dev/b", "{}").at("app.web.manifest.b").after("app.shared"),
        Declared::new("v1 ConfigMap dev/c", "{}").at("app.web.manifest.c").after("app.web.manifest.b"),
        Declared::new("v1 Pod dev/web", mounts).at("app.web.manifest.web").after("app.shared"),
        Declared::new("v1 ConfigMap prod/d", "{}").at(r#"app.web.manifests.d["ConfigMap/prod/d"]"#),
        // It concerns what is made after it, and nothing is deleted before it.
        Declared::new("v1 ResourceQuota dev/q", "{}").at("namespace.dev.manifest.quota"),
    ]);
    let of = |address: &str| {
        let found = graph.dependencies(graph.at(&parse(address)).unwrap());
        let blocks = found.blocks.iter().map(ToString::to_string);
        blocks.chain(found.objects.iter().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(of("app.shared.manifest.a"), "");
    assert_eq!(of("app.web.manifest.b"), "app.shared");
    assert_eq!(of("app.web.manifest.c"), "app.web.manifest.b");
    assert_eq!(of(r#"app.web.manifests.d["ConfigMap/prod/d"]"#), "");
    let web = graph.at(&parse("app.web.manifest.web")).unwrap();
    assert_eq!(of("app.web.manifest.web"), "app.shared, ConfigMap/dev/a");
    let objects: Vec<_> = graph.dependencies(web).objects_of(web.object_ref()).collect();
    assert_eq!(
        objects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Namespace/dev", "ConfigMap/dev/a"]
    );
    let stranger = Declared::new("v1 ConfigMap dev/x", "{}").resource;
    assert_eq!(graph.dependencies(&stranger), Dependencies::default());
}

#[test]
fn a_module_depends_as_a_whole() {
    let graph = graph(&[
        Declared::new("v1 ConfigMap dev/a", "{}").at("app.z.manifest.a"),
        Declared::new("v1 ConfigMap dev/b", "{}").at("app.z.app.inner.manifest.b"),
        Declared::new("v1 ConfigMap dev/c", "{}").at("app.a.app.inner.manifest.c"),
        Declared::new("v1 ConfigMap dev/d", "{}").at("app.a.manifest.d").after("app.z"),
    ]);
    let order = addresses(&graph);
    let at = |name: &str| order.iter().position(|address| address == name).unwrap();
    assert!(at("app.z.manifest.a") < at("app.a.manifest.d"));
    assert!(at("app.z.app.inner.manifest.b") < at("app.a.manifest.d"));
}

#[test]
fn the_empty_graph_has_nothing_in_it() {
    let empty = ResourceGraph::default();
    assert_eq!((empty.resources().len(), empty.in_order().count(), empty.edges().count()), (0, 0, 0));
}

fn some_objects() -> Vec<Declared> {
    let mounts = r#"{"spec":{"template":{"spec":{"containers":[],"serviceAccountName":"x",
        "volumes":[{"name":"v","configMap":{"name":"settings"}}]}}}}"#;
    vec![
        Declared::new("v1 Namespace dev", "{}"),
        Declared::new("v1 ConfigMap dev/settings", "{}").at("app.web.manifest.settings"),
        Declared::new("apps/v1 Deployment dev/web", mounts).at("app.web.manifest.web"),
        Declared::new("v1 ServiceAccount dev/x", "{}").at("app.accounts.manifest.x"),
        Declared::new("v1 Secret dev/s", "{}").after("app.web"),
        Declared::new("v1 Secret prod/t", "{}").after("manifest.s"),
    ]
}

proptest! {
    #[test]
    fn the_order_of_declaration_does_not_matter(order in Just(some_objects()).prop_shuffle()) {
        let (straight, shuffled) = (graph(&some_objects()), graph(&order));
        prop_assert_eq!(addresses(&straight), addresses(&shuffled));
        prop_assert_eq!(inferred(&straight), inferred(&shuffled));
        for resource in straight.resources() {
            prop_assert_eq!(straight.dependencies(resource), shuffled.dependencies(resource));
        }
    }
}

#[test]
fn objects_are_found_by_reference_and_by_address() {
    let graph = graph(&some_objects());
    let web = graph.at(&parse("app.web.manifest.web")).unwrap();
    assert_eq!(web.object_ref().to_string(), "Deployment.apps/dev/web");
    assert_eq!(graph.find(web.object_ref()).unwrap().address, web.address);
    assert!(graph.at(&parse("app.web")).is_none(), "a block is no resource");
    let absent = Declared::new("v1 ConfigMap dev/absent", "{}");
    assert!(graph.find(absent.resource.object_ref()).is_none());
}
