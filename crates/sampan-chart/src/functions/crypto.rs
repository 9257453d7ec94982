//! Sprig's cryptography: digests, hashes of passwords, encryption, keys.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use ring::digest;

use super::Parameter::{Text as Word, Uint32};
use super::arguments::Arguments;
use super::bounds::check_text;
use super::encoding::{decode_base64, encode_base64};
use super::random::fill;
use super::{Function, FunctionError};
use crate::value::Value;

mod passwords;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", &[Word], sha1),
    Function::new("sha256sum", &[Word], sha256),
    Function::new("sha512sum", &[Word], sha512),
    Function::new("adler32sum", &[Word], adler32),
    Function::new("bcrypt", &[Word], bcrypt),
    Function::new("htpasswd", &[Word, Word], htpasswd),
    Function::new(
        "derivePassword",
        &[Uint32, Word, Word, Word, Word],
        passwords::derive,
    ),
    Function::new("encryptAES", &[Word, Word], encrypt),
    Function::new("decryptAES", &[Word, Word], decrypt),
];

fn sha1(arguments: &[Value]) -> Result<Value, FunctionError> {
    let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, arguments.text(0)?);
    Ok(Value::text(hex::encode(sum)))
}

fn sha256(arguments: &[Value]) -> Result<Value, FunctionError> {
    let sum = digest::digest(&digest::SHA256, arguments.text(0)?);
    Ok(Value::text(hex::encode(sum)))
}

fn sha512(arguments: &[Value]) -> Result<Value, FunctionError> {
    let sum = digest::digest(&digest::SHA512, arguments.text(0)?);
    Ok(Value::text(hex::encode(sum)))
}

fn adler32(arguments: &[Value]) -> Result<Value, FunctionError> {
    const BASE: u32 = 65_521;
    let step = |(low, high): (u32, u32), byte: &u8| {
        let low = (low + u32::from(*byte)) % BASE;
        (low, (high + low) % BASE)
    };
    let (low, high) = arguments.text(0)?.iter().fold((1, 0), step);
    Ok(Value::text((high << 16 | low).to_string()))
}

/// A password's hash with Go's usual cost; what is wrong with the password, as the result.
fn bcrypt_text(password: &[u8]) -> String {
    const COST: u32 = 10;
    const LONGEST: usize = 72;
    if password.len() > LONGEST {
        let problem = "bcrypt: password length exceeds 72 bytes";
        return format!("failed to encrypt string with bcrypt: {problem}");
    }
    match bcrypt::hash_with_result(password, COST) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    }
}

fn bcrypt(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(bcrypt_text(arguments.text(0)?)))
}

fn htpasswd(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (user, password) = (arguments.text(0)?, arguments.text(1)?);
    if user.contains(&b':') {
        return Ok(Value::text([b"invalid username: ", &**user].concat()));
    }
    Ok(Value::text(
        [user, b":".as_slice(), bcrypt_text(password).as_bytes()].concat(),
    ))
}

const BLOCK_BYTES: usize = 16;

/// AES-256 with a password for a key: cut off, or filled up with zeros.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    Aes256::new(&key.into())
}

fn block(bytes: &[u8]) -> Block<Aes256> {
    let mut block = Block::<Aes256>::default();
    block.copy_from_slice(bytes);
    block
}

fn xor(block: &mut Block<Aes256>, with: &[u8]) {
    for (byte, with) in block.iter_mut().zip(with) {
        *byte ^= with;
    }
}

/// Cipher block chaining, padded; the initial block comes first.
fn encrypt(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (password, text) = (arguments.text(0)?, arguments.text(1)?);
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    check_text(text.len() / 3 * 4)?;
    let padding = BLOCK_BYTES - text.len() % BLOCK_BYTES;
    let mut plain = text.to_vec();
    plain.extend(std::iter::repeat_n(
        u8::try_from(padding).unwrap_or_default(),
        padding,
    ));
    let mut encrypted = vec![0; BLOCK_BYTES];
    fill(&mut encrypted)?;
    let cipher = cipher(password);
    for part in plain.chunks(BLOCK_BYTES) {
        let mut part = block(part);
        xor(&mut part, &encrypted[encrypted.len() - BLOCK_BYTES..]);
        cipher.encrypt_block(&mut part);
        encrypted.extend_from_slice(&part);
    }
    Ok(Value::text(encode_base64(&encrypted)))
}

fn decrypt(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (password, text) = (arguments.text(0)?, arguments.text(1)?);
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    let encrypted = decode_base64(text).map_err(|error| FunctionError::new(error.to_string()))?;
    if encrypted.len() < BLOCK_BYTES {
        // Go allocates for what the text could hold, and says so.
        let capacity = text
            .iter()
            .filter(|byte| !matches!(byte, b'\n' | b'\r'))
            .count()
            / 4
            * 3;
        return Err(out_of_range(&format!(
            "[:{BLOCK_BYTES}] with capacity {capacity}"
        )));
    }
    let body = encrypted.len() - BLOCK_BYTES;
    if !body.is_multiple_of(BLOCK_BYTES) {
        return Err(FunctionError::new("crypto/cipher: input not full blocks"));
    }
    let cipher = cipher(password);
    let mut plain = Vec::with_capacity(body);
    let blocks = encrypted.chunks(BLOCK_BYTES);
    for (last, part) in blocks.clone().zip(blocks.skip(1)) {
        let mut part = block(part);
        cipher.decrypt_block(&mut part);
        xor(&mut part, last);
        plain.extend_from_slice(&part);
    }
    let Some(padding) = plain.last().copied().map(usize::from) else {
        return Err(FunctionError::new("runtime error: index out of range [-1]"));
    };
    match plain.len().checked_sub(padding) {
        Some(length) => {
            plain.truncate(length);
            Ok(Value::text(plain))
        }
        None => Err(out_of_range(&format!("[:-{}]", padding - plain.len()))),
    }
}

fn out_of_range(range: &str) -> FunctionError {
    FunctionError::new(format!("runtime error: slice bounds out of range {range}"))
}
