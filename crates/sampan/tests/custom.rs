//! Custom resources, with the real `kubectl`. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};

const LIMIT: Duration = Duration::from_mins(1);

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

fn field(server: &Server<'_>, what: &str, path: &str) -> String {
    kubectl(server, &format!("get {what} -o jsonpath={path}")).stdout()
}

const BOATS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {kind: Boat, plural: boats, singular: boat, shortNames: [bo], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Length, type: integer, jsonPath: .spec.length}
    - {name: Afloat, type: string, jsonPath: '.status.conditions[?(@.type=="Afloat")].status'}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [length]
            properties:
              length: {type: integer, minimum: 1}
              rig: {type: string, default: junk}
              cargo: {type: array, items: {type: string}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

const BOAT: &str = "
apiVersion: harbour.example/v1
kind: Boat
metadata: {name: kwan, labels: {of: harbour}}
spec: {length: 4, cargo: [rice]}
";

fn define(server: &Server<'_>) {
    let _applied = server.apply(BOATS).expect_code(0);
    let wait = "wait --for=condition=established crd/boats.harbour.example --timeout=30s";
    let _established = kubectl(server, wait).expect_code(0);
}

#[test]
fn custom_resources_are_served_like_any_other() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "boats");
    let server = site.up();
    define(&server);
    let resources = kubectl(&server, "api-resources --api-group=harbour.example").stdout();
    assert!(
        resources.contains("boats") && resources.contains("bo "),
        "{resources}"
    );
    let _applied = server.apply(BOAT).expect_code(0);
    let again = server.apply(BOAT).stdout();
    assert!(again.ends_with("unchanged\n"), "{again}");
    assert_eq!(field(&server, "boat/kwan", "{.spec.rig}"), "junk");
    assert_eq!(
        field(
            &server,
            "boats.v1beta1.harbour.example/kwan",
            "{.apiVersion}"
        ),
        "harbour.example/v1beta1"
    );
    let row = kubectl(&server, "get bo --no-headers").stdout();
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row[..2], ["kwan", "4"]);
    let changed = BOAT.replace("length: 4", "length: 5");
    let _changed = server.apply(&changed).expect_code(0);
    assert_eq!(field(&server, "boat/kwan", "{.metadata.generation}"), "2");
    let refused = server.apply(&BOAT.replace("length: 4", "length: 0"));
    let words = "spec.length in body should be greater than or equal to 1";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    let unknown = server.apply(&BOAT.replace("length: 4", "length: 4, sails: 2"));
    assert_eq!(
        field(&server, "boat/kwan", "{.spec.sails}"),
        "",
        "{}",
        unknown.stderr
    );

    // They are there again before anybody asks after a restart.
    server.kill();
    let server = site.up();
    assert_eq!(field(&server, "boat/kwan", "{.spec.rig}"), "junk");

    // With the definition go its objects.
    let delete = "delete crd boats.harbour.example --timeout=30s";
    let _deleted = kubectl(&server, delete).expect_code(0);
    eventually("the resource to be gone", LIMIT, || {
        let gone = kubectl(&server, "get --raw /apis/harbour.example/v1/boats");
        (gone.code != Some(0)).then_some(())
    });
    define(&server);
    assert_eq!(field(&server, "boats", "{.items[*].metadata.name}"), "");
}

#[test]
fn what_a_definition_lacks_is_named() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "boats-wrong");
    let server = site.up();
    for (from, to, words) in [
        (
            "name: boats.harbour",
            "name: boat.harbour",
            "must be spec.names.plural+\".\"+spec.group",
        ),
        (
            "storage: true",
            "storage: false",
            "must have exactly one version marked as storage version",
        ),
        (
            "scope: Namespaced",
            "scope: Anywhere",
            "spec.scope: Unsupported value",
        ),
    ] {
        let refused = server.apply(&BOATS.replace(from, to));
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}
