//! The secrets of the Kubernetes API, in `keys/`: the certificate authority of the installation, the administrator's token,
//! and the key that signs the tokens of service accounts. They are made at the first start and stay.

pub mod signer;

use std::path::Path;
use std::sync::Arc;

use sampan_listen::{Authority, KeysError, secret};
use signer::Signer;

/// A bearer token; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Whether `other` is this token; takes the same time wherever they differ.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), other.as_bytes());
        own.len() == other.len()
            && own
                .iter()
                .zip(other)
                .fold(0, |differs, (a, b)| differs | (a ^ b))
                == 0
    }

    /// The token's text, for the credentials of a client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The keys of an installation.
#[derive(Debug)]
pub struct Keys {
    /// The certificate authority.
    pub authority: Arc<Authority>,
    /// Who carries it may do everything.
    pub token: Token,
    /// Signs the tokens of service accounts.
    pub signer: Arc<Signer>,
}

impl Keys {
    /// Reads the keys of a data directory; makes what is missing.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn load(data: &Path) -> Result<Self, KeysError> {
        let authority = Authority::load(data)?;
        let path = secret::folder(data)?.join("admin.token");
        let token = secret::read_or_make(&path, || Ok(random_token()))?;
        Ok(Self {
            authority: Arc::new(authority),
            token: Token(token.trim().to_owned()),
            signer: Arc::new(Signer::load(data)?),
        })
    }
}

/// 244 random bits as text.
fn random_token() -> String {
    format!(
        "{}{}\n",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}
