//! Objects in protobuf, as `kubectl` and programs in Go send them, turned into JSON.
//!
//! A body is the four bytes `k8s\0` and a `runtime.Unknown`: apiVersion, kind, and the object itself, in the messages of
//! the `generated.proto` files of Kubernetes, whose numbers the [catalogue](crate::catalog) has. The JSON is what a
//! client would have sent that writes JSON: what is empty and may be absent is absent.
//!
//! Bodies come from the network, so depth and the number of values are limited; what is written can only be larger than
//! what was read by a constant factor.

mod complete;
mod error;
mod message;
mod place;
mod scalar;
mod wire;

use serde_json::{Map, Value};

pub use error::ProtobufError;
use message::Decoder;
use wire::{Data, Reader};

use crate::version::Version;

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The media type of the bodies.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// Reads an object, with its `apiVersion` and `kind`, as a server of a version of Kubernetes does: what came later is left
/// out.
///
/// # Errors
/// When the bytes are no such body, the kind is not known, or a value does not fit its field.
pub fn decode(bytes: &[u8], version: Version) -> Result<Value, ProtobufError> {
    Decoder::new(version).object(bytes)
}

/// The `runtime.Unknown` around an object.
#[derive(Debug, Default, PartialEq, Eq)]
struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
    encoding: String,
    media_type: String,
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, ProtobufError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(ProtobufError::NoEnvelope)?;
        let mut envelope = Self::default();
        envelope
            .fill(body)
            .ok_or(ProtobufError::Envelope)
            .map(|()| envelope)
    }

    fn fill(&mut self, body: &'a [u8]) -> Option<()> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let mut reader = Reader::new(body);
        while let Some((number, data)) = reader.next().ok()? {
            match (number, data) {
                (1, Data::Bytes(meta)) => {
                    let mut reader = Reader::new(meta);
                    while let Some((number, data)) = reader.next().ok()? {
                        match (number, data) {
                            (1, Data::Bytes(bytes)) => self.api_version = text(bytes)?,
                            (2, Data::Bytes(bytes)) => self.kind = text(bytes)?,
                            _ => {}
                        }
                    }
                }
                (2, Data::Bytes(raw)) => self.raw = raw,
                (3, Data::Bytes(bytes)) => self.encoding = text(bytes)?,
                (4, Data::Bytes(bytes)) => self.media_type = text(bytes)?,
                _ => {}
            }
        }
        Some(())
    }

    /// An object with nothing but its kind.
    fn head(&self) -> Map<String, Value> {
        let mut head = Map::new();
        head.insert("apiVersion".to_owned(), self.api_version.as_str().into());
        head.insert("kind".to_owned(), self.kind.as_str().into());
        head
    }
}
