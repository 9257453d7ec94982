//! Signatures: a document of the kind `signature` with the HMAC of all other documents.
//!
//! The HMAC goes over the lines of the documents as they are written, without the lines that part them, so that neither
//! comments nor spaces can be changed after signing.

use ring::hmac;
use sampan_model::yaml;

use crate::PipelineError;

/// Keys are at least this long.
pub const KEY_BYTES: usize = 32;

/// Checks that a file is signed with a key.
///
/// # Errors
/// [`PipelineError::Signature`] when it is not, or the key is shorter than [`KEY_BYTES`]; the errors of YAML.
pub fn verify(file: &str, text: &str, key: &[u8]) -> Result<(), PipelineError> {
    let problem = |problem| PipelineError::Signature {
        file: file.to_owned(),
        problem,
    };
    if key.len() < KEY_BYTES {
        return Err(problem("the key is shorter than 32 bytes"));
    }
    let (signed, signature) = parts(file, text)?;
    let signature = signature.ok_or_else(|| problem("the file must be signed, and is not"))?;
    let expected =
        hex::decode(&signature).map_err(|_| problem("the signature is no hexadecimal number"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, signed.as_bytes(), &expected)
        .map_err(|_| problem("the file was changed after it was signed"))
}

/// The text of a signature over a file.
///
/// # Errors
/// [`PipelineError::Signature`] when the key is shorter than [`KEY_BYTES`]; the errors of YAML.
pub fn sign(file: &str, text: &str, key: &[u8]) -> Result<String, PipelineError> {
    if key.len() < KEY_BYTES {
        return Err(PipelineError::Signature {
            file: file.to_owned(),
            problem: "the key is shorter than 32 bytes",
        });
    }
    let (signed, _) = parts(file, text)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, signed.as_bytes());
    Ok(hex::encode(tag))
}

/// What is signed, and the signature.
fn parts(file: &str, text: &str) -> Result<(String, Option<String>), PipelineError> {
    let mut documents = Vec::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        if line.starts_with("---") {
            documents.extend(current.replace(String::new()));
            continue;
        }
        let document = current.get_or_insert_default();
        if line.starts_with("...") {
            break;
        }
        document.push_str(line);
        document.push('\n');
    }
    documents.extend(current);
    let mut signed = String::new();
    let mut signature = None;
    for document in documents {
        let nodes = yaml::documents(file, &document)?;
        let node = nodes.first();
        let is_signature = node
            .and_then(|node| node.get("kind"))
            .is_some_and(|kind| kind.as_str() == Some("signature"));
        if !is_signature {
            signed.push_str(&document);
        } else if signature.is_none() {
            signature = node
                .and_then(|node| node.get("hmac"))
                .and_then(crate::read::scalar);
        }
    }
    Ok((signed, signature))
}
