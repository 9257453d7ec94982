//! Apps that orders have been given for here.

use sampan_deploy::history;
use sampan_model::{AppName, nearest};
use sampan_store::orders::Orders;

use crate::failure::{Exit, Failure};

/// Refuses an app that no order was ever given for, and names those that there are.
pub(crate) async fn check(orders: &Orders, app: &AppName) -> Result<(), Failure> {
    if !history::orders(orders, Some(app), None, 1)
        .await?
        .is_empty()
    {
        return Ok(());
    }
    let all = history::orders(orders, None, None, u32::MAX).await?;
    let mut known: Vec<&str> = all.iter().map(|order| order.app.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    let near = nearest(app.as_str(), known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let hint = if known.is_empty() {
        format!("give one with `sampan deploy {app}@VERSION --env NAME`")
    } else {
        format!("orders have been given for {}", known.join(", "))
    };
    Err(Failure::new(format!("{app} has had no orders here{near}"))
        .with_hint(hint)
        .with_exit(Exit::NotFound))
}
