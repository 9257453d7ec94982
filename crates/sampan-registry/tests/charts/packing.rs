//! Packed charts, and curl.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::write::GzEncoder;
use sampan_oci::archive::{ArchiveWriter, Entry};
use sampan_testkit::Finished;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{MANIFEST, Registry, Reply};

/// A folder with charts that curl can send.
pub(crate) struct Folder(TempDir);

/// What curl got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A packed chart that says nothing but its name and version.
    pub(crate) fn chart(&self, name: &str, version: &str) -> PathBuf {
        let yaml = format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 1.10\n");
        self.file(&format!("{name}-{version}.tgz"), &chart(&yaml))
    }

    pub(crate) fn provenance(&self, name: &str, version: &str) -> PathBuf {
        let text = provenance(name, version);
        self.file(&format!("{name}-{version}.tgz.prov"), text.as_bytes())
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A packed chart with this description of itself and a template.
pub(crate) fn chart(yaml: &str) -> Vec<u8> {
    let template = "kind: ConfigMap\n".repeat(100);
    packed(&[
        (
            Entry::file("any/Chart.yaml", yaml.len() as u64),
            yaml.as_bytes(),
        ),
        (
            Entry::file("any/templates/map.yaml", template.len() as u64),
            template.as_bytes(),
        ),
    ])
}

pub(crate) fn packed(files: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (entry, bytes) in files {
        archive.append(entry, &mut &bytes[..]).unwrap();
    }
    gzip(&archive.finish().unwrap())
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn provenance(name: &str, version: &str) -> String {
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: {name}\nversion: {version}\n\n...\n\
         files:\n  {name}-{version}.tgz: sha256:00\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
    )
}

/// Runs curl; the last argument is a path on the server.
pub(crate) fn curl(registry: &Registry, arguments: &[&str]) -> Answer {
    let (path, arguments) = arguments.split_last().unwrap();
    let url = format!("http://{}{path}", registry.address());
    let mut command = Command::new("curl");
    command
        .args(["-sS", "-w", "\n%{http_code}"])
        .args(arguments)
        .arg(url);
    let output = Finished::of(&mut command).stdout();
    let (body, status) = output
        .trim_end()
        .rsplit_once('\n')
        .unwrap_or(("", output.trim()));
    Answer {
        status: status.parse().unwrap(),
        body: body.to_owned(),
    }
}

/// Sends a file as the body.
pub(crate) fn send(registry: &Registry, file: &Path, path: &str) -> Answer {
    let data = format!("@{}", file.display());
    curl(registry, &["--data-binary", &data, path])
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Makes sure that it failed, as `ChartMuseum` says it.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, part: &str) {
        let answer = self.expect(status);
        let text = answer["error"].as_str().unwrap();
        assert!(text.contains(part), "{text}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
}

/// Pushes a chart as `helm push` does.
pub(crate) fn push(registry: &Registry, repository: &str, tag: &str, metadata: &Value) -> Vec<u8> {
    let package = chart(&metadata.to_string());
    let layer = registry.push_blob(repository, &package);
    let text = metadata.to_string();
    let config = registry.push_blob(repository, text.as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": config, "size": text.len()},
        "layers": [{
            "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "digest": layer,
            "size": package.len(),
        }],
    });
    registry
        .push_manifest(repository, tag, MANIFEST, &manifest)
        .expect(201);
    package
}

/// The index of a shelf, read strictly.
pub(crate) fn index(reply: &Reply) -> Value {
    let text = std::str::from_utf8(&reply.body).unwrap();
    let documents = sampan_model::yaml::documents("index.yaml", text).unwrap();
    assert_eq!(documents.len(), 1);
    documents[0].to_json()
}
