//! Digests of structured input: what a step depends on.

use sampan_oci::Digest;
use sampan_oci::digest::Hasher;

/// Collects fields into one digest. Every field carries its length, so that fields never run together.
#[derive(Debug)]
pub(crate) struct Fingerprint(Hasher);

impl Fingerprint {
    /// Begins the digest of a thing of the given kind.
    pub(crate) fn new(kind: &str) -> Self {
        Self(Hasher::default()).field(kind)
    }

    /// Adds a field.
    pub(crate) fn field(mut self, value: impl AsRef<[u8]>) -> Self {
        self.add(value);
        self
    }

    /// Adds a field.
    pub(crate) fn add(&mut self, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.0.update(&(value.len() as u64).to_le_bytes());
        self.0.update(value);
    }

    /// Adds a list, distinct from the same values as single fields.
    pub(crate) fn list<T: AsRef<[u8]>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<T> = values.into_iter().collect();
        self.add((values.len() as u64).to_le_bytes());
        for value in values {
            self.add(value);
        }
        self
    }

    /// The digest of all fields.
    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}
