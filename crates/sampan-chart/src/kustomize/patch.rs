//! Patches: parts of resources that are merged in, and lists of operations.

use serde_json::Value;

use super::error::Error;
use super::files::{Folder, documents, resources as parse};
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
    for entry in &kustomization.patches_strategic_merge {
        let patches = if entry.contains('\n') || entry.contains(": ") {
            parse(&folder.file, entry.as_bytes())?
        } else {
            folder.resources(entry)?
        };
        for patch in &patches {
            merge_one(patch, resources)?;
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
                let selected = resources.iter_mut().filter(|one| selector.selects(one));
                for resource in selected {
                    operations::apply(operations, resource)?;
                }
            }
            Some(Value::Object(_)) => merge_all(folder, patch, &text, &source, resources)?,
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
    resources: &mut Vec<Resource>,
) -> Result<(), Error> {
    let options = &patch.options;
    let Some(target) = &patch.target else {
        for one in &parse(&folder.file, text)? {
            merge_one(one, resources)?;
        }
        return Ok(());
    };
    let documents = documents(&folder.file, text)?;
    let [Value::Object(part)] = &documents[..] else {
        return Err(Error::Patch(source.to_owned()));
    };
    let selector = Selector::new(target)?;
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

/// Puts a patch on the resource that it names.
fn merge_one(patch: &Resource, resources: &mut Vec<Resource>) -> Result<(), Error> {
    let id = patch.id();
    let named = |one: &Resource| one.all_ids().iter().any(|known| known.is_same(&id));
    let found = resources.iter().enumerate().filter(|(_, one)| named(one));
    let found: Vec<usize> = found.map(|(index, _)| index).collect();
    let index = match found[..] {
        [] => return Err(Error::NoTarget(id.to_string())),
        [index] => index,
        _ => {
            return Err(Error::ManyTargets {
                patch: id.to_string(),
                count: found.len(),
            });
        }
    };
    let resource = resources.remove(index);
    if let Some(resource) = merged(resource, &patch.value, (false, false)) {
        resources.insert(index, resource);
    }
    Ok(())
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
