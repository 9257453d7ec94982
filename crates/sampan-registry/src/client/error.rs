//! What can go wrong between this program and a registry.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sampan_model::Hint;
use sampan_oci::Digest;
use sampan_oci::store::StoreError;

use super::config::{RegistriesError, is_loopback};
use super::credentials::CredentialError;

/// Why the client cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection comes about.
    #[error("cannot reach `{host}`")]
    Unreachable {
        /// The registry.
        host: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// The certificate of the registry is not signed by an authority that this machine trusts, or is not for it.
    #[error("cannot trust the certificate of `{host}`")]
    Untrusted {
        /// The registry.
        host: String,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// What answers speaks something else than TLS.
    #[error("`{host}` does not speak TLS")]
    NoTls {
        /// The registry.
        host: String,
        /// What came instead.
        #[source]
        source: rustls::Error,
    },
    /// The registry talks only to who shows a certificate, and none or another one was shown.
    #[error("`{host}` wants a certificate that proves who asks")]
    Stranger {
        /// The registry.
        host: String,
        /// Its words.
        #[source]
        source: rustls::Error,
    },
    /// The connection broke, also after it was taken up again.
    #[error("the connection to `{host}` broke")]
    Broken {
        /// The registry.
        host: String,
        /// How.
        #[source]
        source: reqwest::Error,
    },
    /// Nothing came or went for too long.
    #[error("`{host}` did nothing for {} s", idle.as_secs())]
    Stalled {
        /// The registry.
        host: String,
        /// How long it was waited for.
        idle: Duration,
    },
    /// The registry ended its answer too early, again and again.
    #[error("`{host}` sends only {got} of {size} bytes of `{digest}`")]
    Short {
        /// The registry.
        host: String,
        /// The blob.
        digest: Box<Digest>,
        /// How much came.
        got: u64,
        /// How much it should be.
        size: u64,
    },
    /// The registry wants to know who asks, or does not believe it.
    #[error("`{host}` {}{}", if *with_credentials { "does not accept the credentials" } else { "wants credentials" }, because(message))]
    Unauthorized {
        /// The registry.
        host: String,
        /// Whether credentials were sent.
        with_credentials: bool,
        /// The registry's own words.
        message: String,
    },
    /// The registry knows who asks and does not allow it.
    #[error("`{host}` does not allow {action}{}", because(message))]
    Denied {
        /// The registry.
        host: String,
        /// What was asked.
        action: String,
        /// The registry's own words.
        message: String,
    },
    /// What was named does not exist there.
    #[error("the registry `{host}` does not know {what}{}", because(message))]
    NotFound {
        /// The registry.
        host: String,
        /// What was named.
        what: String,
        /// The registry's own words.
        message: String,
    },
    /// The registry leads to another place, such as the storage behind it, and that one refuses.
    #[error(
        "`{host}` leads to `{place}`, which refuses {action} with status {status}{}",
        because(message)
    )]
    Elsewhere {
        /// The registry.
        host: String,
        /// The other place.
        place: String,
        /// What was asked.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The words of the other place.
        message: String,
    },
    /// The registry answered with an error of another kind.
    #[error("`{host}` refuses {action} with status {status}{}", because(message))]
    Refused {
        /// The registry.
        host: String,
        /// What was asked.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The registry's own words.
        message: String,
    },
    /// The registry answered with something that is outside of the specification.
    #[error("`{host}` answers {action} with {what}")]
    Malformed {
        /// The registry.
        host: String,
        /// What was asked.
        action: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// The bytes have another digest than they should.
    #[error("`{host}` sent content with digest `{actual}` for `{expected}`")]
    Altered {
        /// The registry.
        host: String,
        /// What was asked for.
        expected: Box<Digest>,
        /// What came.
        actual: Box<Digest>,
    },
    /// The image exists, but not for the wanted platform.
    #[error("`{name}` has no image for {wanted}")]
    Platform {
        /// The image.
        name: String,
        /// The platform.
        wanted: String,
        /// The platforms that there are.
        available: Vec<String>,
    },
    /// A manifest in docker's first format, which names its content in a way that cannot be verified.
    #[error("`{name}` is in docker's first image format, which is no longer read")]
    FirstSchema {
        /// The image.
        name: String,
    },
    /// Documents that lead to documents, deeper than any real image.
    #[error("`{digest}` is nested too deeply")]
    Nested {
        /// Where it became too deep.
        digest: Box<Digest>,
    },
    /// Documents that are larger together than those of any real image.
    #[error("up to `{digest}` there are more than {} MiB of manifests", limit >> 20)]
    Sprawling {
        /// Where it became too much.
        digest: Box<Digest>,
        /// How much may be, in bytes.
        limit: usize,
    },
    /// A layer that only its vendor may give out, as those of Windows.
    #[error(
        "the layer `{digest}` is not distributed by registries, and images with such layers cannot be kept here"
    )]
    Foreign {
        /// The layer.
        digest: Box<Digest>,
    },
    /// A document is not of the form that its media type promises.
    #[error("`{digest}` is not a well-formed manifest")]
    Parse {
        /// The document.
        digest: Box<Digest>,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The local name stands for nothing.
    #[error("there is no image `{name}` here")]
    NotHere {
        /// The name.
        name: String,
    },
    /// A name of content that must have a tag or a digest has none, or the other way round.
    #[error("`{name}` cannot be copied {how}")]
    Copy {
        /// The name.
        name: String,
        /// What was wanted of it.
        how: &'static str,
    },
    /// The name says another digest than the content has that it shall stand for.
    #[error("`{name}` cannot stand for `{actual}`")]
    OtherDigest {
        /// The name.
        name: String,
        /// The digest that it says.
        wanted: Box<Digest>,
        /// The digest of the content.
        actual: Box<Digest>,
    },
    /// What shall be read is no address of an HTTP server.
    #[error("`{address}` is no address that begins with `http://` or `https://`")]
    Address {
        /// What was given.
        address: String,
    },
    /// What shall be sent is no request.
    #[error("the request to `{host}` has {what}")]
    Request {
        /// The server.
        host: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use the certificate file `{}`", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The client cannot be set up.
    #[error("cannot prepare connections to `{host}`")]
    Setup {
        /// The registry.
        host: String,
        /// Why not.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The registry of this program cannot give what it serves.
    #[error("cannot read what is served here")]
    Served(#[source] Box<crate::error::Error>),
    /// The content store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The credentials cannot be read or kept.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The file of registries is wrong.
    #[error(transparent)]
    Registries(#[from] RegistriesError),
}

fn because(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

impl ClientError {
    /// Sorts what the HTTP library reports.
    pub(super) fn transport(host: &str, source: reqwest::Error) -> Self {
        let host = host.to_owned();
        // Addresses of storage behind a registry are signed: who has one has the content.
        let source = source.without_url();
        match tls_error(&source) {
            Some(source @ rustls::Error::InvalidCertificate(_)) => {
                return Self::Untrusted { host, source };
            }
            Some(source @ rustls::Error::AlertReceived(alert)) if is_about_us(alert) => {
                return Self::Stranger { host, source };
            }
            Some(source @ rustls::Error::InvalidMessage(_)) => {
                return Self::NoTls { host, source };
            }
            _ => {}
        }
        if source.is_connect() {
            Self::Unreachable { host, source }
        } else {
            Self::Broken { host, source }
        }
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Stalled { .. }
            | Self::Short { .. } => true,
            Self::Refused { status, .. } | Self::Elsewhere { status, .. } => is_passing(*status),
            _ => false,
        }
    }

    /// Whether the fault lies with what was asked for, so that other content may do better.
    pub(super) fn is_of_content(&self) -> bool {
        match self {
            Self::NotFound { .. }
            | Self::NotHere { .. }
            | Self::Malformed { .. }
            | Self::Altered { .. }
            | Self::Short { .. }
            | Self::Platform { .. }
            | Self::FirstSchema { .. }
            | Self::Nested { .. }
            | Self::Sprawling { .. }
            | Self::Foreign { .. }
            | Self::Parse { .. }
            | Self::Store(
                StoreError::Missing { .. } | StoreError::Altered { .. } | StoreError::Parse { .. },
            ) => true,
            // Such as an immutable tag.
            Self::Refused { status, .. } | Self::Elsewhere { status, .. } => {
                (400..500).contains(status) && !is_passing(*status)
            }
            _ => false,
        }
    }
}

/// Whether an answer with this HTTP status may be another one a little later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Whether an alert of the other side is about the certificate of this one (RFC 8446, section 6.2).
fn is_about_us(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
    )
}

/// What TLS reports, which hides within errors of input and output.
fn tls_error(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        // The source of an error of input and output leaves out what it was made of.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

impl Hint for ClientError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Stranger { host, .. } => format!(
                "put the certificate and its key into `/etc/sampan/certs.d/{host}/client.cert` and `client.key`"
            ),
            Self::NoTls { host, .. } => format!(
                "speak to `{host}` without TLS by `--plain-http`, or list it below `plainHttp` in registries.yaml"
            ),
            Self::Unreachable { host, .. } if host == "docker.io" => {
                "names without a host mean `docker.io`: write the host of your registry first, such as \
                 `registry.example/team/web:1`, or give `docker.io` a mirror in registries.yaml"
                    .to_owned()
            }
            Self::Unreachable { host, .. } => {
                format!("check the name and the port of `{host}`, and that it runs; a registry without TLS wants `--plain-http`")
            }
            Self::Untrusted { host, .. } => format!(
                "give the certificate of its authority with `--ca FILE`, or put it into `/etc/sampan/certs.d/{host}/ca.crt`"
            ),
            Self::Broken { .. } | Self::Stalled { .. } | Self::Short { .. } => {
                "run the same command again; it goes on with what is missing".to_owned()
            }
            Self::Unauthorized { host, .. } if is_loopback(host) => format!(
                "log in with `sampan login {host}`; the users of this machine's own registry are those of `sampan registry user`"
            ),
            Self::Unauthorized { host, .. } => format!("log in with `sampan login {host}`"),
            Self::Elsewhere { .. } => {
                "the storage behind the registry refuses, not the registry: its log says why; addresses of storage also \
                 expire when the clocks of both differ"
                    .to_owned()
            }
            Self::OtherDigest { .. } => "leave the digest out, or give a tag".to_owned(),
            Self::Refused { status: 404, .. } => {
                "check the spelling; some registries want the project or the repository to be made there first".to_owned()
            }
            Self::Denied { host, .. } => {
                format!("ask for the right, or log in as somebody else with `sampan login {host}`")
            }
            Self::NotFound { .. } => "check the spelling; some registries also answer so to who may not see it".to_owned(),
            Self::Refused { status: 413, .. } => "the registry, or a proxy before it, limits the size of uploads; try `--chunk-size 10M`".to_owned(),
            Self::Refused { status: 500.., .. } => "look into the log of the registry, or try again later".to_owned(),
            Self::Platform { available, .. } if available.is_empty() => return None,
            Self::Platform { available, .. } => {
                format!("choose another with `--platform`: {}", available.join(", "))
            }
            Self::FirstSchema { .. } => "push it again with a current client".to_owned(),
            Self::NotHere { .. } => "`sampan image ls` lists what there is".to_owned(),
            Self::Foreign { .. } => "`sampan copy` brings such an image from registry to registry".to_owned(),
            Self::Copy { how, .. } if how.contains("referrers") => "leave `--referrers` out".to_owned(),
            Self::Copy { .. } => "name one tag, or give `--all-tags` with a repository alone".to_owned(),
            Self::Certificate { .. } => "certificates and keys are text in the PEM format".to_owned(),
            Self::Altered { .. } => "the registry or something on the way alters content; nothing of it was kept".to_owned(),
            Self::Store(source) => return source.hint(),
            Self::Credentials(source) => return source.hint(),
            Self::Registries(source) => return source.hint(),
            Self::Refused { .. }
            | Self::Address { .. }
            | Self::Request { .. }
            | Self::Malformed { .. }
            | Self::Served(_)
            | Self::Nested { .. }
            | Self::Sprawling { .. }
            | Self::Parse { .. }
            | Self::Setup { .. } => return None,
        })
    }
}
