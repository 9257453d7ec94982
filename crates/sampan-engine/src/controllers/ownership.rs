//! Finds what an owner manages: adopts orphans that match its selector, releases what no longer does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::selector::{self, owned_by};
use crate::error::Error;
use crate::objects::{Object, Objects};

/// Who owns.
pub(crate) struct Owner<'a> {
    /// Its `apiVersion`.
    pub(crate) api_version: &'static str,
    /// Its kind.
    pub(crate) kind: &'static str,
    /// Its metadata.
    pub(crate) meta: &'a ObjectMeta,
    /// What it selects.
    pub(crate) selector: &'a LabelSelector,
}

impl Owner<'_> {
    /// All objects of a kind in the owner's namespace that it manages after this call.
    pub(crate) async fn claim<K: Object>(&self, objects: &Objects) -> Result<Vec<K>, Error> {
        let uid = self.meta.uid.as_deref().unwrap_or_default();
        let mut owned = Vec::new();
        for mut object in objects.list::<K>(self.meta.namespace.as_deref()).await? {
            let matches = selector::matches(self.selector, object.metadata().labels.as_ref());
            match (selector::controller(object.metadata()), matches) {
                (Some(present), true) if present.uid == uid => owned.push(object),
                (Some(present), false) if present.uid == uid => {
                    self.release(objects, &mut object, uid).await?;
                }
                (None, true) if self.may_adopt(object.metadata()) => {
                    let reference = owned_by(self.api_version, self.kind, self.meta);
                    object
                        .metadata_mut()
                        .owner_references
                        .get_or_insert_default()
                        .push(reference);
                    owned.push(objects.update(&object).await?);
                }
                _ => {}
            }
        }
        Ok(owned)
    }

    fn may_adopt(&self, meta: &ObjectMeta) -> bool {
        self.meta.deletion_timestamp.is_none()
            && meta.deletion_timestamp.is_none()
            && !is_empty(self.selector)
    }

    async fn release<K: Object>(
        &self,
        objects: &Objects,
        object: &mut K,
        uid: &str,
    ) -> Result<(), Error> {
        if let Some(references) = object.metadata_mut().owner_references.as_mut() {
            references.retain(|reference| reference.uid != uid);
        }
        objects.update(object).await.map(drop)
    }
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector
        .match_labels
        .as_ref()
        .is_none_or(std::collections::BTreeMap::is_empty)
        && selector
            .match_expressions
            .as_ref()
            .is_none_or(Vec::is_empty)
}
