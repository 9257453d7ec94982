//! What must hold for any bytes that a client of `kubectl exec` may send: a frame or a refusal, no panic, bounded memory.
//!
//! The files are those of the engine, which keeps them to itself.

use std::io;

#[path = "../crates/sampan-engine/src/streams/spdy/dictionary.rs"]
mod dictionary;
#[path = "../crates/sampan-engine/src/streams/spdy/frame.rs"]
mod frame;
#[path = "../crates/sampan-engine/src/streams/spdy/header.rs"]
mod header;

/// Reads frame after frame, and the header blocks in them.
pub fn frames(mut bytes: &[u8]) {
    let mut headers = header::Decompressor::default();
    while let Some((head, rest)) = bytes.split_first_chunk::<{ frame::HEADER_BYTES }>() {
        let length = frame::payload_length(*head).min(rest.len());
        let (payload, rest) = rest.split_at(length);
        bytes = rest;
        let Some(frame) = frame::Frame::decode(*head, payload.to_vec().into()) else {
            return;
        };
        if let frame::Frame::SynStream { headers: block, .. } = frame
            && headers.decompress(&block).is_err()
        {
            return;
        }
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
