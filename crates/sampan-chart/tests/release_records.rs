//! Records of releases: what Helm has written is read and written again, and what is no record is refused.

#[path = "../../../fuzz/releases.rs"]
mod releases;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sampan_chart::chart::{Chart, File};
use sampan_chart::compatibility::Compatibility;
use sampan_chart::release::{
    ChartRecord, Moment, Phase, RecordError, Status, decode, encode, from_secret, secret_name,
};
use serde_json::{Value as Json, json};

/// A record as Helm 4 writes it, with fields that Helm 3 does not know.
fn foreign() -> Json {
    json!({
        "name": "shop",
        "info": {
            "first_deployed": "2026-01-02T03:04:05.123456789+01:00",
            "last_deployed": "2026-01-02T03:04:05.123456789+01:00",
            "deleted": "",
            "description": "Install complete",
            "status": "deployed",
            "notes": "good day",
            "unheard_of": 1,
        },
        "chart": {"metadata": {"name": "shop", "version": "1.2.3", "appVersion": "9", "new": true}, "values": {"a": 1}},
        "config": {"b": {"c": null, "d": 1.5}},
        "manifest": "---\n# Source: shop/templates/a.yaml\nkind: A\n",
        "hooks": [{
            "name": "test", "kind": "Pod", "path": "shop/templates/t.yaml", "manifest": "kind: Pod", "events": ["test"],
            "last_run": {"started_at": "2026-01-02T03:04:06Z", "completed_at": "", "phase": "Running"},
            "delete_policies": ["hook-succeeded"], "weight": -5,
        }],
        "version": 3,
        "namespace": "default",
        "apply_method": "ssa",
    })
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory takes all");
    let packed = packed.finish().expect("memory takes all");
    STANDARD.encode(packed).into_bytes()
}

#[test]
fn records_of_helm_are_read_and_written_again_with_all_that_is_in_them() {
    let text = foreign().to_string();
    // The oldest records are not compressed.
    let plain = STANDARD.encode(&text).into_bytes();
    let release = decode(&packed(text.as_bytes())).expect("it is a record");
    assert_eq!(release, decode(&plain).expect("it is a record"));
    assert_eq!(release.info.status, Status::Deployed);
    assert_eq!(release.chart.full_name(), "shop-1.2.3");
    assert_eq!(release.hooks[0].last_run.phase, Phase::Running);
    assert_eq!(release.hooks[0].last_run.completed_at, Moment::default());
    assert!(release.is_applied_by_server());

    let written = encode(&release).expect("it can be JSON");
    let again = decode(written.as_bytes()).expect("it is a record");
    assert_eq!(again, release);
    let json = serde_json::to_value(&again).expect("it can be JSON");
    assert_eq!(json["info"]["unheard_of"], 1);
    assert_eq!(json["chart"], foreign()["chart"]);
    assert_eq!(json["apply_method"], "ssa");
    assert_eq!(json["info"]["deleted"], "");
}

#[test]
fn secrets_keep_the_labels_of_the_user_only() {
    let release = decode(&packed(foreign().to_string().as_bytes())).expect("it is a record");
    let text = encode(&release).expect("it can be JSON");
    let secret = json!({
        "metadata": {"labels": {"owner": "helm", "status": "deployed", "team": "blue", "createdAt": "1"}},
        "data": {"release": STANDARD.encode(text)},
    });
    let release = from_secret(&secret).expect("it holds a record");
    let labels: Vec<_> = release.labels.into_iter().collect();
    assert_eq!(labels, [("team".to_owned(), "blue".to_owned())]);
    assert_eq!(secret_name("shop", 3), "sh.helm.release.v1.shop.v3");
}

#[test]
fn what_is_no_record_is_refused() {
    assert!(matches!(decode(b"*"), Err(RecordError::Base64(_))));
    let cut = STANDARD.encode([0x1f, 0x8b, 0x08, 0, 0]);
    assert!(matches!(
        decode(cut.as_bytes()),
        Err(RecordError::Unpack(_))
    ));
    assert!(matches!(decode(&packed(b"[]")), Err(RecordError::Json(_))));
    assert!(matches!(from_secret(&json!({})), Err(RecordError::Missing)));
    // It fits into a Secret, and unpacks to more than any record may have.
    let bomb = packed(&vec![b' '; 65 << 20]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert!(matches!(decode(&bomb), Err(RecordError::TooLarge)));
}

#[test]
fn charts_are_kept_in_the_form_of_helm() {
    let file = |name: &str, text: &str| File {
        name: name.to_owned(),
        data: text.as_bytes().into(),
    };
    let files = vec![
        file(
            "Chart.yaml",
            "apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: '7'\ndeprecated: true\n",
        ),
        file("values.yaml", "replicas: 2\nshare: 0.5\n"),
        file("templates/a.yaml", "kind: A"),
        file("README.md", "read me"),
        file("Chart.lock", "generated: never\ndigest: d\n"),
    ];
    let chart = Chart::from_files(files, Compatibility::Helm3).expect("it is a chart");
    let record = serde_json::to_value(ChartRecord::of(&chart)).expect("it is JSON");
    assert_eq!(
        record,
        json!({
            "metadata": {"apiVersion": "v2", "name": "shop", "version": "1.2.3", "appVersion": "7", "deprecated": true},
            // Helm reads no record with a time that is none.
            "lock": {"generated": "0001-01-01T00:00:00Z", "digest": "d", "dependencies": []},
            "templates": [{"name": "templates/a.yaml", "data": STANDARD.encode("kind: A")}],
            "values": {"replicas": 2, "share": 0.5},
            "schema": null,
            "files": [{"name": "README.md", "data": STANDARD.encode("read me")}],
        })
    );
}

#[test]
fn damaged_records_are_read_or_refused() {
    let text = foreign().to_string().into_bytes();
    // Every place loses a byte, or gets another one.
    for place in 0..text.len() {
        let mut short = text.clone();
        short.remove(place);
        releases::record(&short);
        for byte in [b'0', b'"', b'{', 0xff] {
            let mut other = text.clone();
            other[place] = byte;
            releases::record(&other);
        }
    }
    let packed = packed(&text);
    for end in 0..packed.len() {
        releases::record(&packed[..end]);
    }
}
