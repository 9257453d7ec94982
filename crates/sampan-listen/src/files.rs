//! A certificate and a key that somebody else renews, in two PEM files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificates::{TlsError, server_config};
use crate::file_state::FileState;

/// The two files and what was last read from them.
#[derive(Debug)]
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    config: Arc<ServerConfig>,
    /// The state of the files when they were last tried, successfully or not.
    state: [Option<FileState>; 2],
}

impl Files {
    pub(crate) fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        // Looked at before they are read: a change in between is then seen as one.
        let state = [FileState::of(&certificate), FileState::of(&key)];
        let config = read(&certificate, &key)?;
        Ok(Self {
            certificate,
            key,
            shown: Mutex::new(Shown { config, state }),
        })
    }

    /// The settings with what the files hold now, or held when they could last be used.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let state = [FileState::of(&self.certificate), FileState::of(&self.key)];
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.state != state {
            shown.state = state;
            match read(&self.certificate, &self.key) {
                Ok(config) => {
                    tracing::info!(certificate = %self.certificate.display(), "the certificate has been read again");
                    shown.config = config;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the changed certificate cannot be used; the one before is"
                    );
                }
            }
        }
        Arc::clone(&shown.config)
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let text = |path: &Path| {
        std::fs::read(path).map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })
    };
    let broken = |path: &Path, source| TlsError::Pem {
        path: path.to_owned(),
        source,
    };
    let chain = CertificateDer::pem_slice_iter(&text(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| broken(certificate, source))?;
    if chain.is_empty() {
        return Err(broken(certificate, pem::Error::NoItemsFound));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&text(key)?).map_err(|source| broken(key, source))?;
    server_config(chain, private).map_err(|source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}
