use serde_json::json;

use super::*;

fn digest(seed: &str) -> String {
    Digest::of_bytes(seed.as_bytes()).to_string()
}

fn manifest() -> serde_json::Value {
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest("c"), "size": 1},
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest("a"), "size": 1},
            {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": digest("b"), "size": 1},
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest("a"), "size": 1},
        ],
    })
}

fn parse(value: &serde_json::Value, header: Option<&str>) -> Result<Document, DocumentError> {
    Document::parse(value.to_string().as_bytes(), header)
}

#[test]
fn a_manifest_leads_to_each_blob_once() {
    let document = parse(&manifest(), Some(OCI_MANIFEST)).unwrap();
    let children: Vec<_> = document
        .children
        .iter()
        .map(|child| (child.digest.to_string(), child.foreign))
        .collect();
    assert_eq!(
        children,
        [
            (digest("c"), false),
            (digest("a"), false),
            (digest("b"), true)
        ]
    );
    assert_eq!(
        document.artifact_type.as_deref(),
        Some("application/vnd.oci.image.config.v1+json")
    );
}

#[test]
fn header_and_document_must_agree() {
    let with_parameter = format!("{OCI_MANIFEST}; charset=utf-8");
    assert!(parse(&manifest(), Some(&with_parameter)).is_ok());
    assert!(matches!(
        parse(&manifest(), Some(DOCKER_MANIFEST)),
        Err(DocumentError::Disagree { .. })
    ));
    let mut bare = manifest();
    bare.as_object_mut().unwrap().remove("mediaType");
    assert_eq!(
        parse(&bare, Some(DOCKER_MANIFEST)).unwrap().media_type,
        DOCKER_MANIFEST
    );
    assert_eq!(parse(&bare, None).unwrap().media_type, OCI_MANIFEST);
}

#[test]
fn documents_that_readers_would_understand_differently_are_refused() {
    let mut both = manifest();
    both["manifests"] = json!([]);
    assert!(matches!(parse(&both, None), Err(DocumentError::Ambiguous)));
    let index_by_header = parse(
        &json!({"schemaVersion": 2, "config": manifest()["config"], "layers": []}),
        Some(OCI_INDEX),
    );
    assert!(matches!(
        index_by_header,
        Err(DocumentError::Field { field: "manifests" })
    ));
    let old = parse(&json!({"schemaVersion": 1}), None);
    assert!(matches!(old, Err(DocumentError::Schema { version: 1 })));
}

#[test]
fn an_index_may_list_blobs_and_has_an_artifact_type_of_its_own_only() {
    let index = json!({
        "schemaVersion": 2,
        "manifests": [
            {"mediaType": OCI_MANIFEST, "digest": digest("m"), "size": 1},
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest("l"), "size": 1},
        ],
        "subject": {"mediaType": OCI_MANIFEST, "digest": digest("s"), "size": 1},
        "annotations": {"a": "b"},
    });
    let document = parse(&index, Some(OCI_INDEX)).unwrap();
    assert!(document.is_index);
    assert_eq!(document.children[0].kind, ChildKind::Manifest);
    assert_eq!(document.children[1].kind, ChildKind::Blob);
    assert_eq!(document.artifact_type, None);
    assert_eq!(document.subject.unwrap().to_string(), digest("s"));
    assert_eq!(document.annotations["a"], "b");
}
