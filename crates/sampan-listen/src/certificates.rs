//! What is shown to clients that speak TLS: certificates of the site's own authority, or those of given files.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use sampan_model::Hint;

use crate::Authority;
use crate::files::Files;
use crate::issue::{Identity, Issued};

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate could not be issued.
    #[error("cannot issue a server certificate for `{address}`")]
    Issue {
        /// The address of the server.
        address: IpAddr,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// The TLS library refused it.
    #[error("cannot use the server certificate for `{address}`")]
    Use {
        /// The address of the server.
        address: IpAddr,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// The time is beyond what certificates can say.
    #[error("cannot compute the end of a certificate from the clock")]
    Clock(#[source] jiff::Error),
    /// A given file could not be read.
    #[error("cannot read the TLS file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A given file does not hold what it should.
    #[error("cannot use the TLS file `{}`", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: pem::Error,
    },
    /// The given certificate and key cannot be used together.
    #[error("cannot use the certificate `{}` with the key `{}`", .certificate.display(), .key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
}

impl Hint for TlsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Issue { .. } | Self::Use { .. } => None,
            Self::Clock(_) => Some("set the clock of the machine".to_owned()),
            Self::Read { path, .. } => Some(format!(
                "name a file that this program may read instead of `{}`",
                path.display()
            )),
            Self::Pem { .. } => Some(
                "give the certificate with its chain, and the key without a password, as PEM files"
                    .to_owned(),
            ),
            Self::Pair { .. } => {
                Some("give the key that belongs to the first certificate of the file".to_owned())
            }
        }
    }
}

/// The certificates of a server.
#[derive(Debug)]
pub struct Certificates(Kind);

#[derive(Debug)]
enum Kind {
    Issued(Issued),
    Files(Files),
}

impl Certificates {
    /// Certificates that the authority signs for each address at which clients arrive.
    #[must_use]
    pub fn issued(authority: Arc<Authority>, identity: Identity) -> Self {
        Self(Kind::Issued(Issued::new(authority, identity)))
    }

    /// The certificate (with its chain) and the key of two PEM files. They are read again when they change; while
    /// what they then hold cannot be used, what they held before is.
    ///
    /// # Errors
    /// When the files cannot be read or used.
    pub fn from_files(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        Ok(Self(Kind::Files(Files::load(certificate, key)?)))
    }

    /// The settings for a connection that has arrived at `address`.
    ///
    /// # Errors
    /// When no certificate can be issued.
    pub fn config(&self, address: IpAddr) -> Result<Arc<ServerConfig>, TlsError> {
        match &self.0 {
            Kind::Issued(issued) => issued.config(address),
            Kind::Files(files) => Ok(files.config()),
        }
    }
}

/// The settings that show one certificate.
pub(crate) fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
