//! The table of orders: states move as they may, and one rollout runs at a time.

use jiff::Timestamp;
use sampan_model::{OrderId, OrderState};
use sampan_store::orders::{NewOrder, OrderFilter, Orders, Transition};
use sampan_store::{Error, Store};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("the second is in range")
}

async fn request(orders: &Orders, environment: &str, version: &str) -> OrderId {
    let order = NewOrder {
        app: "guestbook",
        environment,
        version,
        requested_by: "anna",
        requested_at: at(1),
        body: version,
    };
    orders
        .insert(&order)
        .await
        .expect("the order is written down")
}

async fn step(orders: &Orders, id: OrderId, from: OrderState, to: OrderState) -> Result<(), Error> {
    let running = to == OrderState::Running;
    let transition = Transition {
        from,
        to,
        at: at(2),
        runner: running.then_some("1"),
        outcome: to.is_final().then_some("done"),
    };
    orders.transition(id, &transition).await
}

async fn start(orders: &Orders, id: OrderId) -> Result<(), Error> {
    step(orders, id, OrderState::Requested, OrderState::Approved).await?;
    step(orders, id, OrderState::Approved, OrderState::Running).await
}

#[tokio::test]
async fn an_order_passes_through_its_states() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("meta.db")).await?;
    let orders = store.orders();
    let id = request(&orders, "prod", "1.0.0").await;
    start(&orders, id).await?;
    step(&orders, id, OrderState::Running, OrderState::Succeeded).await?;
    let again = step(&orders, id, OrderState::Running, OrderState::Failed).await;
    assert!(matches!(again, Err(Error::OrderMoved { .. })), "{again:?}");
    let back = step(&orders, id, OrderState::Succeeded, OrderState::Running).await;
    assert!(matches!(back, Err(Error::OrderMoved { .. })), "{back:?}");
    let listed = orders.list(&OrderFilter::default(), 10).await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].state, listed[0].outcome.as_deref()),
        (OrderState::Succeeded, Some("done"))
    );
    assert_eq!(
        (listed[0].requested_at, listed[0].changed_at),
        (at(1), at(2))
    );
    assert_eq!(orders.body(id).await?, "1.0.0");
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn one_rollout_runs_at_a_time() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("meta.db");
    // Two processes have the database open.
    let (one, other) = (Store::open(&path).await?, Store::open(&path).await?);
    let first = request(&one.orders(), "prod", "1.0.0").await;
    let second = request(&other.orders(), "prod", "1.1.0").await;
    let elsewhere = request(&other.orders(), "test", "1.1.0").await;
    start(&one.orders(), first).await?;
    let refused = start(&other.orders(), second).await;
    assert!(matches!(refused, Err(Error::Running { .. })), "{refused:?}");
    start(&other.orders(), elsewhere).await?;
    step(
        &one.orders(),
        first,
        OrderState::Running,
        OrderState::RolledBack,
    )
    .await?;
    step(
        &other.orders(),
        second,
        OrderState::Approved,
        OrderState::Running,
    )
    .await?;
    let filter = OrderFilter {
        app: Some("guestbook"),
        environment: Some("prod"),
        state: None,
    };
    let listed = other.orders().list(&filter, 10).await?;
    assert_eq!(
        listed.iter().map(|order| order.id).collect::<Vec<_>>(),
        [second, first]
    );
    let running = OrderFilter {
        state: Some(OrderState::Running),
        ..filter
    };
    assert_eq!(other.orders().list(&running, 10).await?[0].id, second);
    one.close().await;
    other.close().await;
    Ok(())
}
