use engine_core::diagnostic::{SourceFile, SourceSpan};
use engine_core::graph::GraphBuilder;
use engine_core::manifest::Manifest;
use engine_core::object_ref::ClusterRef;
use engine_core::resource::{Body, Lifecycle, Resource, Timeouts, Wait};
use engine_core::sensitive::SensitivePaths;

use super::*;
use crate::samples::{address, value};

fn resource(at: &str, json: &str) -> Resource {
    let manifest = Manifest::new(ClusterRef::new("main"), value(json), SensitivePaths::default(), Vec::new());
    Resource {
        address: address(at),
        body: Body::Object(Box::new(manifest.unwrap())),
        lifecycle: Lifecycle::default(),
        wait: Wait::default(),
        timeouts: Timeouts::default(),
        span: None,
    }
}

/// A namespace, a module of two objects in it, and a block that depends on the module.
fn graph() -> ResourceGraph {
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"dev"}}"#;
    let config = |name: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","namespace":"dev"}}}}"#
        )
    };
    let file = SourceFile { path: "main.hcl".into(), text: String::new() };
    let span = SourceSpan::new(file.into(), 0..0);
    let mut builder = GraphBuilder::default();
    let block = builder.block(&address("manifest.ns"), None);
    builder.resource(block, resource("manifest.ns", namespace));
    let module = builder.block(&address(r#"app.x["a"]"#), None);
    let inner = builder.block(&address(r#"app.x["a"].manifest.one"#), Some(module));
    builder.resource(inner, resource(r#"app.x["a"].manifest.one"#, &config("one")));
    let many = builder.block(&address(r#"app.x["a"].manifests.two"#), Some(module));
    for name in ["two", "three"] {
        let at = address(r#"app.x["a"].manifests.two"#).object(format!("ConfigMap/dev/{name}"));
        builder.resource(many, resource(&at.to_string(), &config(name)));
    }
    let last = builder.block(&address("manifest.last"), None);
    builder.resource(last, resource("manifest.last", &config("last")));
    builder.depend(last, module, EdgeReason::Reference(span));
    builder.build().unwrap()
}

#[test]
fn blocks_are_boxes_and_inference_is_dashed() {
    insta::assert_snapshot!(graph_dot(&graph()), @r#"
    digraph {
      rankdir=RL
      compound=true
      node [shape=box]
      subgraph cluster_0 {
        label="app.x[\"a\"]"
        n1 [label="app.x[\"a\"].manifest.one\nConfigMap/dev/one"]
        subgraph cluster_2 {
          label="app.x[\"a\"].manifests.two"
          n3 [label="ConfigMap/dev/three"]
          n4 [label="ConfigMap/dev/two"]
        }
      }
      n5 [label="manifest.last\nConfigMap/dev/last"]
      n6 [label="manifest.ns\nNamespace/dev"]
      n1 -> n6 [ltail=cluster_0, style=dashed, label="it lies in this Namespace"]
      n5 -> n1 [lhead=cluster_0]
      n5 -> n6 [style=dashed, label="it lies in this Namespace"]
    }
    "#);
}

#[test]
fn mermaid_draws_the_same_picture() {
    insta::assert_snapshot!(graph_mermaid(&graph()), @r#"
    flowchart RL
      subgraph n0 ["app.x[#34;a#34;]"]
        n1["app.x[#34;a#34;].manifest.one<br>ConfigMap/dev/one"]
        subgraph n2 ["app.x[#34;a#34;].manifests.two"]
          n3["ConfigMap/dev/three"]
          n4["ConfigMap/dev/two"]
        end
      end
      n5["manifest.last<br>ConfigMap/dev/last"]
      n6["manifest.ns<br>Namespace/dev"]
      n0 -. "it lies in this Namespace" .-> n6
      n5 --> n0
      n5 -. "it lies in this Namespace" .-> n6
    "#);
}

#[test]
fn an_empty_graph_is_an_empty_picture() {
    assert_eq!(graph_mermaid(&ResourceGraph::default()), "flowchart RL\n");
}
