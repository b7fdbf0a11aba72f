use std::collections::BTreeMap;

use engine_core::address::{Address, InstanceKey, Step};
use engine_core::cluster::{ClusterRecord, Connection};
use engine_core::digest::{Digest, Fingerprint, Print, Seal};
use engine_core::graph::Dependencies;
use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::ActionKind;
use engine_core::state::{Holder, Intent, Output, ResourceRecord, State};
use engine_core::value::{Text, Value};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = Text> {
    "[a-z\"\\\\\n é][a-z0-9.-]{0,12}".prop_map(Text::from)
}

fn print() -> impl Strategy<Value = Print> {
    any::<[u8; 4]>().prop_map(|bytes| Digest::of_bytes(&bytes).print())
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    let seal = prop_oneof![Just(Seal::Empty), Just(Seal::Unknown), print().prop_map(Seal::Keyed)];
    (print(), seal).prop_map(|(open, seal)| Fingerprint { open, seal })
}

fn address() -> impl Strategy<Value = Address> {
    let key = prop_oneof![text().prop_map(InstanceKey::String), any::<u64>().prop_map(InstanceKey::Int)];
    ("[a-z]{1,5}", "[a-z]{1,5}", option::of(key), option::of(text())).prop_map(|(kind, name, key, object)| {
        let address = Address::root(Step::new("module", "a", None)).child(Step::new(kind, name, key));
        object.map_or(address.clone(), |key| address.object(key))
    })
}

fn object_ref() -> impl Strategy<Value = ObjectRef> {
    ("[a-z]{1,3}", "[A-Z][a-z]{1,4}", "([a-z]{1,3}(\\.[a-z]{1,3})?)?", option::of(text()), text()).prop_map(
        |(cluster, kind, group, namespace, name)| ObjectRef {
            cluster: ClusterRef::new(cluster),
            kind: GroupKind::new(group, kind),
            namespace,
            name,
        },
    )
}

/// The version that an object is applied in is one of its kind's group.
fn api_version(object_ref: &ObjectRef) -> ApiVersion {
    ApiVersion::new(object_ref.kind.group.clone(), "v1beta1")
}

prop_compose! {
    fn record()(
        object_ref in object_ref(),
        address in address(),
        uid in text(),
        blocks in vec(address(), 0..3),
        objects in vec(object_ref(), 0..3),
        prevent_destroy in any::<bool>(),
        desired in fingerprint(),
        settled in option::of(fingerprint()),
        fields in vec(any::<u32>(), 0..4),
    ) -> (ObjectRef, ResourceRecord) {
        let record = ResourceRecord {
            address,
            api_version: api_version(&object_ref),
            uid: Uid::new(uid),
            dependencies: Dependencies { blocks, objects },
            prevent_destroy,
            desired,
            settled,
            fields,
        };
        (object_ref, record)
    }
}

prop_compose! {
    fn intent()(
        object_ref in object_ref(),
        address in address(),
        action in prop_oneof![Just(ActionKind::Create), Just(ActionKind::Replace), Just(ActionKind::NoOp)],
        blocks in vec(address(), 0..3),
        objects in vec(object_ref(), 0..3),
    ) -> Intent {
        let (api_version, dependencies) = (api_version(&object_ref), Dependencies { blocks, objects });
        Intent { object_ref, address, action, api_version, dependencies }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(|int| Value::Number(int.into())),
        "-?[0-9]{1,30}\\.[0-9]{1,30}".prop_map(|text| Value::Number(text.parse().unwrap())),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::String)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof!["\\$number", "\\$map", "[a-z]{0,3}"];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::list),
            btree_map(key, inner, 0..3).prop_map(Value::map),
        ]
    })
}

fn cluster() -> impl Strategy<Value = ClusterRecord> {
    let context = (text(), option::of(text()))
        .prop_map(|(context, kubeconfig)| Connection::Context { context, kubeconfig });
    (prop_oneof![Just(Connection::Sandbox), context], text())
        .prop_map(|(connection, uid)| ClusterRecord { connection, uid: Uid::new(uid) })
}

prop_compose! {
    fn holder()(run in text(), who in text(), operation in text(), since in text(), seconds in 1..9u32) -> Holder {
        let renewal = Renewal::every(seconds).unwrap();
        Holder { run, who, operation, since, renewal }
    }
}

prop_compose! {
    pub(crate) fn state()(
        lineage in any::<[u8; 16]>(),
        serial in any::<u64>(),
        epoch in any::<u64>(),
        holder in option::of(holder()),
        clusters in btree_map(text().prop_map(ClusterRef::new), cluster(), 0..3),
        records in vec(record(), 0..5),
        intents in vec(intent(), 0..4),
        outputs in btree_map(text(), prop_oneof![Just(Output::Sensitive), value().prop_map(Output::Value)], 0..4),
    ) -> State {
        State {
            environment: "dev".parse().unwrap(),
            lineage: Lineage::new(lineage),
            serial,
            epoch,
            holder,
            clusters,
            records: records.into_iter().collect(),
            intents,
            outputs,
        }
    }
}

/// A small state with one of everything.
pub(crate) fn sample() -> State {
    let deployment = ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new("apps", "Deployment"),
        namespace: Some("dev".into()),
        name: "web".into(),
    };
    let settings = ObjectRef { kind: GroupKind::new("", "ConfigMap"), ..deployment.clone() };
    let open = Digest::of_bytes(b"web").print();
    let record = ResourceRecord {
        address: "app.web.manifest.deployment".parse().unwrap(),
        api_version: ApiVersion::new("apps", "v1"),
        uid: Uid::new("4c2d"),
        dependencies: Dependencies {
            blocks: vec!["namespace.dev".parse().unwrap()],
            objects: vec![settings],
        },
        prevent_destroy: true,
        desired: Fingerprint { open, seal: Seal::Empty },
        settled: Some(Fingerprint { open, seal: Seal::Unknown }),
        fields: vec![1, 0xdead_beef],
    };
    let intent = Intent {
        object_ref: deployment.clone(),
        address: record.address.clone(),
        action: ActionKind::Update,
        api_version: record.api_version.clone(),
        dependencies: Dependencies { blocks: record.dependencies.blocks.clone(), objects: Vec::new() },
    };
    let cluster = ClusterRecord {
        connection: Connection::Context { context: "prod-eu".into(), kubeconfig: None },
        uid: Uid::new("77aa"),
    };
    State {
        serial: 7,
        epoch: 3,
        clusters: BTreeMap::from([(ClusterRef::new("main"), cluster)]),
        records: BTreeMap::from([(deployment, record)]),
        intents: vec![intent],
        outputs: BTreeMap::from([
            ("ratio".into(), Output::Value(Value::Number("0.10".parse().unwrap()))),
            ("token".into(), Output::Sensitive),
        ]),
        ..State::empty("dev".parse().unwrap(), Lineage::new([0xab; 16]))
    }
}

proptest! {
    #[test]
    fn states_read_as_they_were_written(state in state()) {
        let files = encode(&state).unwrap();
        prop_assert_eq!(decode(&files).unwrap(), state);
    }

    #[test]
    fn files_are_canonical(state in state()) {
        let files = encode(&state).unwrap();
        for content in files.contents() {
            for line in std::str::from_utf8(content).unwrap().lines() {
                let value: Value = serde_json::from_str(line).unwrap();
                prop_assert_eq!(value.to_string(), line, "keys are sorted and nothing is padded");
            }
        }
        prop_assert_eq!(encode(&decode(&files).unwrap()).unwrap(), files);
    }

    #[test]
    fn damage_is_never_read_as_another_serial(
        state in state(),
        file in 0usize..3,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut files = encode(&state).unwrap();
        let content = [&mut files.meta, &mut files.objects, &mut files.intents].into_iter().nth(file).unwrap();
        if !content.is_empty() {
            let at = at.index(content.len());
            content.truncate(at);
            content.push(byte);
        }
        // It may or may not be a state, but reading it ends.
        if let Ok(read) = decode(&files) {
            prop_assert_eq!(read.serial, state.serial);
        }
    }
}

#[test]
fn the_format_is_what_its_description_says() {
    let files = encode(&sample()).unwrap();
    let lines = files.contents().map(|content| String::from_utf8(content.to_vec()).unwrap());
    assert_eq!(
        lines,
        [
            concat!(
                r#"{"clusters":{"main":{"context":"prod-eu","uid":"77aa"}},"environment":"dev","epoch":3,"intents":1,"#,
                r#""lineage":"abababababababababababababababab","objects":1,"#,
                r#""outputs":{"ratio":{"value":{"$number":"0.1"}},"token":"sensitive"},"#,
                r#""phase":"unfinished","schema":2,"serial":7}"#,
                "\n"
            ),
            // The SHA-256 of `web` begins so, by `printf web | sha256sum | xxd -r -p | head -c 24 | base64`.
            concat!(
                r#"{"address":"app.web.manifest.deployment","apiVersion":"apps/v1","blocks":["namespace.dev"],"#,
                r#""cluster":"main","desired":"S15X9usvQrkDmz0eE5KSlfIxdJxRDL40","fields":"AAAAAd6tvu8","#,
                r#""kind":"Deployment","name":"web","namespace":"dev","#,
                r#""objects":[["main","ConfigMap","dev","web"]],"preventDestroy":true,"#,
                r#""settled":"S15X9usvQrkDmz0eE5KSlfIxdJxRDL40+?","uid":"4c2d"}"#,
                "\n"
            ),
            concat!(
                r#"{"action":"update","address":"app.web.manifest.deployment","apiVersion":"apps/v1","#,
                r#""blocks":["namespace.dev"],"cluster":"main","kind":"Deployment","name":"web","#,
                r#""namespace":"dev"}"#,
                "\n"
            ),
        ]
    );
}

/// What versions wrote that had schema 1, of [`sample`].
pub(crate) fn schema_1() -> Files {
    let file = |lines: &[&str]| format!("{}\n", lines.concat()).into_bytes();
    Files {
        meta: file(&[
            r#"{"clusters":{"main":{"context":"prod-eu","uid":"77aa"}},"environment":"dev","epoch":3,"intents":1,"#,
            r#""lineage":"abababababababababababababababab","objects":1,"#,
            r#""outputs":{"ratio":{"value":{"$number":"0.1"}},"token":"sensitive"},"#,
            r#""phase":"unfinished","schema":1,"serial":7}"#,
        ]),
        objects: file(&[
            r#"{"address":"app.web.manifest.deployment","apiVersion":"apps/v1","blocks":["namespace.dev"],"#,
            r#""cluster":"main","desired":"4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2","#,
            r#""fields":"00000001deadbeef","kind":"Deployment.apps","name":"web","namespace":"dev","#,
            r#""objects":[["main","ConfigMap","dev","web"],["main","Namespace",null,"dev"]],"preventDestroy":true,"#,
            r#""settled":"4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2+?","uid":"4c2d"}"#,
        ]),
        intents: file(&[
            r#"{"action":"update","address":"app.web.manifest.deployment","apiVersion":"apps/v1","#,
            r#""blocks":["namespace.dev"],"cluster":"main","kind":"Deployment.apps","name":"web","#,
            r#""namespace":"dev"}"#,
        ]),
    }
}

#[test]
fn a_state_of_schema_1_is_read_and_becomes_one_of_the_newest() {
    assert_eq!(decode(&schema_1()).unwrap(), sample());
    let [meta, objects, intents] = Files::NAMES;
    let files = schema_1();
    let head = head(&files.meta).unwrap();
    let mut lines = Lines::of(head.schema);
    assert_eq!(head.schema, Schema::One);
    assert_eq!(lines.check(objects, &files.objects), Ok(1));
    assert_eq!(lines.check(intents, &files.intents), Ok(1));

    // Neither schema is taken for the other.
    let newest = encode(&sample()).unwrap();
    let mixed = Files { meta: schema_1().meta, ..newest.clone() };
    assert!(decode(&mixed).unwrap_err().to_string().starts_with(objects), "{meta} tells how to read it");
    let mixed = Files { meta: newest.meta, ..schema_1() };
    assert!(decode(&mixed).unwrap_err().to_string().starts_with(objects), "{meta} tells how to read it");
}

/// Replaces text in one of the sample's files and returns why it is refused.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let mut files = encode(&sample()).unwrap();
    let content = match file {
        META => &mut files.meta,
        OBJECTS => &mut files.objects,
        _ => &mut files.intents,
    };
    let old = String::from_utf8(content.clone()).unwrap();
    assert!(old.contains(from), "{from} is not in {old}");
    *content = old.replace(from, to).into_bytes();
    decode(&files).unwrap_err().to_string()
}

#[test]
fn refusals_say_where_and_why() {
    for (file, from, to, want) in [
        (
            META,
            r#""schema":2"#,
            r#""schema":3"#,
            "meta.json: the state has schema 3, this version of terrane reads schemas up to 2",
        ),
        (META, r#""schema":2"#, r#""schema":0"#, "schema 0"),
        (META, r#""schema":2"#, r#""x":1"#, "no schema number"),
        (META, r#""epoch":3"#, r#""epoch":3,"epoch":4"#, "key twice"),
        (META, r#""environment":"dev""#, r#""environment":"../x""#, "environment: an environment name has"),
        (META, "abab", "ABAB", "lineage: a lineage has 32 hexadecimal digits"),
        (META, r#""objects":1"#, r#""objects":2"#, "objects.jsonl: meta.json counts 2 lines, the file has 1"),
        (META, "\"intents\":1", "\"intents\":0", "intents.jsonl: meta.json counts 0 lines"),
        (META, "0.1", "x", "`$number` holds no number"),
        (OBJECTS, "\n", "", "objects.jsonl: the last line is cut off"),
        (OBJECTS, "\n", "\n\n", "objects.jsonl, line 2: EOF"),
        (
            OBJECTS,
            "\"Deployment\"",
            "\"Deployment.apps\"",
            "objects.jsonl, line 1: `Deployment.apps` is no kind",
        ),
        (OBJECTS, "\"Deployment\"", "\"\"", "is no kind"),
        (OBJECTS, "ConfigMap", "ConfigMap.", "is no kind"),
        (OBJECTS, "apps/v1", "Apps/v1", "not an apiVersion"),
        (OBJECTS, "app.web", "app..web", "not an address"),
        (OBJECTS, "+?", "+", "is no fingerprint"),
        (OBJECTS, "+?", "=", "is no fingerprint"),
        (OBJECTS, "AAAAAd6tvu8", "AAAAAd6tvg", "the last hash is cut off"),
        (OBJECTS, "AAAAAd6tvu8", "AAAAAd6tvu9", "fields:"),
        (OBJECTS, "AAAAAd6tvu8", "AAAAAd6tvu\u{e9}", "fields:"),
        (OBJECTS, r#""uid":"4c2d""#, r#""uid":7"#, "invalid type"),
        ("intents.jsonl", "update", r"explode\u001b[2J", "intents.jsonl, line 1: `explode"),
    ] {
        let refusal = refusal(file, from, to);
        assert!(refusal.contains(want), "{from} → {to}: {refusal}");
        assert!(!refusal.contains(char::is_control), "{refusal:?}");
    }
}

#[test]
fn an_object_recorded_twice_is_refused() {
    let mut files = encode(&sample()).unwrap();
    files.objects = files.objects.repeat(2);
    let meta = String::from_utf8(files.meta).unwrap();
    files.meta = meta.replace(r#""objects":1"#, r#""objects":2"#).into_bytes();
    let error = decode(&files).unwrap_err().to_string();
    assert_eq!(error, "objects.jsonl, line 2: main:Deployment.apps/dev/web is recorded twice");
}

#[test]
fn fields_of_a_later_minor_version_are_passed_over() {
    let mut files = encode(&sample()).unwrap();
    for content in [&mut files.meta, &mut files.objects, &mut files.intents] {
        let text = String::from_utf8(content.clone()).unwrap();
        *content = text
            .replace("{\"a", "{\"Z\":[1],\"a")
            .replace("{\"clusters", "{\"Z\":{},\"clusters")
            .into_bytes();
        assert!(content.starts_with(b"{\"Z\""));
    }
    assert_eq!(decode(&files).unwrap(), sample());
}

#[test]
fn a_state_beyond_the_size_limit_is_refused() {
    let mut files = encode(&sample()).unwrap();
    files.objects = vec![b'\n'; MAX_BYTES];
    let error = decode(&files).unwrap_err().to_string();
    assert!(error.contains("more than 20971520"), "{error}");
}

#[test]
fn a_state_that_would_not_read_back_is_not_written() {
    let mut state = sample();
    let deep = (0..100).fold(Value::Null, |inner, _| Value::list([inner]));
    state.outputs.insert("deep".into(), Output::Value(deep));
    let error = encode(&state).unwrap_err().to_string();
    assert!(error.contains("levels deep"), "{error}");

    let mut state = sample();
    let (mut object_ref, record) = state.records.pop_first().unwrap();
    object_ref.kind = GroupKind::new("batch", "Deployment");
    state.records.insert(object_ref, record);
    let error = encode(&state).unwrap_err().to_string();
    assert!(error.contains("does not read back"), "{error}");
}
