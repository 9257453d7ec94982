//! The certificate authority of an installation, in `keys/`.
//!
//! It is made at the first start and stays. What can be made again from the rest is: a lost certificate is
//! issued anew by the same key, so the clients' copies of the older one go on being trusted.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::secret::{self, KeysError};

/// The certificate authority of an installation; never shown by `Debug`.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(…)")
    }
}

impl Authority {
    /// Reads the authority of a data directory; makes what is missing.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn load(data: &Path) -> Result<Self, KeysError> {
        let folder = secret::folder(data)?;
        let path = folder.join("authority.key");
        let broken = |source| KeysError::Key {
            path: path.clone(),
            source,
        };
        let pem = secret::read_or_make(&path, || {
            Ok(KeyPair::generate().map_err(broken)?.serialize_pem())
        })?;
        let key = KeyPair::from_pem(&pem).map_err(broken)?;
        let certificate = secret::read_or_make(&folder.join("authority.crt"), || {
            Ok(params().self_signed(&key).map_err(broken)?.pem())
        })?;
        Ok(Self {
            certificate,
            issuer: Issuer::new(params(), key),
        })
    }

    /// The certificate of the authority, as PEM: what clients have to trust.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Who signs server certificates.
    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// What the authority's certificate says: always the same, so that it can be issued again. Its validity does not
/// depend on the clock, which at a site may be wrong by years.
fn params() -> CertificateParams {
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
