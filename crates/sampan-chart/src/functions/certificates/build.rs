//! Writing of certificates (RFC 5280), with what Go's `x509.CreateCertificate` puts into them for Sprig.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest;

use super::der::{
    BIT_STRING, OCTET_STRING, SET, bits, context, object, sequence, tagged, unsigned,
};
use super::keys::Key;
use super::parse::Signer;
use crate::functions::FunctionError;
use crate::functions::random::fill;
use crate::value::print::display;
use crate::value::quote::quote;
use crate::value::{Text, Value};

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const TRUE: &[u8] = &[0x01, 0x01, 0xff];

/// The identifiers of extensions, below 2.5.29.
const SUBJECT_KEY_ID: u8 = 14;
const KEY_USAGE: u8 = 15;
const ALTERNATIVE_NAMES: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const AUTHORITY_KEY_ID: u8 = 35;
const EXTENDED_KEY_USAGE: u8 = 37;

const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("x509: unsupported public key type: *dsa.PublicKey")]
    Dsa,
    #[error("x509: provided PrivateKey doesn't match parent's PublicKey")]
    Mismatch,
    #[error("x509: {} cannot be encoded as an IA5String", quote(.0))]
    Name(Vec<u8>),
    #[error("asn1: structure error: cannot represent time as GeneralizedTime")]
    Time,
    #[error("x509: the key cannot sign")]
    Sign,
    #[error("the system gives no random numbers")]
    Random,
}

/// What a certificate shall say.
pub(super) struct Request {
    name: Text,
    names: Vec<Text>,
    addresses: Vec<IpAddr>,
    days: i64,
    is_authority: bool,
}

/// The key that signs, and how certificates name it.
struct Issuer<'a> {
    key: &'a Key,
    subject: Vec<u8>,
    key_id: Vec<u8>,
}

impl Request {
    pub(super) fn new(name: &Text, days: i64) -> Self {
        let name = name.clone();
        Self {
            name,
            names: Vec::new(),
            addresses: Vec::new(),
            days,
            is_authority: false,
        }
    }

    pub(super) fn authority(name: &Text, days: i64) -> Self {
        Self {
            is_authority: true,
            ..Self::new(name, days)
        }
    }

    pub(super) fn add_address(&mut self, address: &Value) -> Result<(), FunctionError> {
        let Value::Text(text) = address else {
            let text = format!("error parsing ip: {} is not a string", display(address)?);
            return Err(FunctionError::new(text));
        };
        let parsed = text.to_str().parse::<IpAddr>();
        let parsed = parsed.map_err(|_| FunctionError::new(format!("error parsing ip: {text}")))?;
        self.addresses.push(parsed.to_canonical());
        Ok(())
    }

    pub(super) fn add_name(&mut self, name: &Value) -> Result<(), FunctionError> {
        let Value::Text(text) = name else {
            let name = display(name)?;
            let text = format!("error processing alternate dns name: {name} is not a string");
            return Err(FunctionError::new(text));
        };
        self.names.push(text.clone());
        Ok(())
    }

    pub(super) fn self_signed(&self, key: &Key) -> Result<Vec<u8>, BuildError> {
        let issuer = Issuer {
            key,
            subject: self.subject(),
            key_id: Vec::new(),
        };
        self.build(&issuer, key)
    }

    pub(super) fn signed_by(
        &self,
        signer: &Signer,
        signing: &Key,
        key: &Key,
    ) -> Result<Vec<u8>, BuildError> {
        let public = signing.public().ok_or(BuildError::Dsa)?.1;
        if public != signer.public {
            return Err(BuildError::Mismatch);
        }
        let (subject, key_id) = (signer.subject.clone(), signer.key_id.clone());
        self.build(
            &Issuer {
                key: signing,
                subject,
                key_id,
            },
            key,
        )
    }

    fn build(&self, issuer: &Issuer<'_>, key: &Key) -> Result<Vec<u8>, BuildError> {
        let (public, public_with_algorithm) = key.public().ok_or(BuildError::Dsa)?;
        let mut serial = [0; 16];
        fill(&mut serial).map_err(|_| BuildError::Random)?;
        let algorithm = issuer.key.signature_algorithm();
        let now = Timestamp::now().as_second();
        let end = self
            .days
            .checked_mul(86_400)
            .and_then(|days| now.checked_add(days));
        let validity = sequence(&[&time(now)?, &time(end.ok_or(BuildError::Time)?)?]);
        let extensions = sequence(&[&self.extensions(&issuer.subject, &issuer.key_id, &public)?]);
        let body = sequence(&[
            &tagged(context(0), &unsigned(&[2])),
            &unsigned(&serial),
            &algorithm,
            &issuer.subject,
            &validity,
            &self.subject(),
            &public_with_algorithm,
            &tagged(context(3), &extensions),
        ]);
        let signature = issuer.key.sign(&body).ok_or(BuildError::Sign)?;
        Ok(sequence(&[&body, &algorithm, &bits(&signature)]))
    }

    /// The name, as the only part of the subject.
    fn subject(&self) -> Vec<u8> {
        if self.name.is_empty() {
            return sequence(&[]);
        }
        let is_printable =
            |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte);
        let tag = if self.name.iter().all(is_printable) {
            PRINTABLE_STRING
        } else {
            UTF8_STRING
        };
        let attribute = sequence(&[&object(&[0x55, 0x04, 0x03]), &tagged(tag, &self.name)]);
        sequence(&[&tagged(SET, &attribute)])
    }

    fn extensions(
        &self,
        issuer: &[u8],
        issuer_key_id: &[u8],
        public: &[u8],
    ) -> Result<Vec<u8>, BuildError> {
        // Digital signatures, encipherment of keys and, for authorities, signing of certificates.
        let usage: &[u8] = if self.is_authority {
            &[2, 0xa4]
        } else {
            &[5, 0xa0]
        };
        let purposes = sequence(&[&object(SERVER_AUTH), &object(CLIENT_AUTH)]);
        let constraints = sequence(&[if self.is_authority { TRUE } else { &[] }]);
        let mut extensions = [
            extension(KEY_USAGE, true, &tagged(BIT_STRING, usage)),
            extension(EXTENDED_KEY_USAGE, false, &purposes),
            extension(BASIC_CONSTRAINTS, true, &constraints),
        ]
        .concat();
        if self.is_authority {
            let id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, public);
            let id = tagged(OCTET_STRING, id.as_ref());
            extensions.extend(extension(SUBJECT_KEY_ID, false, &id));
        }
        if issuer != self.subject() && !issuer_key_id.is_empty() {
            let id = sequence(&[&tagged(0x80, issuer_key_id)]);
            extensions.extend(extension(AUTHORITY_KEY_ID, false, &id));
        }
        if !self.names.is_empty() || !self.addresses.is_empty() {
            let names = self.alternative_names()?;
            extensions.extend(extension(ALTERNATIVE_NAMES, self.name.is_empty(), &names));
        }
        Ok(extensions)
    }

    fn alternative_names(&self) -> Result<Vec<u8>, BuildError> {
        let mut names = Vec::new();
        for name in &self.names {
            if !name.is_ascii() {
                return Err(BuildError::Name(name.to_vec()));
            }
            names.extend(tagged(0x82, name));
        }
        for address in &self.addresses {
            names.extend(match address {
                IpAddr::V4(address) => tagged(0x87, &address.octets()),
                IpAddr::V6(address) => tagged(0x87, &address.octets()),
            });
        }
        Ok(sequence(&[&names]))
    }
}

fn extension(number: u8, is_critical: bool, value: &[u8]) -> Vec<u8> {
    let identifier = object(&[0x55, 0x1d, number]);
    let critical = if is_critical { TRUE } else { &[] };
    sequence(&[&identifier, critical, &tagged(OCTET_STRING, value)])
}

/// A time: with two digits of the year until 2049, with four from then on.
fn time(unix: i64) -> Result<Vec<u8>, BuildError> {
    let time = Timestamp::from_second(unix).map_err(|_| BuildError::Time)?;
    let time = time.to_zoned(TimeZone::UTC);
    let rest = time.strftime("%m%d%H%M%SZ").to_string();
    match time.year() {
        year @ 1950..=2049 => Ok(tagged(
            UTC_TIME,
            format!("{:02}{rest}", year % 100).as_bytes(),
        )),
        year @ 0..=9999 => Ok(tagged(
            GENERALIZED_TIME,
            format!("{year:04}{rest}").as_bytes(),
        )),
        _ => Err(BuildError::Time),
    }
}
