use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::frame::{Frame, HEADER_BYTES, payload_length};
use super::header::{Compressor, Decompressor};
use super::serve;

async fn read(io: &mut DuplexStream) -> Frame {
    let mut head = [0; HEADER_BYTES];
    io.read_exact(&mut head).await.unwrap();
    let mut payload = vec![0; payload_length(head)];
    io.read_exact(&mut payload).await.unwrap();
    Frame::decode(head, payload.into()).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn header_blocks_share_one_compressed_text() {
    let mut compressor = Compressor::new().unwrap();
    let mut decompressor = Decompressor::default();
    for round in 0..5 {
        let long = "x".repeat(round * 3000);
        let block = pairs(&[("streamtype", "error"), ("port", "80"), ("long", &long)]);
        let compressed = compressor.compress(&block).unwrap();
        assert_eq!(decompressor.decompress(&compressed).unwrap(), block);
    }
    assert!(decompressor.decompress(b"nonsense").is_err());
}

#[tokio::test]
async fn a_stream_carries_both_halves() {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let (mut accept, work) = serve(server);
    let session = async move {
        let mut stream = accept.next().await.unwrap();
        assert_eq!(stream.headers["streamtype"], "stdin");
        assert_eq!(stream.input.recv().await.unwrap(), "hello");
        assert_eq!(stream.input.recv().await, None);
        stream
            .output
            .send(Bytes::from_static(b"bye"))
            .await
            .unwrap();
        stream.output.finish().await.unwrap();
        accept.go_away().await;
    };
    let talk = async move {
        let headers = Compressor::new()
            .unwrap()
            .compress(&pairs(&[("streamType", "stdin")]))
            .unwrap();
        for frame in [
            Frame::SynStream {
                stream: 1,
                last: false,
                headers,
            },
            Frame::Ping { id: 7 },
            Frame::Data {
                stream: 1,
                last: false,
                data: Bytes::from_static(b"hello"),
            },
            Frame::Data {
                stream: 1,
                last: true,
                data: Bytes::new(),
            },
        ] {
            client.write_all(&frame.encode()).await.unwrap();
        }
        // A reply reads as headers.
        assert!(matches!(
            read(&mut client).await,
            Frame::Headers { stream: 1, .. }
        ));
        assert_eq!(read(&mut client).await, Frame::Ping { id: 7 });
        let data = Bytes::from_static(b"bye");
        assert_eq!(
            read(&mut client).await,
            Frame::Data {
                stream: 1,
                last: false,
                data
            }
        );
        let data = Bytes::new();
        assert_eq!(
            read(&mut client).await,
            Frame::Data {
                stream: 1,
                last: true,
                data
            }
        );
        assert_eq!(read(&mut client).await, Frame::GoAway);
    };
    let (worked, (), ()) = tokio::join!(work, session, talk);
    worked.unwrap();
}

#[tokio::test]
async fn nonsense_ends_the_connection() {
    let (mut client, server) = tokio::io::duplex(1024);
    let (_accept, work) = serve(server);
    client
        .write_all(&[0x80, 9, 0, 1, 0, 0, 0, 0])
        .await
        .unwrap();
    assert!(work.await.is_err());
}

/// Any bytes, from a fixed seed, give a frame or a refusal.
#[test]
fn damaged_frames_are_refused_calmly() {
    let pairs = BTreeMap::from([("streamtype".to_owned(), "stdin".to_owned())]);
    let headers = Compressor::new()
        .and_then(|mut compressor| compressor.compress(&pairs))
        .expect("a header block");
    let good = Frame::SynStream {
        stream: 1,
        last: false,
        headers,
    }
    .encode();
    let mut state: u64 = 0x7c15_9e37;
    let mut next = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 0xffff).expect("it is small") % bound
    };
    for _ in 0..20_000 {
        let mut bytes = good.to_vec();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).expect("it is a byte");
        }
        bytes.truncate(HEADER_BYTES + next(bytes.len() - HEADER_BYTES + 1));
        let (head, payload) = bytes.split_first_chunk().expect("a whole header");
        if let Some(Frame::SynStream { headers, .. }) =
            Frame::decode(*head, payload.to_vec().into())
            && let Ok(pairs) = Decompressor::default().decompress(&headers)
        {
            assert!(pairs.len() < 1_000, "{pairs:?}");
        }
    }
}
