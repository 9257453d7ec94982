//! The frames of SPDY/3.1.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The size of the part that all frames begin with.
pub(super) const HEADER_BYTES: usize = 8;
/// The largest payload that is taken.
pub(super) const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

const VERSION: u16 = 3;
const CONTROL: u32 = 1 << 31;
const LAST: u8 = 1;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RESET: u16 = 3;
const PING: u16 = 6;
const GO_AWAY: u16 = 7;
const HEADERS: u16 = 8;

/// One frame; header blocks are still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    SynStream {
        stream: u32,
        last: bool,
        headers: Bytes,
    },
    SynReply {
        stream: u32,
        headers: Bytes,
    },
    Reset {
        stream: u32,
    },
    Ping {
        id: u32,
    },
    GoAway,
    Headers {
        stream: u32,
        last: bool,
        headers: Bytes,
    },
    Data {
        stream: u32,
        last: bool,
        data: Bytes,
    },
    /// A frame that says nothing here: settings, windows.
    Other,
}

/// The length of what follows the frame's header.
pub(super) fn payload_length(head: [u8; HEADER_BYTES]) -> usize {
    usize::from(head[5]) << 16 | usize::from(head[6]) << 8 | usize::from(head[7])
}

impl Frame {
    /// Reads a frame; `None` when it is malformed or of another version.
    pub(super) fn decode(head: [u8; HEADER_BYTES], mut payload: Bytes) -> Option<Self> {
        let first = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let last = head[4] & LAST != 0;
        if first & CONTROL == 0 {
            return Some(Self::Data {
                stream: first,
                last,
                data: payload,
            });
        }
        if u16::from_be_bytes([head[0] & 0x7f, head[1]]) != VERSION {
            return None;
        }
        let kind = u16::from_be_bytes([head[2], head[3]]);
        let frame = match kind {
            SYN_STREAM => {
                let stream = stream_id(&mut payload)?;
                // The stream it belongs to, its priority and slot say nothing here.
                let headers = payload.get(6..).map(|_| payload.slice(6..))?;
                Self::SynStream {
                    stream,
                    last,
                    headers,
                }
            }
            SYN_REPLY | HEADERS => {
                let stream = stream_id(&mut payload)?;
                Self::Headers {
                    stream,
                    last,
                    headers: payload,
                }
            }
            RESET => Self::Reset {
                stream: stream_id(&mut payload)?,
            },
            PING => Self::Ping {
                id: payload.try_get_u32().ok()?,
            },
            GO_AWAY => Self::GoAway,
            _ => Self::Other,
        };
        Some(frame)
    }

    /// The frame as bytes.
    pub(super) fn encode(&self) -> Bytes {
        match self {
            Self::Data { stream, last, data } => {
                let mut bytes = BytesMut::with_capacity(HEADER_BYTES + data.len());
                bytes.put_u32(*stream);
                put_length(&mut bytes, *last, data.len());
                bytes.put_slice(data);
                bytes.freeze()
            }
            Self::SynStream {
                stream,
                last,
                headers,
            } => {
                let mut payload = stream.to_be_bytes().to_vec();
                payload.extend_from_slice(&[0; 6]);
                payload.extend_from_slice(headers);
                control(SYN_STREAM, *last, &payload)
            }
            Self::SynReply { stream, headers } => control(
                SYN_REPLY,
                false,
                &[&stream.to_be_bytes()[..], headers].concat(),
            ),
            Self::Headers {
                stream,
                last,
                headers,
            } => control(
                HEADERS,
                *last,
                &[&stream.to_be_bytes()[..], headers].concat(),
            ),
            Self::Reset { stream } => {
                const REFUSED: u32 = 3;
                let payload = [stream.to_be_bytes(), REFUSED.to_be_bytes()].concat();
                control(RESET, false, &payload)
            }
            Self::Ping { id } => control(PING, false, &id.to_be_bytes()),
            // The last stream that was taken and the reason: none in particular, and all is well.
            Self::GoAway => control(GO_AWAY, false, &[0; 8]),
            Self::Other => Bytes::new(),
        }
    }
}

fn stream_id(payload: &mut Bytes) -> Option<u32> {
    Some(payload.try_get_u32().ok()? & !CONTROL)
}

fn control(kind: u16, last: bool, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER_BYTES + payload.len());
    bytes.put_u32(CONTROL | u32::from(VERSION) << 16 | u32::from(kind));
    put_length(&mut bytes, last, payload.len());
    bytes.put_slice(payload);
    bytes.freeze()
}

fn put_length(bytes: &mut BytesMut, last: bool, length: usize) {
    bytes.put_u8(if last { LAST } else { 0 });
    bytes.put_uint(length as u64, 3);
}
