use super::*;

#[test]
fn every_embedded_type_is_well_formed_and_complete() {
    for (name, line) in lines() {
        let shape = parse::shape(line.text).unwrap_or_else(|| panic!("{name} is malformed"));
        check_names(&shape, name);
    }
}

fn check_names(shape: &Shape, line: &str) {
    let list = shape.list.iter().map(|list| &list.element);
    let map = shape.map.iter().flat_map(|map| {
        let fields = map.fields.values().map(|field| &field.ty);
        fields.chain(&map.element)
    });
    for ty in list.chain(map) {
        match &ty.0 {
            Repr::Named(name) => assert!(lines().contains_key(name), "{line} refers to {name}"),
            Repr::Inline(shape) => check_names(shape, line),
        }
    }
}

#[test]
fn every_builtin_kind_has_a_type_with_metadata() {
    for kind in builtin::all() {
        let ty = of(kind.group, kind.version, kind.kind);
        let ty = ty.unwrap_or_else(|| panic!("{} has no type", kind.kind));
        assert!(ty.field("metadata").unwrap().field("labels").is_some(), "{}", kind.kind);
    }
    assert!(of("argoproj.io", "v1alpha1", "Application").is_none());
}

#[test]
fn describes_the_lists_of_a_pod() {
    let pod = of("", "v1", "Pod").unwrap();
    let spec = pod.field("spec").unwrap();
    let relation = |ty: &Type, name: &str| ty.field(name).unwrap().shape().list.clone().unwrap().relation;
    assert_eq!(relation(spec, "tolerations"), ListRelation::Atomic);
    assert_eq!(relation(pod.field("metadata").unwrap(), "finalizers"), ListRelation::Set);
    let container = spec.field("containers").unwrap().element().unwrap();
    let key = |name: &str, default| ListKey { name: name.into(), default: Some(default) };
    assert_eq!(
        relation(container, "ports"),
        ListRelation::Map(vec![
            key("containerPort", KeyDefault::Integer(0)),
            key("protocol", KeyDefault::String("TCP".into())),
        ])
    );
}

#[test]
fn describes_the_maps_of_a_service() {
    let service = of("", "v1", "Service").unwrap();
    let map = |ty: &Type| ty.shape().map.clone().unwrap();
    assert!(map(&service).fields["spec"].always);
    let spec = service.field("spec").unwrap();
    assert_eq!(map(spec.field("selector").unwrap()).relation, MapRelation::Atomic);
    assert_eq!(map(spec).relation, MapRelation::Separable);
    assert!(spec.field("unheardOf").is_none());
}

#[test]
fn a_type_may_contain_itself() {
    let crd = of("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
    let version = crd.field("spec").unwrap().field("versions").unwrap().element().unwrap();
    let mut schema = version.field("schema").unwrap().field("openAPIV3Schema").unwrap();
    for _ in 0..100 {
        schema = schema.field("properties").unwrap().field("spec").unwrap();
    }
    assert_eq!(schema.field("type").unwrap().shape().scalar, Some(Scalar::String));
}

#[test]
fn types_of_custom_resources_are_built_by_hand() {
    let port = Type::object([("port", Type::scalar(Scalar::Numeric))], MapRelation::Separable);
    let keys = vec![ListKey { name: "port".into(), default: None }];
    let ty = Type::object(
        [
            ("metadata", object_meta()),
            ("ports", Type::list(port, ListRelation::Map(keys))),
            ("extra", Type::deduced()),
        ],
        MapRelation::Separable,
    );
    assert!(ty.field("ports").unwrap().element().unwrap().field("port").is_some());
    assert!(ty.field("extra").unwrap().field("anything").unwrap().field("below").is_some());
    assert!(ty.field("metadata").unwrap().field("annotations").unwrap().field("a/b").is_some());
    assert!(ty.field("status").is_none());
}

#[test]
fn malformed_notation_is_refused() {
    for text in ["", "x", "[s", "{a:s", "{a}", "[s](k", "s]", "{a:@b", "[s](k=)"] {
        assert!(parse::shape(text).is_none(), "{text}");
    }
}
