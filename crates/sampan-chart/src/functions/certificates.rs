//! Sprig's keys and certificates.
//!
//! Certificates are written here, not by a library, because they shall be those that Go writes: the same extensions in
//! the same order, the issuer's name byte for byte as its certificate has it. Signatures and curves are ring's, prime
//! numbers are crypto-primes'.

use std::any::Any;
use std::rc::Rc;

use super::Parameter::{Int, List as Items, Object as Of, Text as Word};
use super::arguments::Arguments;
use super::encoding::decode_base64;
use super::{Function, FunctionError};
use crate::value::{Object, Text, Value};

mod build;
mod der;
mod generate;
mod keys;
mod parse;
mod pem;

use build::Request;
use keys::Key;
use parse::Signer;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", &[Word], generate_key),
    Function::new("buildCustomCert", &[Word, Word], build_custom),
    Function::new("genCA", &[Word, Int], |call| {
        authority(call, &generate::rsa(RSA_BITS)?)
    }),
    Function::new("genCAWithKey", &[Word, Int, Word], |call| {
        authority(call, &given_key(call, 2)?)
    }),
    Function::new("genSelfSignedCert", &[Word, Items, Items, Int], |call| {
        self_signed(call, &generate::rsa(RSA_BITS)?)
    }),
    Function::new(
        "genSelfSignedCertWithKey",
        &[Word, Items, Items, Int, Word],
        |call| self_signed(call, &given_key(call, 4)?),
    ),
    Function::new(
        "genSignedCert",
        &[Word, Items, Items, Int, Of(Certificate::NAME)],
        |call| signed(call, &generate::rsa(RSA_BITS)?),
    ),
    Function::new(
        "genSignedCertWithKey",
        &[Word, Items, Items, Int, Of(Certificate::NAME), Word],
        |call| signed(call, &given_key(call, 5)?),
    ),
];

const RSA_BITS: u32 = 2_048;

/// The size of RSA keys that are made alone.
const LARGE_RSA_BITS: u32 = 4_096;

fn failed(what: &str, error: impl std::fmt::Display) -> FunctionError {
    FunctionError::new(format!("{what}: {error}"))
}

/// A certificate with its key, both as PEM.
struct Certificate {
    certificate: Text,
    key: Text,
}

impl Certificate {
    const NAME: &str = "sprig.certificate";
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::Text(self.certificate.clone())),
            "Key" => Some(Value::Text(self.key.clone())),
            _ => None,
        }
    }

    fn print(&self) -> Text {
        [b"{", &*self.certificate, b" ", &*self.key, b"}"]
            .concat()
            .into()
    }

    fn data(&self) -> Value {
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        Value::dict([
            ("Cert", Value::Text(certificate)),
            ("Key", Value::Text(key)),
        ])
    }
}

fn object(certificate: impl Into<Text>, key: impl Into<Text>) -> Value {
    let (certificate, key) = (certificate.into(), key.into());
    Value::Object(Rc::new(Certificate { certificate, key }))
}

fn generate_key(arguments: &[Value]) -> Result<Value, FunctionError> {
    let kind = arguments.text(0)?;
    let key = match &**kind {
        b"" | b"rsa" => generate::rsa(LARGE_RSA_BITS),
        b"dsa" => generate::dsa(),
        b"ecdsa" => generate::ecdsa(),
        b"ed25519" => generate::ed25519(),
        other => return Ok(Value::text([b"Unknown type ", other].concat())),
    };
    Ok(Value::text(key?.to_pem()))
}

fn given_key(arguments: &[Value], place: usize) -> Result<Key, FunctionError> {
    Key::parse(arguments.text(place)?).map_err(|error| failed("parsing private key", error))
}

/// A certificate and a key that fit a chart's values, if they can be read.
fn build_custom(arguments: &[Value]) -> Result<Value, FunctionError> {
    let decode = |place: usize, what: &str| {
        let decoded = decode_base64(arguments.text(place)?);
        decoded.map_err(|_| FunctionError::new(format!("unable to decode base64 {what}")))
    };
    let (certificate, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    signer_of(&certificate)?;
    Key::parse(&key).map_err(|error| failed("error parsing private key", error))?;
    Ok(object(certificate, key))
}

/// What signing needs of a certificate.
fn signer_of(certificate: &[u8]) -> Result<Signer, FunctionError> {
    let block = pem::decode(certificate);
    let block = block.ok_or_else(|| FunctionError::new("unable to decode certificate"))?;
    let signer = parse::certificate(&block.bytes);
    signer.map_err(|error| failed("error parsing certificate: decodedCert.Bytes", error))
}

fn written(
    certificate: Result<Vec<u8>, build::BuildError>,
    key: &Key,
) -> Result<Value, FunctionError> {
    let certificate = certificate.map_err(|error| failed("error creating certificate", error))?;
    Ok(object(
        pem::encode("CERTIFICATE", &certificate),
        key.to_pem(),
    ))
}

fn authority(arguments: &[Value], key: &Key) -> Result<Value, FunctionError> {
    let request = Request::authority(arguments.text(0)?, arguments.int(1)?);
    written(request.self_signed(key), key)
}

/// The request that the first arguments describe: name, addresses, other names, days.
fn request(arguments: &[Value]) -> Result<Request, FunctionError> {
    let mut request = Request::new(arguments.text(0)?, arguments.int(3)?);
    for address in arguments.list(1)?.items() {
        request.add_address(address)?;
    }
    for name in arguments.list(2)?.items() {
        request.add_name(name)?;
    }
    Ok(request)
}

fn self_signed(arguments: &[Value], key: &Key) -> Result<Value, FunctionError> {
    written(request(arguments)?.self_signed(key), key)
}

fn signed(arguments: &[Value], key: &Key) -> Result<Value, FunctionError> {
    let Value::Object(authority) = arguments.any(4) else {
        return Err(FunctionError::new("argument is no sprig.certificate"));
    };
    let authority: &dyn Any = authority.as_ref();
    let Some(authority) = authority.downcast_ref::<Certificate>() else {
        return Err(FunctionError::new("argument is no sprig.certificate"));
    };
    let block = pem::decode(&authority.certificate);
    let block = block.ok_or_else(|| FunctionError::new("unable to decode certificate"))?;
    let signer = parse::certificate(&block.bytes)
        .map_err(|error| failed("error parsing certificate: decodedSignerCert.Bytes", error))?;
    let signing = Key::parse(&authority.key);
    let signing = signing.map_err(|error| failed("error parsing private key", error))?;
    written(request(arguments)?.signed_by(&signer, &signing, key), key)
}
