//! Objects: a revision that was acknowledged is never taken back.

use std::collections::HashMap;

use sampan_store::Store;
use sampan_store::objects::Key;
use tokio::task::JoinSet;

use super::acknowledge;

const WRITERS: usize = 6;

fn key(name: &str) -> Key {
    Key {
        group: String::new(),
        resource: "configmaps".to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

/// Says `object NAME REVISION BODY` after each acknowledged write, `-` being the body of none.
pub(super) fn spawn(writers: &mut JoinSet<()>, store: &Store) {
    for writer in 0..WRITERS {
        let objects = store.objects();
        writers.spawn(async move {
            let name = format!("object-{writer}");
            let mut number = objects.revision().await.unwrap().0;
            loop {
                number += 1;
                let body = format!("{number}-{}", "x".repeat(500));
                let is_there = objects.get(&key(&name)).await.unwrap().is_some();
                let (revision, body) = match (is_there, number % 7) {
                    (false, _) => (
                        objects.create(key(&name), body.clone()).await.unwrap(),
                        body,
                    ),
                    (true, 0) => (
                        objects.delete(key(&name), None).await.unwrap(),
                        "-".to_owned(),
                    ),
                    (true, _) => (
                        objects
                            .update(key(&name), None, body.clone())
                            .await
                            .unwrap(),
                        body,
                    ),
                };
                acknowledge(&format!("object {name} {revision} {body}"));
            }
        });
    }
}

/// The last acknowledged write of each object.
#[derive(Default)]
pub(super) struct Acknowledged {
    objects: HashMap<String, (i64, String)>,
    count: usize,
}

impl Acknowledged {
    pub(super) fn note(&mut self, name: &str, revision: &str, body: &str) {
        let write = (revision.parse().unwrap(), body.to_owned());
        self.objects.insert(name.to_owned(), write);
        self.count += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) async fn check(&self, store: &Store) {
        let objects = store.objects();
        let newest = objects.revision().await.unwrap().0;
        for (name, (revision, body)) in &self.objects {
            assert!(newest >= *revision, "revision {revision} of {name} is lost");
            // A later write may have been made but not acknowledged any more.
            match objects.get(&key(name)).await.unwrap() {
                Some(row) if row.revision.0 == *revision => assert_eq!(row.body, *body),
                Some(row) => assert!(
                    row.revision.0 > *revision,
                    "{name} is older than {revision}"
                ),
                None => assert!(body == "-" || newest > *revision, "{name} is lost"),
            }
        }
    }
}
