//! What a caller of the renderer relies on beyond the objects themselves: places, warnings, codes, the files read, and
//! what it puts on top.

use std::fs;
use std::path::Path;

use engine_core::diagnostic::{Code, Diagnostics};
use engine_core::value::Value;
use proptest::prelude::*;
use providers_kustomize::{Image, Overlay, Rendered, Replica, codes, render};

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.0
";

struct Repository(tempfile::TempDir);

impl Repository {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        for (path, content) in files {
            let path = directory.path().join(path);
            let parent = path.parent().expect("a file has a directory");
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, content))
                .expect("the temporary directory is writable");
        }
        Self(directory)
    }

    fn overlay(&self, path: &str) -> Overlay {
        Overlay {
            path: path.into(),
            repository: self.0.path().to_owned(),
            images: Vec::new(),
            replicas: Vec::new(),
            namespace: None,
        }
    }
}

fn overlay_of(kustomization: &str) -> Result<Rendered, Diagnostics> {
    let repository = Repository::new(&[
        ("overlay/kustomization.yaml", kustomization.as_bytes()),
        ("overlay/deployment.yaml", DEPLOYMENT.as_bytes()),
    ]);
    render(&repository.overlay("overlay"))
}

fn told(diagnostics: &Diagnostics) -> Vec<(Code, String)> {
    diagnostics
        .iter()
        .map(|diagnostic| {
            (diagnostic.code, diagnostic.span.as_ref().map_or(String::new(), ToString::to_string))
        })
        .collect()
}

#[test]
fn every_object_knows_where_it_comes_from() {
    let repository = Repository::new(&[
        ("base/kustomization.yaml", b"resources: [all.yaml]\n"),
        (
            "base/all.yaml",
            format!("# first\n{DEPLOYMENT}---\n{}", DEPLOYMENT.replace("web", "other")).as_bytes(),
        ),
        (
            "overlay/kustomization.yaml",
            b"resources: [../base]\nconfigMapGenerator:\n  - name: c\n    literals: [a=b]\n",
        ),
    ]);
    let rendered = render(&repository.overlay("overlay")).unwrap();
    let origins: Vec<String> = rendered.objects.iter().map(|object| object.origin.to_string()).collect();
    assert_eq!(origins, ["overlay/kustomization.yaml:3:5", "base/all.yaml:13:1", "base/all.yaml:2:1"]);
    let files: Vec<&Path> = rendered.files.iter().map(|(path, _)| path.as_path()).collect();
    assert_eq!(
        files,
        [
            Path::new("base/all.yaml"),
            Path::new("base/kustomization.yaml"),
            Path::new("overlay/kustomization.yaml"),
        ]
    );
}

#[test]
fn images_replicas_and_namespace_go_on_top() {
    let repository = Repository::new(&[
        (
            "kustomization.yaml",
            b"resources: [deployment.yaml]\nnamespace: dev\nreplicas: [{name: web, count: 1}]\n",
        ),
        ("deployment.yaml", DEPLOYMENT.as_bytes()),
    ]);
    let overlay = Overlay {
        images: vec![Image { name: "nginx".into(), new_tag: Some("1.27".into()), ..Image::default() }],
        replicas: vec![Replica { name: "web".into(), count: 3 }],
        namespace: Some("prod".into()),
        ..repository.overlay("")
    };
    let rendered = render(&overlay).unwrap();
    let object = &rendered.objects[0].value;
    assert_eq!(object.str_at(&["metadata", "namespace"]), Some("prod"));
    assert_eq!(object.at(&["spec", "replicas"]).and_then(Value::as_i64), Some(3));
    let containers = object.at(&["spec", "template", "spec", "containers"]).unwrap();
    assert_eq!(containers.as_list().unwrap()[0].str_at(&["image"]), Some("nginx:1.27"));
}

#[test]
fn what_kustomize_does_silently_is_a_warning() {
    let cases = [
        (
            "bases: []\nresources: [deployment.yaml]\n",
            codes::DEPRECATED_FIELD,
            "overlay/kustomization.yaml:1:1",
        ),
        (
            "resources: [deployment.yaml]\ncommonLabels: {a: b}\n",
            codes::DEPRECATED_FIELD,
            "overlay/kustomization.yaml:2:1",
        ),
        (
            "resources: [deployment.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |\n      kind: Pod\n      metadata: {name: x}\n",
            codes::NOTHING_SELECTED,
            "overlay/kustomization.yaml:3:13",
        ),
    ];
    for (kustomization, code, place) in cases {
        let rendered = overlay_of(kustomization).unwrap();
        assert_eq!(rendered.objects.len(), 1);
        assert_eq!(told(&rendered.warnings), [(code, place.to_owned())], "{kustomization}");
    }
}

#[test]
fn faults_have_a_code_and_a_place() {
    let cases = [
        ("a: [\n", codes::YAML_SYNTAX, "overlay/kustomization.yaml:1:4"),
        ("resource: []\n", codes::UNKNOWN_FIELD, "overlay/kustomization.yaml:1:1"),
        ("resources: {}\n", codes::WRONG_TYPE, "overlay/kustomization.yaml:1:12"),
        ("namespace: 5\n", codes::WRONG_TYPE, "overlay/kustomization.yaml:1:12"),
        ("resources: []\nresources: []\n", codes::DUPLICATE_KEY, "overlay/kustomization.yaml:2:1"),
        ("helmCharts: [{name: a}]\n", codes::UNSUPPORTED_FIELD, "overlay/kustomization.yaml:1:1"),
        ("resources: [nothing.yaml]\n", codes::NOT_FOUND, "overlay/kustomization.yaml:1:13"),
        ("resources: ['https://example.com/a.yaml']\n", codes::REMOTE, "overlay/kustomization.yaml:1:13"),
        ("resources: ['github.com/a/b?ref=v1']\n", codes::REMOTE, "overlay/kustomization.yaml:1:13"),
        ("resources: [../../..]\n", codes::OUTSIDE, "overlay/kustomization.yaml:1:13"),
        ("resources: [.]\n", codes::CYCLE, "overlay/kustomization.yaml:1:13"),
        ("resources: [../empty]\n", codes::KUSTOMIZATION_FILE, "overlay/kustomization.yaml:1:13"),
        ("components: [deployment.yaml]\n", codes::NOT_A_FILE, "overlay/kustomization.yaml:1:14"),
        (
            "resources: [deployment.yaml]\npatches: [{target: {name: '('}, patch: '[]'}]\n",
            codes::BAD_SELECTOR,
            "overlay/kustomization.yaml:2:27",
        ),
        (
            "resources: [deployment.yaml]\npatches: [{patch: 'a: [b'}]\n",
            codes::YAML_SYNTAX,
            "overlay/kustomization.yaml:2:19",
        ),
        (
            "resources: [deployment.yaml, deployment.yaml]\n",
            codes::DUPLICATE_OBJECT,
            "overlay/deployment.yaml:1:1",
        ),
        (
            "configMapGenerator: [{name: c, files: [../secret]}]\n",
            codes::NOT_FOUND,
            "overlay/kustomization.yaml:1:40",
        ),
    ];
    for (kustomization, code, place) in cases {
        let repository = Repository::new(&[
            ("overlay/kustomization.yaml", kustomization.as_bytes()),
            ("overlay/deployment.yaml", DEPLOYMENT.as_bytes()),
            ("empty/readme", b""),
        ]);
        let faults = render(&repository.overlay("overlay")).map(drop).expect_err(kustomization);
        assert_eq!(told(&faults), [(code, place.to_owned())], "{kustomization}");
    }
}

#[test]
fn all_faults_of_a_kustomization_are_told_at_once() {
    let faults =
        overlay_of("namespace: [a]\nresource: []\nvars: [{name: a}]\nimages: [{nam: a}]\n").map(drop);
    let told = told(&faults.expect_err("four fields are wrong"));
    let codes: Vec<Code> = told.into_iter().map(|(code, _)| code).collect();
    assert_eq!(
        codes,
        [codes::WRONG_TYPE, codes::UNKNOWN_FIELD, codes::UNSUPPORTED_FIELD, codes::UNKNOWN_FIELD]
    );
}

#[test]
fn a_long_chain_of_kustomizations_is_refused() {
    let mut files: Vec<(String, Vec<u8>)> = (0..200)
        .map(|idx| {
            let content = format!("resources: [../k{}]\n", idx + 1);
            (format!("k{idx}/kustomization.yaml"), content.into_bytes())
        })
        .collect();
    files.push(("k200/kustomization.yaml".to_owned(), b"resources: []\n".to_vec()));
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let faults = render(&Repository::new(&files).overlay("k0")).map(drop);
    assert_eq!(told(&faults.expect_err("the chain is too long"))[0].0, codes::TOO_MUCH_SOURCE);
}

/// Lines that are likely to get past the first checks, in any combination.
fn kustomization() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("resources: [deployment.yaml]"),
        Just("resources: [deployment.yaml, deployment.yaml, ., ..]"),
        Just("namespace: ns"),
        Just("namePrefix: p-"),
        Just("commonLabels: {a: b}"),
        Just("labels: [{pairs: {a: b}, includeSelectors: true}]"),
        Just("images: [{name: nginx, newTag: x}, {name: '('}]"),
        Just("replicas: [{name: web, count: -1}]"),
        Just("configMapGenerator: [{name: c, files: [deployment.yaml]}, {name: c, behavior: merge}]"),
        Just("secretGenerator: [{name: c, literals: [a=b, =, a]}]"),
        Just("patches: [{target: {kind: .*}, patch: '[{\"op\": \"remove\", \"path\": \"/kind\"}]'}]"),
        Just(
            "patches: [{patch: '{kind: Deployment, apiVersion: apps/v1, metadata: {name: web}, spec: null}'}]"
        ),
        Just("patchesStrategicMerge: [deployment.yaml, '{}', '']"),
        Just("sortOptions: {order: fifo}"),
        Just("components: [x]"),
        Just("kind: Component"),
        Just("? [a]: &x *x"),
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let repository = Repository::new(&[("kustomization.yaml", &bytes)]);
        // Only that it comes back counts.
        let _ = render(&repository.overlay(""));
    }

    #[test]
    fn likely_kustomizations_never_panic_and_render_alike_twice(text in kustomization(), noise in "[ -~\n]{0,8}") {
        let text = format!("{text}\n{noise}");
        let repository = Repository::new(&[
            ("kustomization.yaml", text.as_bytes()),
            ("deployment.yaml", DEPLOYMENT.as_bytes()),
        ]);
        let values = |rendered: Rendered| rendered.objects.into_iter().map(|object| object.value).collect::<Vec<_>>();
        let first = render(&repository.overlay("")).map(values);
        let second = render(&repository.overlay("")).map(values);
        prop_assert_eq!(first, second);
    }
}
