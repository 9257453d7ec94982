//! Objects, their history and those who follow it.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::time::Duration;

use sampan_model::Hint;
use sampan_store::objects::{ChangeKind, Key, PageRequest, Revision, Selector, Watch};
use sampan_store::{Error, Store};
use sqlx::Connection;

struct Fixture {
    store: Store,
    directory: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("meta.db"))
        .await
        .unwrap();
    Fixture { store, directory }
}

fn key(name: &str) -> Key {
    Key {
        group: "apps".to_owned(),
        resource: "deployments".to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

fn all() -> Selector {
    Selector {
        group: "apps".to_owned(),
        resource: "deployments".to_owned(),
        namespace: None,
    }
}

async fn next(watch: &mut Watch) -> (ChangeKind, String, String) {
    let change = tokio::time::timeout(Duration::from_secs(5), watch.next())
        .await
        .expect("there is a change")
        .unwrap();
    (
        change.kind,
        change.row.key.name.clone(),
        change.row.body.clone(),
    )
}

#[tokio::test]
async fn a_write_needs_the_state_it_was_made_for() {
    let f = fixture().await;
    let objects = f.store.objects();
    let first = objects.create(key("a"), "1".to_owned()).await.unwrap();
    let taken = objects.create(key("a"), "2".to_owned()).await.unwrap_err();
    assert_eq!(
        taken.to_string(),
        "`deployments.apps/default/a` exists already"
    );
    let second = objects
        .update(key("a"), Some(first), "2".to_owned())
        .await
        .unwrap();
    assert!(second > first);
    let stale = objects.update(key("a"), Some(first), "3".to_owned()).await;
    assert!(matches!(stale, Err(Error::Conflict { actual, .. }) if actual == second));
    assert!(matches!(
        objects.delete(key("a"), Some(first)).await,
        Err(Error::Conflict { .. })
    ));
    let third = objects.delete(key("a"), Some(second)).await.unwrap();
    assert!(matches!(
        objects.update(key("a"), None, String::new()).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(objects.get(&key("a")).await.unwrap(), None);
    assert_eq!(objects.revision().await.unwrap(), third);
    f.store.close().await;
    assert!(matches!(
        objects.create(key("b"), String::new()).await,
        Err(Error::Closed)
    ));
}

#[tokio::test]
async fn many_writers_get_different_revisions() {
    let f = fixture().await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..200 {
        let objects = f.store.objects();
        writers.spawn(async move {
            objects
                .create(key(&number.to_string()), String::new())
                .await
        });
    }
    let mut revisions: Vec<i64> = writers
        .join_all()
        .await
        .into_iter()
        .map(|revision| revision.unwrap().0)
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_watch_misses_nothing_however_slow_it_is() {
    let f = fixture().await;
    let objects = f.store.objects();
    objects.create(key("a"), "0".to_owned()).await.unwrap();
    let since = objects.revision().await.unwrap();
    let mut watch = objects.watch(since, Some(all())).await.unwrap();
    let elsewhere = Key {
        resource: "replicasets".to_owned(),
        ..key("x")
    };
    objects.create(elsewhere, String::new()).await.unwrap();
    // More than the memory of recent changes holds, so that the watch falls back to the history.
    for number in 1..=600 {
        objects
            .update(key("a"), None, number.to_string())
            .await
            .unwrap();
    }
    for number in 1..=600 {
        let expected = (ChangeKind::Updated, "a".to_owned(), number.to_string());
        assert_eq!(next(&mut watch).await, expected);
    }
    objects.delete(key("a"), None).await.unwrap();
    assert_eq!(
        next(&mut watch).await,
        (ChangeKind::Deleted, "a".to_owned(), "600".to_owned())
    );
    let waiting = tokio::time::timeout(Duration::from_millis(20), watch.next());
    assert!(waiting.await.is_err(), "there is nothing more");
    f.store.close().await;
    assert!(matches!(watch.next().await, Err(Error::Closed)));
}

#[tokio::test]
async fn a_list_in_parts_is_true_at_one_revision() {
    let f = fixture().await;
    let objects = f.store.objects();
    for name in ["a", "b", "c", "d"] {
        objects.create(key(name), "old".to_owned()).await.unwrap();
    }
    let first = PageRequest {
        limit: Some(2),
        ..PageRequest::default()
    };
    let first = objects.page(&all(), &first).await.unwrap();
    assert!(first.more);
    objects
        .update(key("c"), None, "new".to_owned())
        .await
        .unwrap();
    objects
        .update(key("c"), None, "newer".to_owned())
        .await
        .unwrap();
    objects.delete(key("d"), None).await.unwrap();
    objects.create(key("e"), "late".to_owned()).await.unwrap();
    let rest = PageRequest {
        at: Some(first.revision),
        after: Some(("default".to_owned(), "b".to_owned())),
        limit: Some(10),
    };
    let rest = objects.page(&all(), &rest).await.unwrap();
    let names: Vec<_> = rest
        .rows
        .iter()
        .map(|row| (row.key.name.as_str(), row.body.as_str()))
        .collect();
    assert_eq!(names, [("c", "old"), ("d", "old")]);
    assert!(!rest.more);
    let (now, _) = objects.list(&all()).await.unwrap();
    assert_eq!(
        now.iter()
            .map(|row| row.key.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "c", "e"]
    );
}

#[tokio::test]
async fn the_history_is_bounded_and_says_so() {
    let f = fixture().await;
    let objects = f.store.objects();
    objects.create(key("a"), String::new()).await.unwrap();
    let body = "x".repeat(64 << 10);
    // About 64 MiB of history, of which 16 MiB may stay.
    for number in 0..500 {
        objects
            .update(key("a"), None, format!("{number}{body}"))
            .await
            .unwrap();
    }
    let gone = objects.watch(Revision(1), None).await.unwrap_err();
    let Error::Gone { oldest, .. } = gone else {
        panic!("{gone}")
    };
    assert!(objects.watch(oldest, None).await.is_ok());
    let asked = PageRequest {
        at: Some(Revision(1)),
        ..PageRequest::default()
    };
    assert!(matches!(
        objects.page(&all(), &asked).await,
        Err(Error::Gone { .. })
    ));
    f.store.close().await;
    let size = std::fs::metadata(f.directory.path().join("meta.db"))
        .unwrap()
        .len();
    assert!(size < 40 << 20, "{size}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let f = fixture().await;
    f.store.close().await;
    let path = f.directory.path().join("meta.db");
    let url = format!("sqlite://{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(
        matches!(error, Error::FromTheFuture { version: 9999, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("newer version of sampan"));
}

#[tokio::test]
async fn two_processes_may_open_a_new_database_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta.db");
    let (one, two) = tokio::join!(Store::open(&path), Store::open(&path));
    let (one, two) = (one.unwrap(), two.unwrap());
    one.objects().create(key("a"), String::new()).await.unwrap();
    assert!(two.objects().get(&key("a")).await.unwrap().is_some());
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}
