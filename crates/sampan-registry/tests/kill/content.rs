//! Random numbers and the content made of them.

use sampan_oci::Digest;

/// `SplitMix64`: the same numbers for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

/// Bytes and their digest.
#[derive(Clone)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let digest = Digest::of_bytes(&bytes);
        Self { digest, bytes }
    }

    /// Bytes that only this seed makes.
    pub(crate) fn random(seed: u64, most_bytes: u64) -> Self {
        let mut random = Random::new(seed);
        let length = 1 + random.below(most_bytes);
        let words = (0..length.div_ceil(8)).map(|_| random.next().to_le_bytes());
        let mut bytes: Vec<u8> = words.flatten().collect();
        bytes.truncate(usize::try_from(length).unwrap());
        Self::of(bytes)
    }
}

/// An image: a manifest and the blobs that it names, the configuration first.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) manifest: Blob,
    pub(crate) blobs: Vec<Blob>,
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Image {
    pub(crate) fn new(config: Blob, layers: Vec<Blob>) -> Self {
        let describe = |media_type: &str, blob: &Blob| {
            serde_json::json!({
                "mediaType": format!("application/vnd.oci.image.{media_type}"),
                "digest": blob.digest,
                "size": blob.bytes.len(),
            })
        };
        let described = layers.iter().map(|layer| describe("layer.v1.tar", layer));
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": describe("config.v1+json", &config),
            "layers": described.collect::<Vec<_>>(),
        });
        let manifest = Blob::of(manifest.to_string().into_bytes());
        let blobs = std::iter::once(config).chain(layers).collect();
        Self { manifest, blobs }
    }
}
