//! Certificates of the site's own authority.
//!
//! A certificate is issued when the first connection arrives at an address of the machine, for that address and
//! the names that the server always has; it lives in memory only and is replaced in time. So nothing has to be
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

use crate::Authority;
use crate::certificates::{TlsError, server_config};

/// How long a certificate is valid, and how much before the end it is replaced.
const VALID_DAYS: i64 = 365;
const RENEW_DAYS: i64 = 120;

/// More addresses than this are not remembered: a machine has few.
const MOST_ADDRESSES: usize = 64;

/// Whom a server's certificates are for, besides the address at which a client arrives and this machine itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// What the server is called.
    pub common_name: &'static str,
    /// Names by which clients reach it.
    pub names: Vec<String>,
    /// Addresses by which clients reach it.
    pub addresses: Vec<IpAddr>,
}

/// Issued certificates, one per address.
#[derive(Debug)]
pub(crate) struct Issued {
    authority: Arc<Authority>,
    identity: Identity,
    by_address: Mutex<HashMap<IpAddr, Certificate>>,
}

#[derive(Debug, Clone)]
struct Certificate {
    config: Arc<ServerConfig>,
    renew_at: Timestamp,
}

impl Issued {
    pub(crate) fn new(authority: Arc<Authority>, identity: Identity) -> Self {
        Self {
            authority,
            identity,
            by_address: Mutex::default(),
        }
    }

    /// The settings for a connection that has arrived at `address`.
    pub(crate) fn config(&self, address: IpAddr) -> Result<Arc<ServerConfig>, TlsError> {
        let now = clock::now();
        let lock = || {
            self.by_address
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
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

    fn issue(&self, address: IpAddr, now: Timestamp) -> Result<Certificate, TlsError> {
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
        let certificate = params
            .signed_by(&key, self.authority.issuer())
            .map_err(failed)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = server_config(vec![certificate.into()], private)
            .map_err(|source| TlsError::Use { address, source })?;
        let renew_at = end
            .checked_sub(Span::new().days(RENEW_DAYS))
            .map_err(TlsError::Clock)?
            .timestamp();
        Ok(Certificate { config, renew_at })
    }

    fn params(&self, address: IpAddr) -> Result<CertificateParams, rcgen::Error> {
        let mut names = vec!["localhost".to_owned()];
        names.extend(self.identity.names.iter().cloned());
        let mut params = CertificateParams::new(names)?;
        let mut addresses = vec![
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            address.to_canonical(),
        ];
        addresses.extend(&self.identity.addresses);
        addresses.sort();
        addresses.dedup();
        params
            .subject_alt_names
            .extend(addresses.into_iter().map(SanType::IpAddress));
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, self.identity.common_name);
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params)
    }
}
