//! A packed chart in the form that registries keep, as `helm push` makes it.
//!
//! Source: Helm, "Use OCI-based registries", and HIP 6.

use std::collections::BTreeMap;

use super::{Artifact, Error, PACKAGE_LIMIT_BYTES, Remote, tags};
use crate::chart::{self, Chart, Metadata};
use crate::compatibility::Compatibility;

/// What annotations of the chart itself must not change.
const OWN: [&str; 2] = [
    "org.opencontainers.image.version",
    "org.opencontainers.image.title",
];

/// What was pushed.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The reference with its tag.
    pub reference: String,
    /// The digest of the manifest.
    pub digest: String,
    /// What the chart says of itself.
    pub metadata: Metadata,
}

/// Puts a package below `target`, an address such as `oci://registry.example/charts`, under the name and version of its
/// chart. Nothing in it says when, so that the same package has the same digest.
///
/// # Errors
/// When it is no good chart, the address is none, or the registry does not take it.
pub fn push(package: Vec<u8>, target: &str, remote: &dyn Remote) -> Result<Pushed, Error> {
    if package.len() > PACKAGE_LIMIT_BYTES {
        let problem = format!("the package is larger than {PACKAGE_LIMIT_BYTES} bytes");
        return Err(chart::Error::TooLarge(problem).into());
    }
    let chart = Chart::from_archive(&package, Compatibility::Helm3)?;
    let base = target
        .strip_prefix("oci://")
        .map(|base| base.trim_end_matches('/'))
        .filter(|base| !base.is_empty())
        .ok_or_else(|| Error::Address(target.to_owned()))?;
    let metadata = chart.metadata;
    let tag = tags::of_version(&metadata.version);
    let reference = format!("{base}/{}:{tag}", metadata.name);
    let artifact = Artifact {
        config: metadata.to_json(),
        package,
        annotations: annotations(&metadata),
    };
    let digest = remote.push(&reference, &artifact)?;
    Ok(Pushed {
        reference,
        digest,
        metadata,
    })
}

fn annotations(metadata: &Metadata) -> BTreeMap<String, String> {
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    let known = [
        ("description", metadata.description.clone()),
        ("title", metadata.name.clone()),
        ("version", metadata.version.clone()),
        ("url", metadata.home.clone()),
        (
            "source",
            metadata.sources.first().cloned().unwrap_or_default(),
        ),
        ("authors", authors.join(", ")),
    ];
    let known = known
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value));
    let own = metadata.annotations.iter();
    let own = own.filter(|(name, _)| !OWN.contains(&name.as_str()));
    known
        .chain(own.map(|(name, value)| (name.clone(), value.clone())))
        .collect()
}
