//! A model of the ledger that counts everything from scratch.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

pub(super) const REPOSITORIES: [&str; 4] = ["shop/web", "shop/api", "bank/web", "shop"];
pub(super) const DIGESTS: [&str; 10] = ["b0", "b1", "b2", "b3", "b4", "m0", "m1", "m2", "m3", "m4"];
pub(super) const TAGS: [&str; 4] = ["latest", "next", "v1", "v2"];
pub(super) const QUOTA: u64 = 900;

/// Each digest has its own size, so that a sum tells what is in it.
pub(super) fn size(digest: &str) -> u64 {
    let number = DIGESTS.iter().position(|other| *other == digest).unwrap();
    1 << number
}

/// What a manifest names is settled by its digest.
pub(super) fn children(digest: &str) -> Vec<Child> {
    let optional = |digest| Child {
        required: false,
        ..blob(digest)
    };
    match digest {
        "m0" => vec![blob("b0"), blob("b1")],
        "m1" => vec![blob("b0"), blob("b2"), optional("b4"), blob("b0")],
        "m2" => vec![child_manifest("m0"), child_manifest("m1")],
        "m3" => vec![blob("b3"), blob("m0"), optional("b2")],
        _ => vec![],
    }
}

pub(super) type At<'a> = (&'a str, &'a str);

/// What the repositories hold, without any counts.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: i64,
    /// The repositories in the order in which they came.
    pub(super) repositories: Vec<&'static str>,
    pub(super) known: BTreeSet<&'static str>,
    pub(super) links: BTreeMap<At<'static>, i64>,
    pub(super) manifests: BTreeSet<At<'static>>,
    pub(super) tags: BTreeMap<At<'static>, &'static str>,
}

impl Model {
    pub(super) fn references(&self, repository: &str, digest: &str) -> usize {
        self.manifests
            .iter()
            .filter(|(of, manifest)| {
                *of == repository
                    && children(manifest)
                        .iter()
                        .any(|child| child.digest == digest && child.kind == ChildKind::Blob)
            })
            .count()
    }

    pub(super) fn holders(&self, digest: &str) -> usize {
        let links = self.links.keys().filter(|(_, held)| *held == digest);
        let manifests = self.manifests.iter().filter(|(_, held)| *held == digest);
        links.count() + manifests.count()
    }

    pub(super) fn contents(&self, project: &str) -> BTreeSet<&'static str> {
        self.links
            .keys()
            .chain(&self.manifests)
            .filter(|(repository, _)| repository.split('/').next() == Some(project))
            .map(|(_, digest)| *digest)
            .collect()
    }

    pub(super) fn usage(&self, project: &str) -> u64 {
        self.contents(project).into_iter().map(size).sum()
    }

    pub(super) fn check_quota(&self, repository: &str, digest: &str) -> Result<(), Refusal> {
        let project = repository.split('/').next().unwrap();
        let wanted_bytes = self.usage(project) + size(digest);
        if self.contents(project).contains(digest) || wanted_bytes <= QUOTA {
            return Ok(());
        }
        Err(Refusal::QuotaExceeded {
            project: project.to_owned(),
            limit_bytes: QUOTA,
            wanted_bytes,
        })
    }

    pub(super) fn add(&mut self, repository: &'static str, digest: &'static str) {
        self.known.insert(digest);
        if !self.repositories.contains(&repository) {
            self.repositories.push(repository);
        }
    }

    pub(super) fn link(
        &mut self,
        repository: &'static str,
        digest: &'static str,
        from: Option<&str>,
    ) -> Result<(), Refusal> {
        if let Some(from) = from.filter(|from| !self.links.contains_key(&(*from, digest))) {
            return Err(unknown_blob(from, digest));
        }
        self.check_quota(repository, digest)?;
        self.add(repository, digest);
        self.links.insert((repository, digest), self.now);
        Ok(())
    }

    pub(super) fn put(
        &mut self,
        repository: &'static str,
        digest: &'static str,
        tags: &[&'static str],
    ) -> Result<(), Refusal> {
        let missing: Vec<String> = children(digest)
            .into_iter()
            .filter(|child| {
                let at = (repository, child.digest.as_str());
                child.required
                    && match child.kind {
                        ChildKind::Blob => !self.links.contains_key(&at),
                        ChildKind::Manifest => !self.manifests.contains(&at),
                    }
            })
            .map(|child| child.digest)
            .fold(Vec::new(), |mut distinct, digest| {
                if !distinct.contains(&digest) {
                    distinct.push(digest);
                }
                distinct
            });
        if !missing.is_empty() {
            return Err(Refusal::MissingChildren(missing));
        }
        for tag in tags {
            let target = self.tags.get(&(repository, *tag));
            if tag.starts_with('v') && target.is_some_and(|target| *target != digest) {
                return Err(immutable(tag));
            }
        }
        self.check_quota(repository, digest)?;
        self.add(repository, digest);
        self.manifests.insert((repository, digest));
        for tag in tags {
            self.tags.insert((repository, tag), digest);
        }
        Ok(())
    }

    pub(super) fn delete_manifest(
        &mut self,
        repository: &str,
        digest: &str,
    ) -> Result<(), Refusal> {
        let at = (repository, digest);
        if !self.manifests.contains(&at) {
            return Err(Refusal::ManifestUnknown {
                repository: repository.to_owned(),
                digest: digest.to_owned(),
            });
        }
        let points = |of: &str, target: &str| of == repository && target == digest;
        let mut tags = self.tags.iter();
        if let Some(((_, tag), _)) =
            tags.find(|((of, tag), target)| points(of, target) && tag.starts_with('v'))
        {
            return Err(immutable(tag));
        }
        // No manifest that names others is named itself.
        let leads_to_it = |parent: &str| {
            let is_named =
                |child: &Child| child.digest == digest && child.kind == ChildKind::Manifest;
            self.manifests.iter().any(|at| *at == (repository, parent))
                && children(parent).iter().any(is_named)
        };
        let mut tags = self.tags.iter();
        if let Some(((_, tag), _)) = tags.find(|((of, tag), target)| {
            *of == repository && tag.starts_with('v') && leads_to_it(target)
        }) {
            return Err(immutable(tag));
        }
        self.tags.retain(|(of, _), target| !points(of, target));
        self.manifests.retain(|manifest| *manifest != at);
        let named = children(digest);
        for ((of, linked), idle_since) in &mut self.links {
            let is_linked =
                |child: &Child| child.digest == *linked && child.kind == ChildKind::Blob;
            if *of == repository && named.iter().any(is_linked) {
                *idle_since = self.now;
            }
        }
        Ok(())
    }

    pub(super) fn delete_tag(&mut self, repository: &str, tag: &str) -> Result<(), Refusal> {
        if !self.tags.contains_key(&(repository, tag)) {
            return Err(Refusal::TagUnknown {
                repository: repository.to_owned(),
                tag: tag.to_owned(),
            });
        }
        if tag.starts_with('v') {
            return Err(immutable(tag));
        }
        self.tags.retain(|at, _| *at != (repository, tag));
        Ok(())
    }

    pub(super) fn delete_blob(&mut self, repository: &str, digest: &str) -> Result<(), Refusal> {
        if !self.links.contains_key(&(repository, digest)) {
            return Err(unknown_blob(repository, digest));
        }
        let references = u32::try_from(self.references(repository, digest)).unwrap();
        if references > 0 {
            return Err(Refusal::Referenced {
                repository: repository.to_owned(),
                digest: digest.to_owned(),
                references,
            });
        }
        self.links.retain(|at, _| *at != (repository, digest));
        Ok(())
    }

    /// The links to be dropped, in order.
    pub(super) fn idle(&self, before: i64) -> Vec<At<'static>> {
        let mut idle: Vec<_> = self
            .links
            .iter()
            .filter(|((repository, digest), since)| {
                **since < before && self.references(repository, digest) == 0
            })
            .map(|(at, since)| {
                let came = self.repositories.iter().position(|name| *name == at.0);
                (*since, came, *at)
            })
            .collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, _, at)| at).collect()
    }
}

fn unknown_blob(repository: &str, digest: &str) -> Refusal {
    Refusal::BlobUnknown {
        repository: repository.to_owned(),
        digest: digest.to_owned(),
    }
}

fn immutable(tag: &str) -> Refusal {
    Refusal::TagImmutable {
        tag: tag.to_owned(),
    }
}
