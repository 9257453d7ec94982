//! The server's certificates.
//!
//! A certificate is issued when the first connection arrives at an address of the machine, for that address and
//! the names that the API always has; it lives in memory only and is replaced in time. So nothing has to be
//! renewed on disk, and an address that the machine gets later works at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sampan_supervise::clock;

use crate::keys::Keys;

/// The names of the API inside the cluster.
const NAMES: &[&str] = &[
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// How long a certificate is valid, and how much before the end it is replaced.
const VALID_DAYS: i64 = 365;
const RENEW_DAYS: i64 = 120;

/// More addresses than this are not remembered: a machine has few.
const MOST_ADDRESSES: usize = 64;

/// Why a certificate could not be made.
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
}

/// The certificates of the server, one per address.
#[derive(Debug)]
pub struct Certificates {
    keys: Arc<Keys>,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    issued: Mutex<HashMap<IpAddr, Issued>>,
}

#[derive(Debug, Clone)]
struct Issued {
    config: Arc<ServerConfig>,
    renew_at: Timestamp,
}

impl Certificates {
    /// Certificates signed by the authority in `keys`, for the given names and addresses besides the usual ones.
    #[must_use]
    pub fn new(keys: Arc<Keys>, names: Vec<String>, addresses: Vec<IpAddr>) -> Self {
        Self {
            keys,
            names,
            addresses,
            issued: Mutex::default(),
        }
    }

    /// The settings for a connection that has arrived at `address`.
    ///
    /// # Errors
    /// When no certificate can be issued.
    pub fn config(&self, address: IpAddr) -> Result<Arc<ServerConfig>, TlsError> {
        let now = clock::now();
        let lock = || self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = lock().get(&address)
            && now < issued.renew_at
        {
            return Ok(Arc::clone(&issued.config));
        }
        let issued = self.issue(address, now)?;
        let config = Arc::clone(&issued.config);
        let mut all = lock();
        if all.len() >= MOST_ADDRESSES {
            all.clear();
        }
        all.insert(address, issued);
        Ok(config)
    }

    fn issue(&self, address: IpAddr, now: Timestamp) -> Result<Issued, TlsError> {
        let failed = |source| TlsError::Issue { address, source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = self.params(address).map_err(failed)?;
        let end = now
            .to_zoned(TimeZone::UTC)
            .checked_add(Span::new().days(VALID_DAYS))
            .map_err(TlsError::Clock)?;
        // Valid since long ago: a clock that is put back must not make the server unreachable.
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(
            i32::from(end.year()),
            end.month().unsigned_abs(),
            end.day().unsigned_abs(),
        );
        let certificate = params.signed_by(&key, self.keys.issuer()).map_err(failed)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certificate.into()], private)
            })
            .map_err(|source| TlsError::Use { address, source })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let renew_at = end
            .checked_sub(Span::new().days(RENEW_DAYS))
            .map_err(TlsError::Clock)?
            .timestamp();
        Ok(Issued {
            config: Arc::new(config),
            renew_at,
        })
    }

    fn params(&self, address: IpAddr) -> Result<CertificateParams, rcgen::Error> {
        let names: Vec<String> = NAMES
            .iter()
            .map(ToString::to_string)
            .chain(self.names.iter().cloned())
            .collect();
        let mut params = CertificateParams::new(names)?;
        let mut addresses = vec![
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            address.to_canonical(),
        ];
        addresses.extend(&self.addresses);
        addresses.sort();
        addresses.dedup();
        params
            .subject_alt_names
            .extend(addresses.into_iter().map(SanType::IpAddress));
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "sampan-engine");
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params)
    }
}
