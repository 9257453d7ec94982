//! Objects in protobuf: those that the real `kubectl` sends, those with every field, and those that nobody should send.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "agreement/filled.rs"]
mod filled;
#[path = "../../../fuzz/kubernetes.rs"]
mod fuzz;
#[path = "wire/written.rs"]
mod written;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sampan_kubernetes::protobuf::{self, ProtobufError};
use sampan_kubernetes::{Catalog, Version};
use serde_json::{Value, json};
use written::{bytes, varint_field};

/// The version whose API the engine serves.
const SERVED: Version = Version::of_minor(33);

fn kubectl_bodies() -> BTreeMap<&'static str, Vec<u8>> {
    let lines = include_str!("bodies.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, body) = line.split_once(": ").unwrap();
            (name, BASE64.decode(body).unwrap())
        })
        .collect()
}

/// A body of a kind with these fields.
fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
}

fn refusal(body: &[u8]) -> String {
    protobuf::decode(body, SERVED).unwrap_err().to_string()
}

#[test]
fn what_kubectl_sends_is_read() {
    let objects: BTreeMap<_, Value> = kubectl_bodies()
        .into_iter()
        .map(|(name, body)| (name, protobuf::decode(&body, SERVED).unwrap()))
        .collect();
    insta::assert_json_snapshot!(objects);
}

#[test]
fn every_field_of_every_kind_is_read() {
    let mut kinds = 0;
    for version in [Version::OLDEST, SERVED, Version::NEWEST] {
        for kind in Catalog::get().kinds() {
            let Some(structure) = kind.structure.filter(|_| kind.is_served(version)) else {
                continue;
            };
            let object = filled::object(structure, version);
            let body = written::body(structure, &object, version);
            let read = protobuf::decode(&body, version);
            let mut read = read.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            let mut object = Value::Object(object);
            without_inner_kinds(&mut read);
            without_inner_kinds(&mut object);
            assert_eq!(read, object, "{}", kind.name);
            kinds += 1;
        }
    }
    assert!(kinds > 300, "{kinds} kinds were tried");
}

/// Only the object itself says of which kind it is in protobuf.
fn without_inner_kinds(object: &mut Value) {
    let inner = match object {
        Value::Object(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        if value["apiVersion"] != json!("example.com/v1")
            && let Some(fields) = value.as_object_mut()
        {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        without_inner_kinds(value);
    }
}

#[test]
fn what_is_empty_is_left_out_unless_it_was_given() {
    // replicas: 0, an empty template with an empty spec, and nothing else.
    let template = bytes(3, &bytes(2, &[]));
    let spec = bytes(2, &[varint_field(1, 0), template].concat());
    let status = bytes(3, &varint_field(2, 0));
    let deployment = body("apps/v1", "Deployment", &[spec, status].concat());
    assert_eq!(
        protobuf::decode(&deployment, SERVED).unwrap(),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "spec": {"replicas": 0, "template": {}},
        })
    );
    // The port is always there; a name that is empty is no name.
    let port = bytes(1, &[bytes(1, b""), varint_field(3, 0)].concat());
    let service = body("v1", "Service", &bytes(2, &port));
    assert_eq!(
        protobuf::decode(&service, SERVED).unwrap()["spec"],
        json!({"ports": [{"port": 0}]})
    );
}

#[test]
fn what_a_newer_client_knows_is_left_out() {
    // `resources` of a pod came with 1.32, and no version has a field 9999.
    let spec = bytes(2, &[bytes(40, &[]), varint_field(9999, 1)].concat());
    let pod = body("v1", "Pod", &spec);
    let of = |minor| protobuf::decode(&pod, Version::of_minor(minor)).unwrap();
    assert_eq!(of(33)["spec"], json!({"resources": {}}));
    assert_eq!(of(31).get("spec"), None);
}

#[test]
fn options_are_read_for_any_group() {
    let options = [
        varint_field(1, 0),
        bytes(4, b"Foreground"),
        bytes(5, b"All"),
    ]
    .concat();
    let read = protobuf::decode(&body("apps/v1", "DeleteOptions", &options), SERVED).unwrap();
    assert_eq!(
        read,
        json!({
            "apiVersion": "apps/v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "propagationPolicy": "Foreground",
            "dryRun": ["All"],
        })
    );
}

#[test]
fn an_object_within_an_object_has_an_envelope_of_its_own() {
    let inner = body(
        "v1",
        "ConfigMap",
        &bytes(2, &[bytes(1, b"a"), bytes(2, b"b")].concat()),
    );
    let revision = body(
        "apps/v1",
        "ControllerRevision",
        &bytes(2, &bytes(1, &inner)),
    );
    assert_eq!(
        protobuf::decode(&revision, SERVED).unwrap()["data"],
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})
    );
}

#[test]
fn refusals_say_where() {
    let name = bytes(1, &bytes(1, b"\xff"));
    assert_eq!(
        refusal(&body("v1", "Pod", &name)),
        "`metadata.name` is damaged: the text is not UTF-8"
    );
    let container = bytes(2, &bytes(2, &varint_field(1, 1)));
    assert_eq!(
        refusal(&body("v1", "Pod", &container)),
        "`spec.containers[0].name` is damaged: the value is of another type"
    );
    let limits = bytes(
        1,
        &[bytes(1, b"cpu"), bytes(2, &varint_field(1, 1))].concat(),
    );
    let container = bytes(2, &bytes(2, &bytes(8, &limits)));
    assert_eq!(
        refusal(&body("v1", "Pod", &container)),
        "`spec.containers[0].resources.limits[cpu]` is damaged: the value is of another type"
    );
    assert_eq!(
        refusal(&body("v1", "Pod", &[0x0a, 0xff])),
        "`Pod` is damaged: a number is cut off or too large"
    );
    assert_eq!(
        refusal(&body("example.com/v1", "Boat", &[])),
        "no kind `Boat` of `example.com/v1` is known in protobuf"
    );
    assert_eq!(refusal(b"{}"), ProtobufError::NoEnvelope.to_string());
    assert_eq!(refusal(b"k8s\0\x0a"), ProtobufError::Envelope.to_string());
}

#[test]
fn depth_and_size_are_limited() {
    // `not` is a schema in a schema.
    let mut schema = Vec::new();
    for _ in 0..10_000 {
        schema = bytes(28, &schema);
    }
    let validation = bytes(1, &schema);
    let version = bytes(7, &bytes(4, &validation));
    let kind = "CustomResourceDefinition";
    let definition = body("apiextensions.k8s.io/v1", kind, &bytes(2, &version));
    assert!(refusal(&definition).ends_with("lies deeper than 100 levels"));

    let containers = bytes(2, &[]).repeat(1_000_000);
    let pod = body("v1", "Pod", &bytes(2, &containers));
    assert_eq!(refusal(&pod), "the object has more than 250000 values");

    // An envelope in an envelope, and so on.
    let mut revision = body("apps/v1", "ControllerRevision", &[]);
    for _ in 0..1_000 {
        revision = body(
            "apps/v1",
            "ControllerRevision",
            &bytes(2, &bytes(1, &revision)),
        );
    }
    assert!(refusal(&revision).ends_with("lies deeper than 100 levels"));
}

#[test]
fn no_bytes_do_any_harm() {
    let mut seeds: Vec<Vec<u8>> = kubectl_bodies().into_values().collect();
    for (api_version, kind) in [
        ("apps/v1", "StatefulSet"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("authentication.k8s.io/v1", "TokenReview"),
    ] {
        let structure = Catalog::get().kind_of(api_version, kind).unwrap().structure;
        let object = filled::object(structure.unwrap(), SERVED);
        seeds.push(written::body(structure.unwrap(), &object, SERVED));
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(limit).unwrap()).unwrap()
    };
    for _ in 0..200 {
        for seed in &seeds {
            let mut mutant = seed.clone();
            for _ in 0..=next(4) {
                let at = next(mutant.len());
                match next(4) {
                    0 => mutant[at] = u8::try_from(next(256)).unwrap(),
                    1 => mutant.truncate(at.max(1)),
                    2 => mutant.insert(at, u8::try_from(next(256)).unwrap()),
                    _ => {
                        mutant.remove(at);
                        mutant.push(0);
                    }
                }
            }
            fuzz::protobuf(&mutant);
        }
    }
}
