//! A flood of pushes lets others have their turn.

use sampan_store::orders::NewOrder;

use super::*;

/// As many writes of the ledger as go into one transaction.
const BATCH: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_written_beside_a_flood_of_pushes() {
    let f = fixture().await;
    let (count, mut counted) = tokio::sync::watch::channel(0_usize);
    let mut pushes = tokio::task::JoinSet::new();
    for task in 0..2 * BATCH {
        let (ledger, count) = (f.ledger.clone(), count.clone());
        pushes.spawn(async move {
            for number in 0.. {
                upload(&ledger, "shop/web", &format!("sha256:{task}-{number}"), 1).await;
                count.send_modify(|count| *count += 1);
            }
        });
    }
    let orders = f.store.orders();
    for _ in 0..20 {
        let before = *counted.borrow();
        let flowing = counted.wait_for(|count| *count > before + BATCH / 2).await;
        let before = *flowing.unwrap();
        let order = NewOrder {
            app: "guestbook",
            environment: "prod",
            version: "1.0.0",
            requested_by: "anna",
            requested_at: at(1),
            body: "",
        };
        orders.insert(&order).await.unwrap();
        let passed = *counted.borrow() - before;
        assert!(passed <= 4 * BATCH, "{passed} pushes went before");
    }
    pushes.shutdown().await;
    f.store.close().await;
}
