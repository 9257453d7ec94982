//! The secrets of an installation's API, in `keys/`: its certificate authority and the administrator's token.
//!
//! They are made at the first start and stay. What can be made again from the rest is: a lost certificate is
//! issued anew by the same key, so the clients' copies of the older one go on being trusted.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use sampan_model::Hint;

/// The folder of the keys in the data directory.
const FOLDER: &str = "keys";

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file could not be read.
    #[error("cannot read the key file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write the key file `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A key could not be made or understood.
    #[error("cannot use the key file `{}`", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
}

impl Hint for KeysError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Key { path, .. } => Some(format!(
                "restore `{}` from a backup, or remove it to have a new one made (clients then need a new kubeconfig)",
                path.display()
            )),
            Self::Read { .. } | Self::Write { .. } => {
                Some("run as the user that owns the data directory, usually root".to_owned())
            }
        }
    }
}

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
    /// The certificate of the authority, as PEM.
    pub authority: String,
    /// Who carries it may do everything.
    pub token: Token,
    issuer: Issuer<'static, KeyPair>,
}

impl Keys {
    /// Reads the keys of a data directory; makes what is missing.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn load(data: &Path) -> Result<Self, KeysError> {
        let folder = data.join(FOLDER);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| KeysError::Write {
                path: folder.clone(),
                source,
            })?;
        let key_path = folder.join("authority.key");
        let broken = |source| KeysError::Key {
            path: key_path.clone(),
            source,
        };
        let pem = read_or_make(&key_path, || {
            Ok(KeyPair::generate().map_err(broken)?.serialize_pem())
        })?;
        let key = KeyPair::from_pem(&pem).map_err(broken)?;
        let authority = read_or_make(&folder.join("authority.crt"), || {
            Ok(authority_params().self_signed(&key).map_err(broken)?.pem())
        })?;
        let token = read_or_make(&folder.join("admin.token"), || Ok(random_token()))?;
        Ok(Self {
            authority,
            token: Token(token.trim().to_owned()),
            issuer: Issuer::new(authority_params(), key),
        })
    }

    /// Who signs server certificates.
    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// What the authority's certificate says: always the same, so that it can be issued again. Its validity does not
/// depend on the clock, which at a site may be wrong by years.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "sampan-authority");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

/// 244 random bits as text.
fn random_token() -> String {
    format!(
        "{}{}\n",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<String, KeysError>,
) -> Result<String, KeysError> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => {
            return Err(KeysError::Read {
                path: path.to_owned(),
                source,
            });
        }
    }
    let text = make()?;
    write_private(path, &text).map_err(|source| KeysError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(text)
}

/// Writes a file that only its owner can read, all or nothing.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
