//! No statement of the ledger walks a table: SQLite is asked how it would carry each out.

use std::path::Path;

use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;

use super::{
    blobs, charts, collection, deliveries, events, expiry, manifests, push, referrers, removal,
    repositories, tags, touch,
};
use crate::Store;

async fn plan(pool: &SqlitePool, statement: &str) -> Vec<String> {
    let explained = format!("EXPLAIN QUERY PLAN {statement}");
    sqlx::query(sqlx::AssertSqlSafe(explained))
        .fetch_all(pool)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
        .iter()
        .map(|row| row.get("detail"))
        .collect()
}

/// A walk over a table. A value that comes with the statement (`json_each`) has to be walked, so have the rows that a
/// statement has found itself (`above`), and SQLite keeps the few rows of `sqlite_sequence` without an index.
fn is_scan(detail: &str) -> bool {
    detail.starts_with("SCAN ")
        && !detail.contains("VIRTUAL TABLE")
        && !detail.contains("sqlite_sequence")
        && detail != "SCAN above"
        && !detail.contains("CONSTANT ROW")
}

async fn assert_no_scan(pool: &SqlitePool, name: &str, statement: &str) {
    let plan = plan(pool, statement).await;
    assert!(
        !plan.iter().any(|detail| is_scan(detail)),
        "{name} walks a table: {plan:#?}"
    );
    assert!(
        !plan
            .iter()
            .any(|detail| detail.contains("USE TEMP B-TREE FOR ORDER BY")),
        "{name} sorts all that it finds: {plan:#?}"
    );
}

async fn store(directory: &Path) -> Store {
    Store::open(&directory.join("meta.db")).await.unwrap()
}

#[tokio::test]
async fn every_statement_uses_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let pool = store.registry().pool;
    let scanned = plan(&pool, "SELECT * FROM manifests WHERE media_type = ?").await;
    assert!(scanned.iter().any(|detail| is_scan(detail)), "{scanned:?}");
    for statements in [
        blobs::STATEMENTS,
        charts::STATEMENTS,
        collection::STATEMENTS,
        deliveries::STATEMENTS,
        events::STATEMENTS,
        expiry::STATEMENTS,
        manifests::STATEMENTS,
        push::STATEMENTS,
        referrers::STATEMENTS,
        removal::STATEMENTS,
        repositories::STATEMENTS,
        tags::STATEMENTS,
        touch::STATEMENTS,
    ] {
        for (name, statement) in statements {
            assert_no_scan(&pool, name, statement).await;
        }
    }
    store.close().await;
}

/// SQLite does not explain what triggers do, so their statements are taken out of them.
#[tokio::test]
async fn every_statement_of_a_trigger_uses_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let pool = store.registry().pool;
    let triggers: Vec<String> =
        sqlx::query_scalar("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut explained = 0;
    for trigger in &triggers {
        let (_, body) = trigger.split_once("BEGIN").unwrap();
        let (body, _) = body.rsplit_once("END").unwrap();
        for statement in body.split(';').map(str::trim) {
            if statement.is_empty() {
                continue;
            }
            let mut words: Vec<&str> = Vec::new();
            for word in statement.split_inclusive([' ', '\n', ')', ',']) {
                let end = word.trim_end_matches([' ', '\n', ')', ',']).len();
                if word.starts_with("new.") || word.starts_with("old.") {
                    words.push("?");
                } else {
                    words.push(&word[..end]);
                }
                words.push(&word[end..]);
            }
            assert_no_scan(&pool, trigger, &words.concat()).await;
            explained += 1;
        }
    }
    assert!(explained > triggers.len(), "{triggers:#?}");
    store.close().await;
}
