//! The ledger against a model without any counts: random operations must be answered as the model foretells,
//! and what the ledger has counted must be what is counted in the model from scratch.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use sampan_store::registry::{ManifestName, Pattern, PutManifest};

use super::model::*;
use super::*;

const STEPS: usize = 1500;
/// A small generator of numbers (xorshift); its seed is printed by a failed test.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn choose(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }
}

fn outcome<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Result<(), Refusal> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// Does something to both, and compares how it went.
async fn step(random: &mut Random, model: &mut Model, ledger: &Ledger) {
    model.now += 1;
    let now = at(model.now);
    let repository = random.choose(&REPOSITORIES);
    let digest = random.choose(&DIGESTS);
    let rules = Rules {
        immutable_tags: [Pattern::new("v*")].into(),
        quota_bytes: Some(QUOTA),
    };
    let removal = Removal {
        rules: rules.clone(),
        at: now,
        ..removal(repository)
    };
    let (foretold, happened) = match random.below(20) {
        0..7 => {
            let from = (random.below(3) == 0).then(|| random.choose(&REPOSITORIES));
            let link = LinkBlob {
                content: match from {
                    Some(from) => Content::Mounted {
                        from: from.to_owned(),
                    },
                    None => Content::Uploaded {
                        size_bytes: size(digest),
                    },
                },
                quota_bytes: Some(QUOTA),
                ..link(repository, digest, 0, model.now)
            };
            let foretold = model.link(repository, digest, from);
            (foretold, outcome(ledger.link_blob(link).await))
        }
        7..13 => put(random, model, ledger, repository, rules).await,
        13..15 => (
            model.delete_manifest(repository, digest),
            outcome(ledger.delete_manifest(removal, digest).await),
        ),
        15 => {
            let tag = random.choose(&TAGS);
            (
                model.delete_tag(repository, tag),
                outcome(ledger.delete_tag(removal, tag).await),
            )
        }
        16 => (
            model.delete_blob(repository, digest),
            outcome(ledger.delete_blob(removal, digest).await),
        ),
        17 => {
            touch(model, ledger, (repository, digest)).await;
            (Ok(()), Ok(()))
        }
        18 => {
            let before = model.now - i64::try_from(random.below(40)).unwrap();
            collect(model, ledger, before, 1 + random.below(4)).await;
            (Ok(()), Ok(()))
        }
        _ => {
            let goes = model.known.contains(digest) && model.holders(digest) == 0;
            model.known.retain(|known| !goes || *known != digest);
            let forgotten = ledger.forget(&[digest.to_owned()]).await.unwrap();
            assert_eq!(forgotten, u64::from(goes), "{digest}");
            (Ok(()), Ok(()))
        }
    };
    assert_eq!(happened, foretold, "{repository} {digest}");
}

async fn put(
    random: &mut Random,
    model: &mut Model,
    ledger: &Ledger,
    repository: &'static str,
    rules: Rules,
) -> (Result<(), Refusal>, Result<(), Refusal>) {
    let digest = random.choose(&DIGESTS[5..]);
    let tags: Vec<_> = (0..random.below(3)).map(|_| random.choose(&TAGS)).collect();
    let put = PutManifest {
        size_bytes: size(digest),
        rules,
        at: at(model.now),
        ..manifest(repository, digest, children(digest), &tags)
    };
    let foretold = model.put(repository, digest, &tags);
    (foretold, outcome(ledger.put_manifest(put).await))
}

async fn touch(model: &mut Model, ledger: &Ledger, (repository, digest): At<'static>) {
    let link = model.links.get_mut(&(repository, digest));
    let touched = ledger.touch_blob(repository, digest, at(model.now)).await;
    assert_eq!(touched.unwrap(), link.is_some(), "{repository} {digest}");
    if let Some(idle_since) = link {
        *idle_since = model.now;
    }
}

async fn collect(model: &mut Model, ledger: &Ledger, before: i64, limit: usize) {
    let planned = ledger.would_condemn(at(before), None, 100).await.unwrap();
    let links: Vec<_> = planned
        .iter()
        .map(|link| (link.repository.as_str(), link.digest.as_str()))
        .collect();
    let mut idle = model.idle(before);
    assert_eq!(links, idle);
    for link in &planned {
        let same = idle.iter().filter(|(_, digest)| *digest == link.digest);
        assert_eq!(
            link.frees,
            same.count() == model.holders(&link.digest),
            "{link:?}"
        );
    }
    idle.truncate(limit);
    model.links.retain(|at, _| !idle.contains(at));
    let freed: BTreeSet<_> = idle
        .iter()
        .map(|(_, digest)| (*digest).to_owned())
        .filter(|digest| model.holders(digest) == 0)
        .collect();
    let limit = u32::try_from(limit).unwrap();
    let done = ledger.condemn(at(before), limit).await.unwrap();
    assert_eq!(done.links as usize, idle.len());
    let blobs: Vec<_> = done.blobs.into_iter().map(|blob| blob.digest).collect();
    assert_eq!(blobs, Vec::from_iter(freed));
}

/// Compares everything that can be seen.
async fn compare(model: &Model, ledger: &Ledger) {
    for project in ["shop", "bank"] {
        let usage = ledger.usage(project).await.unwrap().bytes;
        assert_eq!(usage, model.usage(project), "{project}");
    }
    let condemned: Vec<_> = ledger.condemned(None, 100).await.unwrap();
    let condemned: Vec<_> = condemned.iter().map(|blob| blob.digest.as_str()).collect();
    let expected = model.known.iter().copied();
    let expected: Vec<_> = expected.filter(|known| model.holders(known) == 0).collect();
    assert_eq!(condemned, expected);
    for repository in REPOSITORIES {
        for digest in DIGESTS {
            let link = model.links.get(&(repository, digest));
            let row = ledger.blob(repository, digest).await.unwrap();
            assert_eq!(row.is_some(), link.is_some(), "{repository} {digest}");
            if let (Some(row), Some(idle_since)) = (row, link) {
                let references = model.references(repository, digest);
                assert_eq!(row.references as usize, references, "{repository} {digest}");
                let idle_since = (references == 0).then_some(at(*idle_since));
                assert_eq!(row.idle_since, idle_since, "{repository} {digest}");
                assert_eq!(row.size_bytes, size(digest));
            }
            let manifest = ledger.manifest(repository, ManifestName::Digest(digest));
            let there = model.manifests.contains(&(repository, digest));
            assert_eq!(
                manifest.await.unwrap().is_some(),
                there,
                "{repository} {digest}"
            );
        }
        for tag in TAGS {
            let row = ledger.manifest(repository, ManifestName::Tag(tag)).await;
            let target = model.tags.get(&(repository, tag)).copied();
            let row = row.unwrap();
            assert_eq!(row.as_ref().map(|row| row.digest.as_str()), target, "{tag}");
        }
    }
}

#[tokio::test]
async fn counts_are_those_from_scratch_whatever_happens() {
    let seed = RandomState::new().hash_one(0) | 1;
    #[expect(clippy::print_stdout, reason = "shown when the test fails")]
    {
        println!("the seed is {seed}");
    }
    let mut random = Random(seed);
    let mut model = Model::default();
    let f = fixture().await;
    for number in 0..STEPS {
        step(&mut random, &mut model, &f.ledger).await;
        if number % 25 == 0 {
            compare(&model, &f.ledger).await;
        }
    }
    compare(&model, &f.ledger).await;
    f.store.close().await;
}
