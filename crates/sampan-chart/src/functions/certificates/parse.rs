//! Reading of certificates, as far as signing needs them.

use super::der::{INTEGER, OBJECT, OCTET_STRING, Reader, SEQUENCE, context};

/// The identifier of the extension that names the subject's key.
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];

/// Bytes that are no certificate.
#[derive(Debug, thiserror::Error)]
#[error("x509: malformed certificate")]
pub(super) struct Malformed;

/// Who signs.
pub(super) struct Signer {
    /// The name, encoded.
    pub(super) subject: Vec<u8>,
    /// The public key with its algorithm, encoded.
    pub(super) public: Vec<u8>,
    /// What certificates call the key by; may be empty.
    pub(super) key_id: Vec<u8>,
}

pub(super) fn certificate(der: &[u8]) -> Result<Signer, Malformed> {
    read(der).ok_or(Malformed)
}

fn read(der: &[u8]) -> Option<Signer> {
    let mut outer = Reader::new(der);
    let mut certificate = outer.sequence()?;
    if !outer.is_empty() {
        return None;
    }
    let mut body = certificate.sequence()?;
    let first = body.next()?;
    if first.tag == context(0) {
        body.expect(INTEGER)?;
    }
    let _algorithm = body.expect(SEQUENCE)?;
    let _issuer = body.expect(SEQUENCE)?;
    let _validity = body.expect(SEQUENCE)?;
    let subject = body.expect(SEQUENCE)?.encoded.to_vec();
    let public = body.expect(SEQUENCE)?.encoded.to_vec();
    let mut key_id = Vec::new();
    while let Some(part) = body.next() {
        if part.tag == context(3) {
            key_id = find_key_id(part.content).unwrap_or_default();
        }
    }
    Some(Signer {
        subject,
        public,
        key_id,
    })
}

fn find_key_id(extensions: &[u8]) -> Option<Vec<u8>> {
    let mut extensions = Reader::new(extensions).sequence()?;
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        if extension.expect(OBJECT)?.content != SUBJECT_KEY_ID {
            continue;
        }
        while let Some(part) = extension.next() {
            if part.tag == OCTET_STRING {
                let id = Reader::new(part.content).expect(OCTET_STRING)?;
                return Some(id.content.to_vec());
            }
        }
    }
    None
}
