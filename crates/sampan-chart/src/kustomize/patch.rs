//! Patches: parts of resources that are merged in, and lists of operations.

use serde_json::Value;

use super::error::Error;
use super::files::{Folder, documents, resources as parse};
use super::index::Index;
use super::kustomization::{Kustomization, Patch};
use super::resource::Resource;
use super::select::Selector;
use super::{merge, operations};

/// `patchesStrategicMerge`: files or texts with parts of resources.
pub(super) fn strategic(
    folder: &Folder,
    kustomization: &Kustomization,
    resources: &mut Vec<Resource>,
) -> Result<(), Error> {
    let mut targets = Targets::of(resources);
    for entry in &kustomization.patches_strategic_merge {
        let patches = if entry.contains('\n') || entry.contains(": ") {
            parse(&folder.file, entry.as_bytes())?
        } else {
            folder.resources(entry)?
        };
        for patch in &patches {
            targets.merge_one(patch)?;
        }
    }
    Ok(())
}

/// `patches` and `patchesJson6902`: either kind, for what a target selects.
pub(super) fn patches(
    folder: &Folder,
    patches: &[Patch],
    resources: &mut Vec<Resource>,
) -> Result<(), Error> {
    let mut targets = Targets::of(resources);
    for patch in patches {
        let (text, source) = match (patch.text.trim(), patch.path.as_str()) {
            ("", "") => return Err(folder.wrong("must specify one of patch and path".to_owned())),
            ("", path) => (folder.read(path)?, format!("path: {path:?}")),
            (text, "") => (text.as_bytes().to_vec(), format!("patch: {text:?}")),
            _ => {
                let problem = "patch and path can't be set at the same time";
                return Err(folder.wrong(problem.to_owned()));
            }
        };
        let documents = documents(&folder.file, &text)?;
        match documents.first() {
            Some(operations @ Value::Array(_)) => {
                let Some(target) = &patch.target else {
                    let problem = format!("must specify a target for JSON patch [{source}]");
                    return Err(folder.wrong(problem));
                };
                let selector = Selector::new(target)?;
                let all = targets.all();
                for resource in all.iter_mut().filter(|one| selector.selects(one)) {
                    operations::apply(operations, resource)?;
                }
            }
            Some(Value::Object(_)) => merge_all(folder, patch, &text, &source, &mut targets)?,
            _ => return Err(Error::Patch(source)),
        }
    }
    Ok(())
}

fn merge_all(
    folder: &Folder,
    patch: &Patch,
    text: &[u8],
    source: &str,
    targets: &mut Targets<'_>,
) -> Result<(), Error> {
    let options = &patch.options;
    let Some(target) = &patch.target else {
        for one in &parse(&folder.file, text)? {
            targets.merge_one(one)?;
        }
        return Ok(());
    };
    let documents = documents(&folder.file, text)?;
    let [Value::Object(part)] = &documents[..] else {
        return Err(Error::Patch(source.to_owned()));
    };
    let selector = Selector::new(target)?;
    let resources = targets.all();
    let mut kept = Vec::new();
    for resource in std::mem::take(resources) {
        if !selector.selects(&resource) {
            kept.push(resource);
            continue;
        }
        let changes = (options.allow_name_change, options.allow_kind_change);
        kept.extend(merged(resource, part, changes));
    }
    *resources = kept;
    Ok(())
}

/// What patches are for.
struct Targets<'a> {
    resources: &'a mut Vec<Resource>,
    /// Where they are, as long as nothing has changed what they are called.
    index: Option<Index>,
}

impl<'a> Targets<'a> {
    fn of(resources: &'a mut Vec<Resource>) -> Self {
        Self {
            resources,
            index: None,
        }
    }

    /// All of them, for patches that may change anything.
    fn all(&mut self) -> &mut Vec<Resource> {
        self.index = None;
        self.resources
    }

    /// Puts a patch on the resource that it names.
    fn merge_one(&mut self, patch: &Resource) -> Result<(), Error> {
        let id = patch.id();
        let resources = &mut *self.resources;
        let index = self.index.get_or_insert_with(|| Index::of(resources));
        let place = match index.find(&id) {
            [] => return Err(Error::NoTarget(id.to_string())),
            [place] => *place,
            places => {
                return Err(Error::ManyTargets {
                    patch: id.to_string(),
                    count: places.len(),
                });
            }
        };
        let before = resources[place].id();
        let resource = std::mem::take(&mut resources[place]);
        if let Some(resource) = merged(resource, &patch.value, (false, false)) {
            if resource.id() != before {
                self.index = None;
            }
            resources[place] = resource;
        } else {
            resources.remove(place);
            self.index = None;
        }
        Ok(())
    }
}

/// A resource with a patch put on it: its namespace stays, and its name and kind unless they may change.
fn merged(
    mut resource: Resource,
    patch: &serde_json::Map<String, Value>,
    (name_may_change, kind_may_change): (bool, bool),
) -> Option<Resource> {
    let id = resource.id();
    if name_may_change || kind_may_change {
        resource.remember();
    }
    resource.value = merge::apply(resource.value, patch)?;
    if !kind_may_change {
        resource.value.insert("kind".to_owned(), id.kind.into());
    }
    if !name_may_change {
        resource.set_name(id.name);
    }
    if id.namespace.is_empty() {
        resource.metadata().remove("namespace");
    } else {
        resource
            .metadata()
            .insert("namespace".to_owned(), id.namespace.into());
    }
    Some(resource)
}
