//! From what the user calls a chart to the chart.

use std::path::{Path, PathBuf};

use super::{Error, PACKAGE_LIMIT_BYTES, Remote, address, index, tags};
use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::version::Version;

const OCI: &str = "oci://";

/// What the user calls a chart.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// A path, `oci://…`, `http(s)://…/name.tgz`, or the name of a chart in `repository`.
    pub reference: &'a str,
    /// A version or constraint; empty for the newest release.
    pub version: &'a str,
    /// The address of a chart repository.
    pub repository: Option<&'a str>,
}

/// Where a chart is.
#[derive(Debug, Clone)]
pub enum Located {
    /// A folder or package of this machine.
    Path(PathBuf),
    /// A package that was brought here.
    Package(Package),
}

/// A packed chart that was brought here.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name that the file should have.
    pub file_name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Where it came from.
    pub address: String,
    /// The digest of its manifest, if it came from a registry.
    pub digest: Option<String>,
    /// Whether it was compared with a digest from elsewhere.
    pub is_verified: bool,
}

impl Located {
    /// Loads the chart.
    ///
    /// # Errors
    /// What is wrong with it, in Helm's words.
    pub fn load(&self, compatibility: Compatibility) -> Result<Chart, Error> {
        Ok(match self {
            Self::Path(path) => Chart::load(path, compatibility)?,
            Self::Package(package) => Chart::from_archive(&package.bytes, compatibility)?,
        })
    }
}

/// Finds a chart: here, or on another machine, from where its package is brought.
///
/// # Errors
/// When there is none.
pub fn locate(request: &Request<'_>, remote: &dyn Remote) -> Result<Located, Error> {
    let reference = request.reference.trim();
    if let Some(repository) = request.repository {
        return listed(repository, reference, request.version.trim(), remote).map(Located::Package);
    }
    let path = Path::new(reference);
    if path.exists() {
        return Ok(Located::Path(path.to_owned()));
    }
    if path.is_absolute() || reference.starts_with('.') {
        return Err(Error::Path(reference.to_owned()));
    }
    if let Some(name) = reference.strip_prefix(OCI) {
        return from_registry(name, request.version.trim(), remote).map(Located::Package);
    }
    if address::is_http(reference) {
        return fetch_url(reference, "", remote).map(Located::Package);
    }
    let is_named = !reference.contains("://") && reference.split('/').count() == 2;
    Err(if is_named {
        Error::Named(reference.to_owned())
    } else {
        Error::NoChart(reference.to_owned())
    })
}

/// The newest fitting version of a chart of a repository.
pub(super) fn listed(
    repository: &str,
    name: &str,
    version: &str,
    remote: &dyn Remote,
) -> Result<Package, Error> {
    if repository.starts_with(OCI) {
        let reference = format!("{}/{name}", repository.trim_end_matches('/'));
        return from_registry(&reference[OCI.len()..], version, remote);
    }
    if !address::is_http(repository) {
        return Err(Error::Address(repository.to_owned()));
    }
    let found = index::choose(repository, name, version, remote)?;
    let no_address = || Error::NoAddress {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let url = found.urls.first().ok_or_else(no_address)?;
    let url = address::below(repository, url).ok_or_else(no_address)?;
    if let Some(name) = url.strip_prefix(OCI) {
        return from_registry(name, &found.version.original, remote);
    }
    fetch_url(&url, &found.digest, remote)
}

/// Brings a package from an address. Where its digest is known, it must have it.
///
/// # Errors
/// When it cannot be had, or is not what it should be.
pub fn fetch_url(url: &str, digest: &str, remote: &dyn Remote) -> Result<Package, Error> {
    if !address::is_http(url) {
        return Err(Error::Address(url.to_owned()));
    }
    let bytes = remote.file(url, PACKAGE_LIMIT_BYTES)?;
    let actual = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes));
    let expected = digest.strip_prefix("sha256:").unwrap_or(digest);
    let is_digest = expected.len() == 64 && expected.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A digest that cannot be compared must not pass for one that was.
    if !expected.is_empty() && !is_digest {
        return Err(Error::Digest {
            address: url.to_owned(),
            digest: digest.to_owned(),
        });
    }
    if is_digest && !expected.eq_ignore_ascii_case(&actual) {
        return Err(Error::Altered {
            address: url.to_owned(),
            expected: expected.to_owned(),
            actual,
        });
    }
    Ok(Package {
        file_name: file_name(address::file_name(url), &bytes)?,
        bytes,
        address: url.to_owned(),
        digest: None,
        is_verified: is_digest,
    })
}

/// The name in the address where it is a good one, or else one made of what the package says of itself.
fn file_name(name: Option<&str>, bytes: &[u8]) -> Result<String, Error> {
    if let Some(name) = name {
        return Ok(name.to_owned());
    }
    let chart = Chart::from_archive(bytes, Compatibility::Helm3)?;
    Ok(crate::package::file_name(&chart.metadata)?)
}

/// The parts of `host/repository[:tag][@digest]`.
struct Name<'a> {
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

fn parse(name: &str) -> Option<Name<'_>> {
    let (name, digest) = match name.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (name, None),
    };
    let last = name.rfind('/')?;
    let (repository, tag) = match name[last..].split_once(':') {
        Some((before, tag)) => (&name[..last + before.len()], Some(tag)),
        None => (name, None),
    };
    let is_good = last > 0 && repository.len() > last + 1 && tag != Some("") && digest != Some("");
    is_good.then_some(Name {
        repository,
        tag,
        digest,
    })
}

fn from_registry(name: &str, wanted: &str, remote: &dyn Remote) -> Result<Package, Error> {
    let parsed = parse(name).ok_or_else(|| Error::Address(format!("{OCI}{name}")))?;
    let said = parsed.tag.map(|tag| tag.replace('_', "+"));
    if let Some(said) = said
        .as_ref()
        .filter(|said| !wanted.is_empty() && **said != wanted)
    {
        return Err(Error::Versions {
            asked: wanted.to_owned(),
            said: said.clone(),
        });
    }
    let wanted = said.as_deref().unwrap_or(wanted);
    let (reference, version) = if let Some(digest) = parsed.digest {
        (format!("{}@{digest}", parsed.repository), wanted.to_owned())
    } else {
        let version = version(&parsed, wanted, remote)?;
        let tag = tags::of_version(&version);
        (format!("{}:{tag}", parsed.repository), version)
    };
    let address = format!("{OCI}{reference}");
    let pulled = remote.pull(&reference)?;
    let bytes = pulled
        .package
        .ok_or_else(|| Error::NotAChart(address.clone()))?;
    let last = parsed.repository.rsplit('/').next().unwrap_or_default();
    let file_name = if version.is_empty() {
        file_name(None, &bytes)?
    } else {
        format!("{last}-{version}.tgz")
    };
    Ok(Package {
        file_name,
        bytes,
        address,
        digest: Some(pulled.digest),
        is_verified: true,
    })
}

/// A whole version is asked for as it is; otherwise the newest tag that fits is looked for.
fn version(name: &Name<'_>, wanted: &str, remote: &dyn Remote) -> Result<String, Error> {
    if name.tag.is_some() || Version::parse(wanted).is_ok() {
        return Ok(wanted.to_owned());
    }
    let versions = tags::versions(&remote.tags(name.repository)?);
    match tags::choose(&versions, wanted)? {
        Some(version) => Ok(version.original.clone()),
        None => Err(Error::NoTag {
            version: wanted.to_owned(),
            repository: format!("{OCI}{}", name.repository),
            newest: tags::newest(&versions),
        }),
    }
}
