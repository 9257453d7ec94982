//! For which machines an image is wanted.

use std::fmt;
use std::str::FromStr;

use sampan_oci::image::machine_architecture;
use sampan_oci::{Descriptor, Platform};

use super::document::Document;
use super::error::ClientError;

/// Which images of an index are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platforms {
    /// The index with everything that it lists.
    All,
    /// The image for one kind of machine.
    One(PlatformName),
}

impl Default for Platforms {
    fn default() -> Self {
        Self::One(PlatformName::default())
    }
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
            && (self.variant.is_none() || self.variant == offered.variant)
    }
}

impl Platforms {
    /// The entry of an index that is wanted instead of all of it. An index that is for no platform, such as a list of
    /// artifacts, is wanted as a whole.
    pub(super) fn choose(
        &self,
        document: &Document,
        name: &str,
    ) -> Result<Option<Descriptor>, ClientError> {
        let Self::One(wanted) = self else {
            return Ok(None);
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
        let found = offers.iter().find(|(offered, _)| wanted.fits(offered));
        if let Some((_, entry)) = found {
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
