//! The coding of records as Secrets: JSON, compressed, in base64, with labels to find them by.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sampan_model::Hint;
use serde_json::{Value as Json, json};

use super::record::Release;
use crate::release::target::ObjectId;

/// The type of Secrets that hold records.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";

/// How many bytes the JSON of a record can have. A Secret holds one mebibyte, but it is compressed.
const RECORD_BYTES: u64 = 64 << 20;

/// The labels that are not the user's.
pub(super) const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

/// How records that are compressed begin; the oldest are not.
const COMPRESSED: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The Secret has no record in it.
    #[error("the Secret holds no record of a release")]
    Missing,
    /// The text is not base64.
    #[error("the record is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The text cannot be unpacked.
    #[error("the record cannot be unpacked")]
    Unpack(#[source] std::io::Error),
    /// The record is too large.
    #[error("the record is larger than {RECORD_BYTES} bytes")]
    TooLarge,
    /// The JSON is not that of a release.
    #[error("the record is not that of a release")]
    Json(#[source] serde_json::Error),
}

impl Hint for RecordError {}

/// The record in the text of a Secret.
///
/// # Errors
/// When there is none in it, or it is too large.
pub fn decode(text: &[u8]) -> Result<Release, RecordError> {
    let mut bytes = STANDARD.decode(text).map_err(RecordError::Base64)?;
    if bytes.starts_with(&COMPRESSED) {
        let mut unpacked = Vec::new();
        let reader = GzDecoder::new(bytes.as_slice());
        let read = reader.take(RECORD_BYTES + 1).read_to_end(&mut unpacked);
        let length = read.map_err(RecordError::Unpack)?;
        if length as u64 > RECORD_BYTES {
            return Err(RecordError::TooLarge);
        }
        bytes = unpacked;
    }
    serde_json::from_slice(&bytes).map_err(RecordError::Json)
}

/// The text of a Secret for a record.
///
/// # Errors
/// When the record cannot be JSON.
pub fn encode(release: &Release) -> Result<String, RecordError> {
    let json = serde_json::to_vec(release).map_err(RecordError::Json)?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&json).map_err(RecordError::Unpack)?;
    Ok(STANDARD.encode(packed.finish().map_err(RecordError::Unpack)?))
}

/// The name of the Secret of a revision.
#[must_use]
pub fn secret_name(release: &str, version: u32) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The Secret that holds a revision.
pub(super) fn id(namespace: &str, release: &str, version: u32) -> ObjectId {
    ObjectId {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: secret_name(release, version),
    }
}

/// A Secret that holds a record. `stamp` names the label with the time, in seconds.
///
/// # Errors
/// When the record cannot be JSON.
pub(super) fn to_secret(release: &Release, stamp: (&str, i64)) -> Result<Json, RecordError> {
    let mut labels = release.labels.clone();
    for (name, value) in [
        ("name", release.name.clone()),
        ("owner", "helm".to_owned()),
        ("status", release.info.status.to_string()),
        ("version", release.version.to_string()),
        (stamp.0, stamp.1.to_string()),
    ] {
        labels.insert(name.to_owned(), value);
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": SECRET_TYPE,
        "metadata": {
            "name": secret_name(&release.name, release.version),
            "namespace": release.namespace,
            "labels": labels,
        },
        "data": {"release": STANDARD.encode(encode(release)?)},
    }))
}

/// The record that a Secret holds.
///
/// # Errors
/// When there is none in it.
pub fn from_secret(secret: &Json) -> Result<Release, RecordError> {
    let text = secret.pointer("/data/release").and_then(Json::as_str);
    let text = STANDARD.decode(text.ok_or(RecordError::Missing)?);
    let mut release = decode(&text.map_err(RecordError::Base64)?)?;
    let labels = secret.pointer("/metadata/labels").and_then(Json::as_object);
    let labels = labels.into_iter().flatten();
    let labels = labels.filter(|(name, _)| !SYSTEM_LABELS.contains(&name.as_str()));
    release.labels = labels
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    // Records written before Helm kept the namespace inside have it outside only.
    if release.namespace.is_empty() {
        let namespace = secret.pointer("/metadata/namespace").and_then(Json::as_str);
        namespace
            .unwrap_or_default()
            .clone_into(&mut release.namespace);
    }
    Ok(release)
}
