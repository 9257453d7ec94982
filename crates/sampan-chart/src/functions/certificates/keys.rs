//! Private keys: reading, writing, signing.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::der::{
    BIT_STRING, INTEGER, OBJECT, OCTET_STRING, Reader, bits, context, object, sequence, tagged,
    unsigned,
};
use super::pem;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const EC_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const NULL: &[u8] = &[0x05, 0x00];

/// A text that holds no key which can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("no PEM data in input")]
    NoPem,
    #[error("no private key data in PEM block of type {0}")]
    NoKey(String),
    #[error("invalid private key type {0}")]
    Kind(String),
    #[error("decoding PEM as PKCS#8: asn1: structure error: tags don't match")]
    Pkcs8,
    #[error("parsing {0} private key from PEM: asn1: structure error: tags don't match")]
    Form(&'static str),
    #[error("x509: unsupported elliptic curve")]
    Curve,
}

/// A private key.
pub(super) enum Key {
    /// As PKCS #1 has it.
    Rsa(Vec<u8>),
    /// Version, parameters, public and private number.
    Dsa(Vec<u8>),
    Ec {
        curve: Curve,
        private: Vec<u8>,
        public: Vec<u8>,
    },
    Ed25519 {
        seed: [u8; 32],
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    fn of(identifier: &[u8]) -> Option<Self> {
        match identifier {
            P256 => Some(Self::P256),
            P384 => Some(Self::P384),
            _ => None,
        }
    }

    fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => P256,
            Self::P384 => P384,
        }
    }

    fn algorithm(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        }
    }
}

impl Key {
    /// Reads the first block of a PEM text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let block = pem::decode(text).ok_or(KeyError::NoPem)?;
        let bytes = &block.bytes;
        match block.kind.strip_suffix("PRIVATE KEY").map(str::trim_end) {
            Some("") => pkcs8(bytes),
            Some("RSA") => rsa(bytes).ok_or(KeyError::Form("RSA")),
            Some("EC") => sec1(bytes, None).ok_or(KeyError::Form("EC")),
            Some("DSA") => integers(bytes, 6)
                .map(|_| Self::Dsa(bytes.clone()))
                .ok_or(KeyError::Form("DSA")),
            Some(other) => Err(KeyError::Kind(other.to_owned())),
            None => Err(KeyError::NoKey(block.kind)),
        }
    }

    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Rsa(der) => pem::encode("RSA PRIVATE KEY", der),
            Self::Dsa(der) => pem::encode("DSA PRIVATE KEY", der),
            Self::Ec {
                curve,
                private,
                public,
            } => {
                let curve = tagged(context(0), &object(curve.identifier()));
                let public = tagged(context(1), &bits(public));
                let private = tagged(OCTET_STRING, private);
                pem::encode(
                    "EC PRIVATE KEY",
                    &sequence(&[&unsigned(&[1]), &private, &curve, &public]),
                )
            }
            Self::Ed25519 { seed } => {
                let algorithm = sequence(&[&object(ED25519)]);
                let seed = tagged(OCTET_STRING, &tagged(OCTET_STRING, seed));
                pem::encode(
                    "PRIVATE KEY",
                    &sequence(&[&unsigned(&[]), &algorithm, &seed]),
                )
            }
        }
    }

    /// The public key's bytes, and with its algorithm. None for keys that certificates cannot have.
    pub(super) fn public(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (algorithm, key) = match self {
            Self::Rsa(der) => {
                let numbers = integers(der, 9)?;
                let key = sequence(&[&unsigned(numbers[1]), &unsigned(numbers[2])]);
                (sequence(&[&object(RSA), NULL]), key)
            }
            Self::Dsa(_) => return None,
            Self::Ec { curve, public, .. } => (
                sequence(&[&object(EC), &object(curve.identifier())]),
                public.clone(),
            ),
            Self::Ed25519 { seed } => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
                (
                    sequence(&[&object(ED25519)]),
                    pair.public_key().as_ref().to_vec(),
                )
            }
        };
        let with_algorithm = sequence(&[&algorithm, &bits(&key)]);
        Some((key, with_algorithm))
    }

    /// The algorithm of the key's signatures.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_) | Self::Dsa(_) => sequence(&[&object(RSA_WITH_SHA256), NULL]),
            Self::Ec {
                curve: Curve::P256, ..
            } => sequence(&[&object(EC_WITH_SHA256)]),
            Self::Ec {
                curve: Curve::P384, ..
            } => sequence(&[&object(EC_WITH_SHA384)]),
            Self::Ed25519 { .. } => sequence(&[&object(ED25519)]),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(der) => {
                let pair = RsaKeyPair::from_der(der).ok()?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Dsa(_) => None,
            Self::Ec {
                curve,
                private,
                public,
            } => {
                let algorithm = curve.algorithm();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    algorithm, private, public, &random,
                );
                Some(pair.ok()?.sign(&random, message).ok()?.as_ref().to_vec())
            }
            Self::Ed25519 { seed } => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
                Some(pair.sign(message).as_ref().to_vec())
            }
        }
    }
}

/// The numbers of a sequence.
fn integers(der: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut parts = Reader::new(der).sequence()?;
    let mut numbers = Vec::new();
    while !parts.is_empty() && numbers.len() < count {
        numbers.push(parts.expect(INTEGER)?.content);
    }
    (numbers.len() == count).then_some(numbers)
}

fn rsa(der: &[u8]) -> Option<Key> {
    integers(der, 9).map(|_| Key::Rsa(der.to_vec()))
}

/// A key on a curve, which may stand outside of it.
pub(super) fn sec1(der: &[u8], curve: Option<Curve>) -> Option<Key> {
    let mut parts = Reader::new(der).sequence()?;
    parts.expect(INTEGER)?;
    let private = parts.expect(OCTET_STRING)?.content.to_vec();
    let (mut curve, mut public) = (curve, None);
    while let Some(part) = parts.next() {
        let mut inner = Reader::new(part.content);
        if part.tag == context(0) {
            curve = curve.or(Curve::of(inner.expect(OBJECT)?.content));
        } else if part.tag == context(1) {
            public = inner
                .expect(BIT_STRING)?
                .content
                .get(1..)
                .map(<[u8]>::to_vec);
        }
    }
    Some(Key::Ec {
        curve: curve?,
        private,
        public: public?,
    })
}

fn pkcs8(der: &[u8]) -> Result<Key, KeyError> {
    let mut parts = Reader::new(der).sequence().ok_or(KeyError::Pkcs8)?;
    parts.expect(INTEGER).ok_or(KeyError::Pkcs8)?;
    let mut algorithm = parts.sequence().ok_or(KeyError::Pkcs8)?;
    let identifier = algorithm.expect(OBJECT).ok_or(KeyError::Pkcs8)?.content;
    let key = parts.expect(OCTET_STRING).ok_or(KeyError::Pkcs8)?.content;
    match identifier {
        RSA => rsa(key).ok_or(KeyError::Pkcs8),
        EC => {
            let curve = algorithm
                .expect(OBJECT)
                .and_then(|curve| Curve::of(curve.content));
            sec1(key, Some(curve.ok_or(KeyError::Curve)?)).ok_or(KeyError::Pkcs8)
        }
        ED25519 => {
            let seed = Reader::new(key).expect(OCTET_STRING);
            let seed = seed.and_then(|seed| seed.content.try_into().ok());
            Ok(Key::Ed25519 {
                seed: seed.ok_or(KeyError::Pkcs8)?,
            })
        }
        _ => Err(KeyError::Pkcs8),
    }
}
