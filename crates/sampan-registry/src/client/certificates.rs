//! Whom to trust, and how to prove who asks, for connections with TLS.

mod unverified;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::config::Settings;
use super::error::ClientError;
use unverified::Unverified;

/// What the folders and options say of one registry.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    authorities: Vec<PathBuf>,
    /// Whether any of it is for this registry and not for all.
    own: bool,
    /// Files with the client's certificate and its key.
    client: Option<(PathBuf, PathBuf)>,
    /// Whether the certificate of the server is not looked at.
    unverified: bool,
}

impl Certificates {
    /// These authorities beside those of the system, and nothing of the client.
    pub(crate) fn of(authorities: Vec<PathBuf>) -> Self {
        Self {
            authorities,
            own: false,
            client: None,
            unverified: false,
        }
    }

    /// What is configured for the registry `host`, with port if it has one: `*.crt` are authorities, `NAME.cert` with
    /// `NAME.key` prove who the client is, as docker has it.
    pub(super) fn find(settings: &Settings, host: &str) -> Self {
        let unverified = settings.unverified.iter().any(|one| one == host);
        let mut found = Self {
            authorities: settings.authorities.clone(),
            own: unverified || settings.loopback_tls && !settings.authorities.is_empty(),
            client: None,
            unverified,
        };
        for folder in &settings.certificate_folders {
            for path in files(&folder.join(host)) {
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("crt") => found.authorities.push(path),
                    Some("cert") if found.client.is_none() => {
                        let key = path.with_extension("key");
                        found.client = Some((path, key));
                    }
                    _ => continue,
                }
                found.own = true;
            }
        }
        found
    }

    /// Whether the user has configured anything for this registry, even one of this machine.
    pub(super) fn are_configured(&self) -> bool {
        self.own
    }

    /// The configuration for connections with TLS.
    pub(crate) fn client_config(&self, host: &str) -> Result<ClientConfig, ClientError> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::debug!(%error, "cannot read some of the system's certificates");
        }
        // Certificates that this program does not understand sign nothing that it would accept.
        roots.add_parsable_certificates(system.certs);
        for path in &self.authorities {
            for certificate in certificates(path)? {
                let added = roots.add(certificate);
                added.map_err(|error| unusable(path, error))?;
            }
        }
        let setup = |source: rustls::Error| ClientError::Setup {
            host: host.to_owned(),
            source: source.into(),
        };
        let builder = builder().map_err(setup)?.with_root_certificates(roots);
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable(certificate, error))?
            }
        };
        if self.unverified {
            let verifier = Unverified(Arc::clone(config.crypto_provider()));
            let mut config = config.dangerous();
            config.set_certificate_verifier(Arc::new(verifier));
        }
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The configuration for connections without TLS, which the HTTP library asks for all the same.
pub(crate) fn no_tls(host: &str) -> Result<ClientConfig, ClientError> {
    let builder = builder().map_err(|source| ClientError::Setup {
        host: host.to_owned(),
        source: source.into(),
    })?;
    let builder = builder.with_root_certificates(RootCertStore::empty());
    Ok(builder.with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unusable(path, error))?;
    if found.is_empty() {
        return Err(unusable(path, "it has no certificate"));
    }
    Ok(found)
}

fn unusable(
    path: &Path,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ClientError {
    ClientError::Certificate {
        path: path.to_owned(),
        source: io::Error::other(error),
    }
}

/// The files of a folder in order; none when there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}
