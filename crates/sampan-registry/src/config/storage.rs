//! Where blobs lie.
//!
//! ```yaml
//! storage:
//!   s3:
//!     bucket: sampan
//!     endpoint: https://s3.site:9000         # that of AWS when absent
//!     region: us-east-1                      # the default
//!     prefix: registry                       # keys begin with it; nothing when absent
//!     pathStyle: true                        # the default with an endpoint
//!     allowHttp: false                       # whether the endpoint may be without TLS
//!     certificateAuthority: keys/s3.crt      # trusted beside those of the system
//!     credentials: keys/s3-credentials       # in the form of the shared credentials file of AWS
//!     profile: default                       # its section
//!     patience: 30s                          # how long the bucket may be silent or fail
//! ```

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::duration;

/// Where blobs lie: on the local disk unless a bucket is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Storage {
    /// The bucket.
    #[serde(deserialize_with = "consistent")]
    pub s3: Option<S3>,
}

/// A bucket of S3 or of a service that speaks its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3 {
    /// Its name.
    #[serde(deserialize_with = "bucket")]
    pub bucket: String,
    /// Where the service is, without a path; that of AWS when absent.
    #[serde(default, deserialize_with = "endpoint")]
    pub endpoint: Option<Url>,
    /// The region that requests are signed for.
    #[serde(default = "us_east_1")]
    pub region: String,
    /// What all keys begin with, without a slash at either end; empty for nothing.
    #[serde(default, deserialize_with = "prefix")]
    pub prefix: String,
    /// Whether the bucket stands in the path of addresses, otherwise in the host; yes with an endpoint when absent.
    #[serde(default)]
    pub path_style: Option<bool>,
    /// Whether the endpoint may be without TLS.
    #[serde(default)]
    pub allow_http: bool,
    /// A file with certificates of authorities that are trusted beside those of the system.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// The file with the keys, in the form of the shared credentials file of AWS.
    pub credentials: PathBuf,
    /// Its section.
    #[serde(default = "default_profile")]
    pub profile: String,
    /// How long the bucket may be silent, and how long a request is tried again that it fails.
    #[serde(default = "half_a_minute", deserialize_with = "patience")]
    pub patience: Duration,
}

fn us_east_1() -> String {
    "us-east-1".to_owned()
}

fn default_profile() -> String {
    "default".to_owned()
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn consistent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<S3>, D::Error> {
    let s3 = S3::deserialize(from)?;
    let plain = s3
        .endpoint
        .as_ref()
        .is_some_and(|url| url.scheme() == "http");
    if plain && !s3.allow_http {
        return Err(D::Error::custom(
            "the endpoint is without TLS: use `https://`, or say `allowHttp: true`",
        ));
    }
    Ok(Some(s3))
}

fn bucket<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (3..=255).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(name);
    }
    Err(D::Error::custom(format!(
        "`{name}` cannot be the name of a bucket"
    )))
}

fn endpoint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    let url = String::deserialize(from)?.parse::<Url>().ok();
    let bare = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    };
    url.filter(bare).map(Some).ok_or_else(|| {
        D::Error::custom("an address such as `https://s3.site:9000` is expected, without a path")
    })
}

fn prefix<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let prefix = text.trim_matches('/');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(fits);
    if prefix.is_empty() || prefix.split('/').all(good) {
        return Ok(prefix.to_owned());
    }
    Err(D::Error::custom(format!(
        "`{text}` cannot be a prefix: use letters, digits, `.`, `_` and `-`, and `/` between them"
    )))
}

fn patience<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let patience = duration::required(from)?;
    if patience.is_zero() {
        return Err(D::Error::custom("nobody answers in no time"));
    }
    Ok(patience)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_bucket_is_named_in_full_or_refused() {
        let parse = |s3: &str| Config::parse("registry.yaml", &format!("storage:\n  s3:\n{s3}"));
        let config = parse("    bucket: images\n    credentials: keys/s3\n").unwrap();
        let s3 = config.storage.s3.unwrap();
        assert_eq!((s3.region.as_str(), s3.prefix.as_str()), ("us-east-1", ""));
        assert_eq!(s3.patience, Duration::from_secs(30));
        for (text, expected) in [
            (
                "    bukket: a\n",
                "registry.yaml:3:5: unknown field `bukket`",
            ),
            (
                "    bucket: abc\n",
                "registry.yaml:2:3: missing field `credentials`",
            ),
            (
                "    bucket: a/b\n",
                "registry.yaml:3:5: `a/b` cannot be the name",
            ),
            (
                "    bucket: abc\n    credentials: c\n    endpoint: http://s3.site\n",
                "registry.yaml:2:3: the endpoint is without TLS",
            ),
            (
                "    bucket: abc\n    endpoint: https://key:secret@s3.site\n",
                "registry.yaml:4:5: an address such as",
            ),
            (
                "    bucket: abc\n    prefix: a/../b\n",
                "registry.yaml:4:5: `a/../b` cannot be a prefix",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
