//! The short hash that names revisions of a pod template.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde::Serialize;

/// The label that tells pods and replica sets of different templates apart.
pub(crate) const TEMPLATE_HASH: &str = "pod-template-hash";

/// Characters of generated names: no vowels and no look-alikes, so that no words come out.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The 32-bit FNV-1a hash.
struct Fnv(u32);

impl Fnv {
    fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// Hashes a value by its JSON form, together with the number of collisions met so far.
pub(crate) fn of<T: Serialize>(value: &T, collisions: Option<i32>) -> String {
    let mut hash = Fnv::new();
    // Plain API types always serialise; were it otherwise, an empty text still names a revision.
    hash.write(serde_json::to_string(value).unwrap_or_default().as_bytes());
    if let Some(count) = collisions.filter(|count| *count > 0) {
        hash.write(&count.to_le_bytes());
    }
    safe_encode(&hash.0.to_string())
}

/// Hashes a pod template without the label that carries this very hash.
pub(crate) fn of_template(template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    of(&without_hash(template), collisions)
}

/// The template as its author wrote it: without the label that a controller added.
pub(crate) fn without_hash(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut plain = template.clone();
    if let Some(labels) = plain
        .metadata
        .as_mut()
        .and_then(|meta| meta.labels.as_mut())
    {
        labels.remove(TEMPLATE_HASH);
    }
    if let Some(meta) = plain.metadata.as_mut() {
        meta.labels = meta.labels.take().filter(|labels| !labels.is_empty());
        meta.creation_timestamp = None;
        if *meta == k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta::default() {
            plain.metadata = None;
        }
    }
    plain
}

fn safe_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| char::from(SAFE[usize::from(byte) % SAFE.len()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    #[test]
    fn the_hash_is_stable_and_blind_to_its_own_label() {
        let mut template = PodTemplateSpec::default();
        let plain = of_template(&template, None);
        assert_eq!(plain, of_template(&template, Some(0)));
        assert_ne!(plain, of_template(&template, Some(1)));
        template.metadata = Some(ObjectMeta {
            labels: Some([(TEMPLATE_HASH.to_owned(), plain.clone())].into()),
            ..ObjectMeta::default()
        });
        assert_eq!(plain, of_template(&template, None));
    }

    #[test]
    fn names_use_safe_characters_only() {
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }
}
