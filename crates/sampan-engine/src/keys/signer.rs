//! Tokens of service accounts: JSON web tokens (RFC 7519), signed with ECDSA over P-256 by a key of the installation.
//!
//! Everybody can check them with the public key, which the API gives out; only the API itself knows whether the account
//! and the object that a token is bound to are still there.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rcgen::KeyPair;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use sampan_listen::{KeysError, secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who issues the tokens, and the audience that the API itself is.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// Where the public key is.
pub const KEYS_PATH: &str = "/openid/v1/jwks";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whom it is for.
    #[serde(rename = "aud")]
    pub audiences: Vec<String>,
    /// When it ends, in seconds.
    #[serde(rename = "exp")]
    pub expires: i64,
    /// When it was issued, in seconds.
    #[serde(rename = "iat")]
    pub issued: i64,
    /// Who has issued it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// Its own name.
    #[serde(rename = "jti")]
    pub id: String,
    /// The account and what the token is bound to.
    #[serde(rename = "kubernetes.io")]
    pub about: About,
    /// From when on it counts, in seconds. That is when it was issued, and not looked at: whoever puts the clock back shall
    /// not lock the pods out.
    #[serde(rename = "nbf")]
    pub begins: i64,
    /// The name of the account as a user.
    #[serde(rename = "sub")]
    pub subject: String,
}

/// The objects that a token is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The namespace of all of them.
    pub namespace: String,
    /// The account.
    pub serviceaccount: Named,
    /// The pod without which it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Named>,
    /// The secret without which it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Named>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A token, and how long it counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// When it was issued.
    pub at: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Who signs tokens and knows them again; the key is never shown by `Debug`.
pub struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// The first part of all tokens.
    header: String,
    /// The name of the key.
    id: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the key of a data directory; makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be read, written or understood.
    pub fn load(data: &Path) -> Result<Self, KeysError> {
        let path = secret::folder(data)?.join("service-accounts.key");
        let broken = |source| KeysError::Key {
            path: path.clone(),
            source,
        };
        let pem = secret::read_or_make(&path, || {
            Ok(KeyPair::generate().map_err(broken)?.serialize_pem())
        })?;
        let key = KeyPair::from_pem(&pem).map_err(broken)?.serialize_der();
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random)
            .map_err(|_| broken(rcgen::Error::CouldNotParseKeyPair))?;
        let id = encode(digest(&SHA256, pair.public_key().as_ref()).as_ref());
        let header = encode(json!({"alg": "ES256", "kid": id}).to_string().as_bytes());
        Ok(Self {
            pair,
            random,
            header,
            id,
        })
    }

    /// Issues a token that counts for some seconds.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn issue(
        &self,
        about: About,
        audiences: Vec<String>,
        seconds: i64,
        at: Timestamp,
    ) -> Result<Issued, ring::error::Unspecified> {
        let now = at.as_second();
        let claims = Claims {
            audiences,
            expires: now.saturating_add(seconds),
            issued: now,
            issuer: ISSUER.to_owned(),
            id: uuid::Uuid::new_v4().to_string(),
            subject: subject(&about.namespace, &about.serviceaccount.name),
            about,
            begins: now,
        };
        // Claims are texts and numbers, which can always be written.
        let text = serde_json::to_vec(&claims).map_err(|_| ring::error::Unspecified)?;
        let signed = format!("{}.{}", self.header, encode(&text));
        let signature = self.pair.sign(&self.random, signed.as_bytes())?;
        Ok(Issued {
            token: format!("{signed}.{}", encode(signature.as_ref())),
            at,
            expires: Timestamp::from_second(claims.expires).unwrap_or(Timestamp::MAX),
        })
    }

    /// What a token says, if it was issued here and has not ended.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key());
        public.verify(signed.as_bytes(), &signature).ok()?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let counts =
            header == self.header && claims.issuer == ISSUER && now.as_second() < claims.expires;
        counts.then_some(claims)
    }

    /// The public key, as a set of JSON web keys (RFC 7517).
    #[must_use]
    pub fn public_keys(&self) -> Value {
        // An uncompressed point: one byte that says so, and two numbers of 32 bytes.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": encode(x), "y": encode(y),
        }]})
    }

    /// What programs that check tokens want to know of the issuer (`OpenID` Connect Discovery 1.0).
    #[must_use]
    pub fn discovery() -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{ISSUER}{KEYS_PATH}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

/// The name of an account as a user.
#[must_use]
pub fn subject(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn about() -> About {
        let named = |name: &str| Named {
            name: name.to_owned(),
            uid: format!("uid-of-{name}"),
        };
        About {
            namespace: "shop".to_owned(),
            serviceaccount: named("web"),
            pod: Some(named("web-0")),
            secret: None,
        }
    }

    #[test]
    fn a_token_says_who_and_counts_for_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::load(folder.path()).unwrap();
        let issued = signer
            .issue(about(), vec![ISSUER.to_owned()], 600, at(0))
            .unwrap();
        assert_eq!(issued.expires, at(600));
        let claims = signer.verify(&issued.token, at(599)).unwrap();
        assert_eq!(claims.subject, "system:serviceaccount:shop:web");
        assert_eq!(claims.about, about());
        assert!(signer.verify(&issued.token, at(-9999)).is_some());
        assert_eq!(signer.verify(&issued.token, at(600)), None);
        // The key stays.
        let again = Signer::load(folder.path()).unwrap();
        assert_eq!(again.verify(&issued.token, at(1)), Some(claims));
        assert_eq!(again.public_keys(), signer.public_keys());
        let stranger = Signer::load(tempfile::tempdir().unwrap().path()).unwrap();
        assert_eq!(stranger.verify(&issued.token, at(1)), None);
    }

    #[test]
    fn what_was_tampered_with_does_not_count() {
        let signer = Signer::load(tempfile::tempdir().unwrap().path()).unwrap();
        let token = signer.issue(about(), Vec::new(), 600, at(0)).unwrap().token;
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(signer.verify(&changed, at(1)), None, "{index}");
        }
        for forged in ["", "..", "a.b", &token[..token.len() - 2]] {
            assert_eq!(signer.verify(forged, at(1)), None, "{forged}");
        }
    }
}
