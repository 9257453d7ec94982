//! Layers: the resources of bases and files, changed by what the kustomization says.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::files::Folder;
use super::kustomization::{Kustomization, SortOptions};
use super::resource::{Id, Resource};
use super::{generate, images, labels, names, patch};

/// The most layers above each other.
const LAYERS: usize = 64;
/// The most kustomizations of one run.
const FOLDERS: usize = 10_000;
/// The most resources.
const RESOURCES: usize = 100_000;

/// The resources of a kustomization, with names that are not yet final, and the order that it wants.
pub(super) fn run(folder: &Path) -> Result<(Vec<Resource>, Option<SortOptions>), Error> {
    let mut gathering = Gathering {
        within: Vec::new(),
        folders: 0,
    };
    let (folder, kustomization) = Folder::open(folder)?;
    let mut resources = Vec::new();
    gathering.layer(&folder, &kustomization, &mut resources)?;
    Ok((resources, kustomization.sort_options))
}

struct Gathering {
    /// The folders that lead to where gathering is.
    within: Vec<PathBuf>,
    folders: usize,
}

impl Gathering {
    /// Adds the resources of a layer; a component changes those that are there, too.
    fn layer(
        &mut self,
        folder: &Folder,
        kustomization: &Kustomization,
        resources: &mut Vec<Resource>,
    ) -> Result<(), Error> {
        if self.within.contains(&folder.root) {
            return Err(Error::Cycle(folder.root.clone()));
        }
        self.folders += 1;
        check(self.within.len(), LAYERS, "layers")?;
        check(self.folders, FOLDERS, "kustomizations")?;
        self.within.push(folder.root.clone());
        let mut gathered = Gathered::among(resources);
        for name in kustomization.resources.iter().chain(&kustomization.bases) {
            self.resource(folder, name, &mut gathered)?;
        }
        generate::run(folder, kustomization, resources)?;
        for name in &kustomization.components {
            let (component, inner) = self.folder(folder, name)?;
            if !inner.is_component() {
                let problem = format!("`{name}` is no component: its `kind` must be `Component`");
                return Err(folder.wrong(problem));
            }
            self.layer(&component, &inner, resources)?;
        }
        transform(folder, kustomization, resources)?;
        self.within.pop();
        Ok(())
    }

    fn resource(
        &mut self,
        folder: &Folder,
        name: &str,
        gathered: &mut Gathered<'_>,
    ) -> Result<(), Error> {
        let is_remote = name.contains("://") || name.contains("?ref=") || name.starts_with("git@");
        if is_remote {
            return Err(Error::Remote {
                path: folder.file.clone(),
                address: name.to_owned(),
            });
        }
        if !folder.root.join(name).is_dir() {
            return gathered.append(folder.resources(name)?);
        }
        let (base, inner) = self.folder(folder, name)?;
        if inner.is_component() {
            let problem = format!("`{name}` is a component: name it under `components`");
            return Err(folder.wrong(problem));
        }
        let mut own = Vec::new();
        self.layer(&base, &inner, &mut own)?;
        gathered.append(own)
    }

    #[expect(clippy::unused_self, reason = "folders belong to one run")]
    fn folder(&self, folder: &Folder, name: &str) -> Result<(Folder, Kustomization), Error> {
        Folder::open(&folder.root.join(name))
    }
}

fn check(count: usize, limit: usize, what: &'static str) -> Result<(), Error> {
    if count > limit {
        Err(Error::TooMany { limit, what })
    } else {
        Ok(())
    }
}

/// The resources of a layer while they are gathered.
struct Gathered<'a> {
    resources: &'a mut Vec<Resource>,
    /// What they are called.
    there: HashSet<Id>,
}

impl<'a> Gathered<'a> {
    fn among(resources: &'a mut Vec<Resource>) -> Self {
        let ids = resources.iter().map(|there| there.id().effective());
        let there = ids.collect();
        Self { resources, there }
    }

    /// Adds resources, none of which may be there already.
    fn append(&mut self, more: Vec<Resource>) -> Result<(), Error> {
        check(self.resources.len() + more.len(), RESOURCES, "resources")?;
        for resource in more {
            let id = resource.id();
            if !self.there.insert(id.effective()) {
                return Err(Error::Twice(id.to_string()));
            }
            self.resources.push(resource);
        }
        Ok(())
    }
}

/// What a kustomization does to all resources that it has, in the order of Kustomize.
fn transform(
    folder: &Folder,
    kustomization: &Kustomization,
    resources: &mut Vec<Resource>,
) -> Result<(), Error> {
    patch::strategic(folder, kustomization, resources)?;
    patch::patches(folder, &kustomization.patches, resources)?;
    names::namespace(&kustomization.namespace, resources)?;
    names::prefix(&kustomization.name_prefix, resources);
    names::suffix(&kustomization.name_suffix, resources);
    labels::labels(kustomization, resources);
    labels::annotations(&kustomization.common_annotations, resources);
    patch::patches(folder, &kustomization.patches_json, resources)?;
    for replicas in &kustomization.replicas {
        names::replicas(replicas, resources)?;
    }
    for image in &kustomization.images {
        images::update(image, resources);
    }
    Ok(())
}
