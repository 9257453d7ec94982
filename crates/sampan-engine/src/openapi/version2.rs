//! The document of OpenAPI 2, which older clients read in protobuf
//! (`openapi.v2.Document`, as defined by the gnostic project).

use serde_json::{Map, Value, json};

use super::{PARAMETERS, VERSION, kind_of, object_paths};
use crate::resources::{self, Resource};

/// The media type under which clients ask for the protobuf form.
pub const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// The media type of the answer: with an `@` in it, clients could not parse it.
pub const PROTOBUF_ANSWER: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// The document in JSON.
#[must_use]
pub fn json() -> Value {
    let paths: Map<String, Value> = resources::all()
        .iter()
        .map(|resource| {
            let parameters: Vec<Value> = PARAMETERS
                .iter()
                .map(|name| json!({"name": name, "in": "query", "type": "string"}))
                .collect();
            let patch = json!({
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-group-version-kind": kind_of(resource),
            });
            (object_paths(resource).1, json!({"patch": patch}))
        })
        .collect();
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
    })
}

/// The document in protobuf: which kinds can be patched, and with which parameters.
#[must_use]
pub fn protobuf() -> Vec<u8> {
    let info = Message::default().text(1, "Kubernetes").text(2, VERSION);
    let paths = resources::all()
        .iter()
        .fold(Message::default(), |paths, resource| {
            paths.message(2, &path(resource))
        });
    Message::default()
        .text(1, "2.0")
        .message(2, &info)
        .message(8, &paths)
        .0
}

/// A `NamedPathItem` with the PATCH operation.
fn path(resource: &Resource) -> Message {
    let kind = Message::default().text(2, &kind_of(resource).to_string());
    let extension = Message::default()
        .text(1, "x-kubernetes-group-version-kind")
        .message(2, &kind);
    let patch = PARAMETERS
        .iter()
        .fold(Message::default(), |patch, name| {
            patch.message(8, &query_parameter(name))
        })
        .message(13, &extension);
    let item = Message::default().message(8, &patch);
    Message::default()
        .text(1, &object_paths(resource).1)
        .message(2, &item)
}

/// A `ParametersItem` of the query.
fn query_parameter(name: &str) -> Message {
    let parameter = Message::default().text(2, "query").text(4, name);
    let not_in_body = Message::default().message(3, &parameter);
    let parameter = Message::default().message(2, &not_in_body);
    Message::default().message(1, &parameter)
}

/// A protobuf message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn text(self, field: u8, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u8, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// A field of the wire type 2: its tag, its length, its bytes.
    fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.0.push(field << 3 | 2);
        let mut length = bytes.len();
        while length >= 0x80 {
            self.0
                .push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        self.0.push(u8::try_from(length).unwrap_or_default());
        self.0.extend_from_slice(bytes);
        self
    }
}
