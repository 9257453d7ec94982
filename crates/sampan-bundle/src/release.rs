//! Releases: immutable versions of apps.
//!
//! ```text
//! image index            artifactType application/vnd.sampan.release.v1
//! ├── artifact manifest  artifactType application/vnd.sampan.app.v1
//! │   ├── config         the app's description, as JSON
//! │   └── layer          the manifest files, as a tar archive
//! ├── chart manifest     as registries keep charts, titled with the path by which the app names it
//! ├── image manifest     annotated with the name by which the app's manifests use it
//! └── …
//! ```
//!
//! Nothing in it depends on when or where it was made: the same input has the same digest.

mod charts;
mod error;
mod files;

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};
use sampan_model::app::App;
use sampan_model::{ReleaseName, Version};
use sampan_oci::image::NAME_ANNOTATION;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest, Reference};
use serde_json::json;

pub use self::charts::NewChart;
pub use self::error::ReleaseError;

/// The type of a release.
pub const RELEASE_TYPE: &str = "application/vnd.sampan.release.v1";
/// The type of an app's description with its files.
pub const APP_TYPE: &str = "application/vnd.sampan.app.v1";
/// The type of the app's description itself.
const APP_CONFIG_TYPE: &str = "application/vnd.sampan.app.config.v1+json";
/// Where releases stand among the names of the content store.
const REPOSITORY: &str = "sampan.local/releases";

/// What a release is made of.
#[derive(Debug)]
pub struct NewRelease<'input> {
    /// The app's description, with name and version.
    pub app: &'input App,
    /// The manifest files: path within the app's folder, content.
    pub files: Vec<(String, Vec<u8>)>,
    /// The charts that the app is rendered from.
    pub charts: Vec<NewChart>,
    /// Every image that the manifests name, resolved in the content store.
    pub images: Vec<(Reference, Descriptor)>,
}

/// A release in the content store.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its name.
    pub name: ReleaseName,
    /// Points to its index.
    pub descriptor: Descriptor,
    /// The app's description.
    pub app: App,
    /// The images by the names that the manifests use, in the order of the names.
    pub images: Vec<(Reference, Descriptor)>,
    /// The charts by the paths that the app names them by.
    pub charts: Vec<(String, Descriptor)>,
    files: Descriptor,
}

impl Release {
    /// The manifest files: path, content.
    ///
    /// # Errors
    /// When they are missing or malformed.
    pub fn files(&self, store: &ContentStore) -> Result<Vec<(String, Vec<u8>)>, ReleaseError> {
        files::read(store, &self.files).map_err(|source| ReleaseError::Files {
            name: self.name.clone(),
            source: Box::new(source),
        })
    }

    /// The package of a chart.
    ///
    /// # Errors
    /// [`ReleaseError::NoChart`] when it is not in the release; else when it is missing or malformed.
    pub fn chart(&self, store: &ContentStore, path: &str) -> Result<Vec<u8>, ReleaseError> {
        let found = self.charts.iter().find(|(known, _)| known == path);
        let (_, descriptor) = found.ok_or_else(|| ReleaseError::NoChart {
            name: self.name.clone(),
            path: path.to_owned(),
        })?;
        charts::package(store, descriptor)
    }

    /// The digest of the release, which names all of its content.
    ///
    /// # Errors
    /// When it is of an unknown kind.
    pub fn digest(&self) -> Result<Digest, ReleaseError> {
        Ok(Digest::of(&self.descriptor).map_err(StoreError::from)?)
    }

    /// The size of all content in bytes, each blob counted once.
    ///
    /// # Errors
    /// When a document of it is missing.
    pub fn size_bytes(&self, store: &ContentStore) -> Result<u64, ReleaseError> {
        Ok(store
            .reachable(&self.descriptor)?
            .iter()
            .map(Descriptor::size)
            .sum())
    }
}

/// Makes a release and names it. The same content again changes nothing.
///
/// # Errors
/// [`ReleaseError::Exists`] when there is one of that name with other content; else when the store
/// refuses.
pub fn create(store: &ContentStore, new: &NewRelease<'_>) -> Result<Release, ReleaseError> {
    let name = ReleaseName {
        app: new.app.name.clone(),
        version: new.app.version.clone(),
    };
    let app = put_app(store, new)?;
    let images: BTreeMap<_, _> = new
        .images
        .iter()
        .map(|(name, image)| (name, image))
        .collect();
    let mut entries = vec![app];
    entries.extend(charts::put(store, &new.charts)?);
    for (reference, image) in images {
        entries.push(image_entry(store, reference, image)?);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageIndex,
        "artifactType": RELEASE_TYPE,
        "manifests": entries,
        "annotations": {
            "org.opencontainers.image.title": name.app,
            "org.opencontainers.image.version": name.version,
        },
    });
    let descriptor = store.put_json(MediaType::ImageIndex, &index)?;
    if let Some((_, holder)) = store.tag_new(&[(reference(&name), descriptor.clone())])? {
        return Err(ReleaseError::Exists {
            name,
            existing: Digest::of(&holder).map_err(StoreError::from)?,
        });
    }
    read(store, &descriptor)
}

/// Finds a release by its name.
///
/// # Errors
/// [`ReleaseError::NotFound`] with what there is instead; else when the release is malformed.
pub fn open(store: &ContentStore, name: &ReleaseName) -> Result<Release, ReleaseError> {
    if let Some(descriptor) = store.resolve(&reference(name))? {
        return read(store, &descriptor);
    }
    let mut known = names(store)?;
    known.retain(|known| known.app == name.app);
    Err(ReleaseError::NotFound {
        name: name.clone(),
        known,
    })
}

/// All releases, in the order of their names.
///
/// # Errors
/// When one is malformed.
pub fn list(store: &ContentStore) -> Result<Vec<Release>, ReleaseError> {
    let mut releases = Vec::new();
    for (reference, descriptor) in store.references()? {
        if release_name(&reference).is_some() {
            releases.push(read(store, &descriptor)?);
        }
    }
    Ok(releases)
}

/// The names of all releases.
///
/// # Errors
/// When the names cannot be read.
pub fn names(store: &ContentStore) -> Result<Vec<ReleaseName>, ReleaseError> {
    Ok(store
        .references()?
        .iter()
        .filter_map(|(reference, _)| release_name(reference))
        .collect())
}

/// Reads the release that `descriptor` points to.
///
/// # Errors
/// [`ReleaseError::Malformed`] when it is something else; or when part of it is missing.
pub fn read(store: &ContentStore, descriptor: &Descriptor) -> Result<Release, ReleaseError> {
    let index: ImageIndex = store.read_json(descriptor)?;
    let malformed = || ReleaseError::Malformed {
        digest: descriptor.digest().to_string(),
    };
    if index
        .artifact_type()
        .as_ref()
        .map(ToString::to_string)
        .as_deref()
        != Some(RELEASE_TYPE)
    {
        return Err(malformed());
    }
    let (app, images) = index.manifests().split_first().ok_or_else(malformed)?;
    let manifest: ImageManifest = store.read_json(app)?;
    let app: App = store.read_json(manifest.config())?;
    let files = manifest.layers().first().ok_or_else(malformed)?.clone();
    let (charts, images) = charts::divide(images).ok_or_else(malformed)?;
    let images = images
        .into_iter()
        .map(|entry| {
            let name = entry
                .annotations()
                .as_ref()?
                .get(NAME_ANNOTATION)?
                .parse()
                .ok()?;
            Some((name, entry.clone()))
        })
        .collect::<Option<_>>()
        .ok_or_else(malformed)?;
    let name = ReleaseName {
        app: app.name.clone(),
        version: app.version.clone(),
    };
    Ok(Release {
        name,
        descriptor: descriptor.clone(),
        app,
        images,
        charts,
        files,
    })
}

/// The name of a release within the content store.
///
/// # Panics
/// Never: names of apps and versions are parts of references.
#[must_use]
pub fn reference(name: &ReleaseName) -> Reference {
    format!("{REPOSITORY}/{}:{}", name.app, name.version)
        .parse()
        .expect("names of apps and versions fit into references")
}

/// The release that is called so, if it is one.
#[must_use]
pub fn release_name(reference: &Reference) -> Option<ReleaseName> {
    let app = reference
        .familiar_name()
        .strip_prefix(REPOSITORY)?
        .strip_prefix('/')?
        .parse()
        .ok()?;
    let version: Version = reference.tag()?.parse().ok()?;
    Some(ReleaseName { app, version })
}

fn put_app(store: &ContentStore, new: &NewRelease<'_>) -> Result<Descriptor, ReleaseError> {
    let config = store.put_json(MediaType::from(APP_CONFIG_TYPE), new.app)?;
    let files = files::put(store, &new.files).map_err(|source| ReleaseError::Files {
        name: ReleaseName {
            app: new.app.name.clone(),
            version: new.app.version.clone(),
        },
        source: Box::new(source),
    })?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageManifest,
        "artifactType": APP_TYPE,
        "config": config,
        "layers": [files],
    });
    let mut descriptor = store.put_json(MediaType::ImageManifest, &manifest)?;
    descriptor.set_artifact_type(Some(MediaType::from(APP_TYPE)));
    Ok(descriptor)
}

/// The image's descriptor with its name, and with its platform, by which other tools choose.
fn image_entry(
    store: &ContentStore,
    reference: &Reference,
    image: &Descriptor,
) -> Result<Descriptor, ReleaseError> {
    let mut entry = Descriptor::new(
        image.media_type().clone(),
        image.size(),
        image.digest().clone(),
    );
    let config = store.image(image)?.config;
    if image.media_type() != &MediaType::ImageIndex {
        let platform = json!({"architecture": config.architecture(), "os": config.os()});
        entry.set_platform(serde_json::from_value(platform).ok());
    }
    let annotations = [(NAME_ANNOTATION.to_owned(), reference.familiar())];
    entry.set_annotations(Some(annotations.into()));
    Ok(entry)
}
