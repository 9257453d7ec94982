//! For which machines an image is wanted.

use std::fmt;
use std::str::FromStr;

use sampan_oci::image::{DOCUMENT_LIMIT_BYTES, machine_architecture};
use sampan_oci::{Descriptor, Platform};
use serde::Deserialize;

use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;

/// Which images of an index are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Platforms {
    /// The index with everything that it lists.
    All,
    /// The image for this machine where there are several; where there is one only, that one.
    #[default]
    Here,
    /// The image for one kind of machine and no other.
    One(PlatformName),
}

/// A kind of machine, such as `linux/arm64/v8`, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformName {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Default for PlatformName {
    fn default() -> Self {
        Self {
            os: "linux".to_owned(),
            architecture: machine_architecture().to_owned(),
            variant: None,
        }
    }
}

/// What the configuration of an image says of the machines that it is for.
#[derive(Deserialize)]
struct Configured {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a platform looks like `linux/amd64` or `linux/arm64/v8`")]
pub struct PlatformError;

impl FromStr for PlatformName {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split('/').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(PlatformError);
        }
        match <[String; 2]>::try_from(parts) {
            Ok([os, architecture]) => Ok(Self {
                os,
                architecture,
                variant: None,
            }),
            Err(parts) => match <[String; 3]>::try_from(parts) {
                Ok([os, architecture, variant]) => Ok(Self {
                    os,
                    architecture,
                    variant: Some(variant),
                }),
                Err(_) => Err(PlatformError),
            },
        }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl PlatformName {
    fn of(platform: &Platform) -> Self {
        Self {
            os: platform.os().to_string(),
            architecture: platform.architecture().to_string(),
            variant: platform.variant().clone(),
        }
    }

    fn fits(&self, offered: &Self) -> bool {
        self.os == offered.os
            && self.architecture == offered.architecture
            && (self.variant().is_none() || self.variant() == offered.variant())
    }

    /// The variant, unless it is what every machine of the architecture can do.
    fn variant(&self) -> Option<&str> {
        let variant = self.variant.as_deref()?;
        let basic = matches!(
            (self.architecture.as_str(), variant),
            (_, "") | ("arm64", "v8") | ("amd64", "v1")
        );
        (!basic).then_some(variant)
    }
}

impl Platforms {
    /// The document that is wanted of `document`: itself, or a part of it.
    pub(super) async fn select(
        &self,
        origin: &Origin,
        document: Document,
        name: &str,
    ) -> Result<Document, ClientError> {
        if let Some(chosen) = self.choose(&document, name)? {
            return origin.document(chosen.digest().as_ref()).await;
        }
        self.check(origin, &document, name).await?;
        Ok(document)
    }

    /// Refuses an image alone that says of itself that it is for another machine than was named.
    async fn check(
        &self,
        origin: &Origin,
        document: &Document,
        name: &str,
    ) -> Result<(), ClientError> {
        let (Self::One(wanted), Some(config)) = (self, document.image_config()?) else {
            return Ok(());
        };
        if config.size() > DOCUMENT_LIMIT_BYTES {
            return Ok(());
        }
        let digest = digest_of(&config)?;
        let mut reader = origin.blob(digest, config.size(), 0).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        let Ok(config) = serde_json::from_slice::<Configured>(&bytes) else {
            return Ok(());
        };
        let offered = PlatformName {
            os: config.os,
            architecture: config.architecture,
            variant: config.variant,
        };
        if wanted.fits(&offered) {
            return Ok(());
        }
        Err(ClientError::Platform {
            name: name.to_owned(),
            wanted: wanted.to_string(),
            available: vec![offered.to_string()],
        })
    }

    /// The entry of an index that is wanted instead of all of it. An index that is for no platform, such as a list of
    /// artifacts, is wanted as a whole.
    fn choose(&self, document: &Document, name: &str) -> Result<Option<Descriptor>, ClientError> {
        let wanted = match self {
            Self::All => return Ok(None),
            Self::Here => &PlatformName::default(),
            Self::One(wanted) => wanted,
        };
        if !document.is_index() {
            return Ok(None);
        }
        let index = document.index()?;
        let platform = |entry: &Descriptor| entry.platform().as_ref().map(PlatformName::of);
        let offers: Vec<_> = index
            .manifests()
            .iter()
            .filter_map(|entry| Some((platform(entry)?, entry)))
            .collect();
        if offers.is_empty() {
            return Ok(None);
        }
        // Where no variant is wanted, more machines can run the lower ones.
        let fitting = offers.iter().filter(|(offered, _)| wanted.fits(offered));
        if let Some((_, entry)) = fitting.min_by_key(|(offered, _)| offered.variant()) {
            return Ok(Some((*entry).clone()));
        }
        // What builders attest of images is marked as for no real machine.
        let real = |offered: &&PlatformName| offered.os != "unknown";
        let available = offers.iter().map(|(offered, _)| offered).filter(real);
        Err(ClientError::Platform {
            name: name.to_owned(),
            wanted: wanted.to_string(),
            available: available.map(ToString::to_string).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use sampan_oci::{Digest, MediaType};
    use serde_json::json;

    use super::*;

    fn chosen(wanted: &str, offered: &[&str]) -> Option<usize> {
        let entry = |(number, text): (usize, &&str)| {
            let name: PlatformName = text.parse().unwrap();
            let mut platform = json!({"os": name.os, "architecture": name.architecture});
            if let Some(variant) = name.variant {
                platform["variant"] = json!(variant);
            }
            json!({
                "mediaType": MediaType::ImageManifest, "size": number,
                "digest": Digest::of_bytes(text.as_bytes()), "platform": platform,
            })
        };
        let manifests: Vec<_> = offered.iter().enumerate().map(entry).collect();
        let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
        let digest = Digest::of_bytes(index.as_bytes());
        let index = Document::new("index", digest, None, index.into()).unwrap();
        let wanted = Platforms::One(wanted.parse().unwrap());
        let entry = wanted.choose(&index, "index").ok()??;
        usize::try_from(entry.size()).ok()
    }

    #[test]
    fn variants_are_chosen_so_that_the_image_runs() {
        let newest_first = ["linux/amd64/v3", "linux/amd64", "linux/amd64/v2"];
        assert_eq!(chosen("linux/amd64", &newest_first), Some(1));
        assert_eq!(chosen("linux/amd64/v2", &newest_first), Some(2));
        assert_eq!(
            chosen("linux/arm", &["linux/arm/v7", "linux/arm/v6"]),
            Some(1)
        );
        assert_eq!(chosen("linux/arm64/v8", &["linux/arm64"]), Some(0));
        assert_eq!(chosen("linux/arm64", &["linux/arm64/v8"]), Some(0));
        assert_eq!(chosen("linux/arm/v7", &["linux/arm/v6"]), None);
    }
}
