//! `index.yaml`: what Helm reads.
//!
//! Helm reads it strictly into `repo.IndexFile`: every field must be known and of its type, texts above all.

use jiff::Timestamp;
use sampan_oci::Digest;
use serde_json::{Value, json};

use crate::fixture::Registry;
use crate::packing::{Folder, curl, index, push, send};

/// The fields of `repo.ChartVersion` that are texts.
const TEXTS: [&str; 13] = [
    "name",
    "home",
    "version",
    "description",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "kubeVersion",
    "type",
    "digest",
    "created",
];
const LISTS: [&str; 5] = ["sources", "keywords", "maintainers", "dependencies", "urls"];

fn versions(index: &Value, chart: &str) -> Vec<String> {
    let entries = index["entries"][chart].as_array().unwrap();
    let version = |entry: &Value| entry["version"].as_str().unwrap().to_owned();
    entries.iter().map(version).collect()
}

/// Makes sure that Helm would take every field as what it is.
fn assert_strict(index: &Value) {
    let fields: Vec<&String> = index.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["apiVersion", "entries", "generated", "serverInfo"]);
    assert_eq!(index["apiVersion"], "v1");
    index["generated"]
        .as_str()
        .unwrap()
        .parse::<Timestamp>()
        .unwrap();
    for entry in index["entries"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|list| list.as_array().unwrap())
    {
        for (field, value) in entry.as_object().unwrap() {
            let fits = match field.as_str() {
                "annotations" => value.as_object().unwrap().values().all(Value::is_string),
                "deprecated" => value.is_boolean(),
                list if LISTS.contains(&list) => value.is_array(),
                text => TEXTS.contains(&text) && value.is_string(),
            };
            assert!(fits, "{field}: {value}");
        }
        for required in ["apiVersion", "name", "version", "digest", "created"] {
            assert!(entry[required].is_string(), "{required}");
        }
        entry["created"]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap();
        assert_eq!(entry["urls"].as_array().unwrap().len(), 1);
    }
}

/// What a chart may say that readers of YAML could take for something else.
fn difficult() -> Value {
    json!({
        "apiVersion": "v2", "name": "web", "version": "2.0.0+b.1", "appVersion": "yes", "description": "a: \"b\" # \u{e9}\u{7f}",
        "keywords": ["1.0", "on"], "maintainers": [{"name": "A", "email": "a@b.c"}], "annotations": {"1": "2", "x": "null"},
        "dependencies": [{"name": "db", "version": "~1", "repository": "", "import-values": [{"child": "a", "parent": "b"}]}],
        "deprecated": true, "type": "application",
    })
}

#[test]
fn both_forms_stand_in_one_index() {
    let (registry, folder) = (Registry::start(), Folder::new());
    for version in ["1.9.0", "1.10.0", "1.10.0-rc.1"] {
        send(
            &registry,
            &folder.chart("web", version),
            "/charts/api/team/charts",
        )
        .expect(201);
    }
    let metadata = difficult();
    let package = push(&registry, "team/web", "2.0.0_b.1", &metadata);
    push(
        &registry,
        "team/db",
        "latest",
        &json!({"apiVersion": "v2", "name": "db", "version": "0.1.0"}),
    );
    registry.push_image("team/other", "1", "an image");
    // A shelf whose name begins alike, and a chart that is none.
    push(
        &registry,
        "team-2/web",
        "9.0.0",
        &json!({"apiVersion": "v2", "name": "web", "version": "9.0.0"}),
    );
    push(
        &registry,
        "team/bad",
        "1",
        &json!({"apiVersion": "v2", "name": "bad", "version": "one"}),
    );

    let reply = registry.get("/charts/team/index.yaml").expect(200);
    assert_eq!(reply.header("content-type"), "application/x-yaml");
    let read = index(&reply);
    assert_strict(&read);
    assert_eq!(read["entries"].as_object().unwrap().len(), 2);
    assert_eq!(
        versions(&read, "web"),
        ["2.0.0+b.1", "1.10.0", "1.10.0-rc.1", "1.9.0"]
    );
    assert_eq!(versions(&read, "db"), ["0.1.0"]);
    let newest = &read["entries"]["web"][0];
    assert_eq!(newest["urls"], json!(["charts/web-2.0.0+b.1.tgz"]));
    assert_eq!(newest["digest"], Digest::of_bytes(&package).hex());
    assert_eq!(
        (&newest["appVersion"], &newest["keywords"]),
        (&json!("yes"), &metadata["keywords"])
    );
    assert_eq!(newest["dependencies"], metadata["dependencies"]);
    // Helm takes out what cannot be printed.
    assert_eq!(newest["description"], "a: \"b\" # \u{e9}");
    // Unquoted in the chart, as people write it; Helm makes this of it.
    assert_eq!(read["entries"]["web"][1]["appVersion"], "1.1");
    for file in ["web-2.0.0+b.1.tgz", "web-2.0.0%2Bb.1.tgz"] {
        let fetched = registry
            .get(&format!("/charts/team/charts/{file}"))
            .expect(200);
        assert_eq!(fetched.body, package);
        assert_eq!(fetched.header("content-type"), "application/x-tar");
    }
    registry
        .get("/charts/team/charts/web-3.0.0.tgz")
        .expect(404);
    registry
        .get("/charts/team/charts/web-latest.tgz")
        .expect(404);
    registry
        .ask("HEAD /charts/team/index.yaml", &[], b"")
        .expect(200);
    assert_eq!(
        index(&registry.get("/charts/nobody/index.yaml").expect(200))["entries"],
        json!({})
    );
}

#[test]
fn clients_that_have_the_index_do_not_get_it_again() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let fetch =
        |headers: &[(&str, &str)]| registry.ask("GET /charts/team/index.yaml", headers, b"");
    send(
        &registry,
        &folder.chart("web", "1.0.0"),
        "/charts/api/team/charts",
    )
    .expect(201);
    let first = fetch(&[]).expect(200);
    let (tag, date) = (first.header("etag"), first.header("last-modified"));
    // What happens elsewhere changes nothing here.
    send(
        &registry,
        &folder.chart("web", "1.0.0"),
        "/charts/api/other/charts",
    )
    .expect(201);
    for header in [("If-None-Match", tag), ("If-Modified-Since", date)] {
        let again = fetch(&[header]).expect(304);
        assert_eq!((again.header("etag"), again.body.len()), (tag, 0));
    }
    // A change within the same second is one, too.
    send(
        &registry,
        &folder.chart("web", "1.0.1"),
        "/charts/api/team/charts",
    )
    .expect(201);
    for header in [("If-None-Match", tag), ("If-Modified-Since", date)] {
        let changed = fetch(&[header]).expect(200);
        assert_ne!(
            (changed.header("etag"), changed.header("last-modified")),
            (tag, date)
        );
        assert_eq!(versions(&index(&changed), "web"), ["1.0.1", "1.0.0"]);
    }
    // So is a delete, in either way.
    curl(
        &registry,
        &["-X", "DELETE", "/charts/api/team/charts/web/1.0.1"],
    )
    .expect(200);
    assert_eq!(versions(&index(&fetch(&[])), "web"), ["1.0.0"]);
    registry
        .ask("DELETE /v2/team/web/manifests/1.0.0", &[], b"")
        .expect(202);
    assert_eq!(
        index(&fetch(&[("If-None-Match", tag)]))["entries"],
        json!({})
    );
}

#[test]
fn a_shelf_has_what_lies_on_those_below_it() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let file = folder.chart("web", "1.0.0");
    send(&registry, &file, "/charts/team/a/api/charts").expect(201);
    send(
        &registry,
        &folder.chart("db", "1.0.0"),
        "/charts/api/team/charts",
    )
    .expect(201);
    let above = index(&registry.get("/charts/team/index.yaml").expect(200));
    assert_strict(&above);
    assert_eq!(
        above["entries"]["db"][0]["urls"],
        json!(["charts/db-1.0.0.tgz"])
    );
    assert_eq!(
        above["entries"]["web"][0]["urls"],
        json!(["a/charts/web-1.0.0.tgz"])
    );
    let below = index(&registry.get("/charts/team/a/index.yaml").expect(200));
    assert_eq!(below["entries"].as_object().unwrap().len(), 1);
    let fetched = registry
        .get("/charts/team/a/charts/web-1.0.0.tgz")
        .expect(200);
    assert_eq!(fetched.body, std::fs::read(file).unwrap());
    // One of the same name and version that is nearer hides it.
    send(
        &registry,
        &folder.chart("web", "1.0.0"),
        "/charts/api/team/charts",
    )
    .expect(201);
    let above = index(&registry.get("/charts/team/index.yaml").expect(200));
    assert_eq!(above["entries"]["web"].as_array().unwrap().len(), 1);
    assert_eq!(
        above["entries"]["web"][0]["urls"],
        json!(["charts/web-1.0.0.tgz"])
    );
    // What lies in the repository of a project's own name belongs to it.
    push(
        &registry,
        "solo",
        "1.0.0",
        &json!({"apiVersion": "v2", "name": "solo", "version": "1.0.0"}),
    );
    let solo = index(&registry.get("/charts/solo/index.yaml").expect(200));
    assert_eq!(
        solo["entries"]["solo"][0]["urls"],
        json!(["charts/solo-1.0.0.tgz"])
    );
    registry
        .get("/charts/solo/charts/solo-1.0.0.tgz")
        .expect(200);
}
