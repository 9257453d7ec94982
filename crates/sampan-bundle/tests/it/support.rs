//! A vendor with releases.

use sampan_bundle::bundle::{self, Bundle};
use sampan_bundle::release::{self, NewChart, NewRelease, Release, ReleaseError};
use sampan_bundle::{BundleError, Summary};
use sampan_model::app::AppFile;
use sampan_oci::archive::Entry;
use sampan_oci::layer::{LayerOptions, LayerWriter};
use sampan_oci::{ContentStore, Descriptor, MediaType};

pub(crate) struct Side {
    pub(crate) data: tempfile::TempDir,
    pub(crate) store: ContentStore,
}

impl Side {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = ContentStore::open(data.path()).unwrap();
        Self { data, store }
    }

    /// An image with a layer for each content.
    pub(crate) fn image(&self, contents: &[&[u8]]) -> Descriptor {
        let mut layers = Vec::new();
        for content in contents {
            let mut writer = LayerWriter::new(&self.store, LayerOptions::default()).unwrap();
            let entry = Entry::file("file", content.len() as u64);
            writer.append(entry, &mut &**content).unwrap();
            layers.push(writer.finish().unwrap());
        }
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id).collect();
        let descriptors: Vec<_> = layers.iter().map(|layer| &layer.descriptor).collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self
            .store
            .put_json(MediaType::ImageConfig, &config)
            .unwrap();
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MediaType::ImageManifest,
            "config": config, "layers": descriptors,
        });
        self.store
            .put_json(MediaType::ImageManifest, &manifest)
            .unwrap()
    }

    pub(crate) fn release(&self, version: &str, own: &[u8]) -> Result<Release, ReleaseError> {
        let text = format!(
            "apiVersion: sampan/v1\nkind: App\nname: shop\nversion: {version}\nmanifests: [k/*.yaml, {{chart: charts/shop}}]\n"
        );
        let app = AppFile::parse("sampan.yaml", &text).unwrap().app;
        let base: &[u8] = &[b'b'; 5000];
        let images = vec![
            ("shop-web:1".parse().unwrap(), self.image(&[base, own])),
            ("shop-db:1".parse().unwrap(), self.image(&[base])),
        ];
        let files = vec![("k/web.yaml".to_owned(), b"kind: Service\n".to_vec())];
        let chart = NewChart {
            path: "charts/shop".to_owned(),
            config: br#"{"name":"shop"}"#.to_vec(),
            package: b"packed".to_vec(),
        };
        release::create(
            &self.store,
            &NewRelease {
                app: &app,
                files,
                charts: vec![chart],
                images,
            },
        )
    }

    pub(crate) fn pack(&self, version: &str, since: Option<&str>) -> Vec<u8> {
        self.plan(version, since)
            .write(&self.store, Vec::new(), &mut |_| {})
            .unwrap()
    }

    pub(crate) fn plan(&self, version: &str, since: Option<&str>) -> Bundle {
        let name = |version: &str| format!("shop@{version}").parse().unwrap();
        let since: Vec<_> = since.into_iter().map(name).collect();
        Bundle::plan(&self.store, &[name(version)], &since).unwrap()
    }

    pub(crate) fn load(&self, bytes: &[u8]) -> Result<Summary, BundleError> {
        bundle::load(&self.store, &mut &*bytes, &mut |_| {})
    }

    pub(crate) fn releases(&self) -> Vec<String> {
        release::names(&self.store)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

/// Bytes without any pattern, the same in each run.
pub(crate) fn noise() -> impl Iterator<Item = u8> {
    noise_numbers().flat_map(u64::to_le_bytes)
}

/// Source: Sebastiano Vigna's `SplitMix64`.
pub(crate) fn noise_numbers() -> impl Iterator<Item = u64> {
    let mut state: u64 = 42;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
