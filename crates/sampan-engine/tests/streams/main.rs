//! Logs, commands, attachments and ports of real containers, through the real `kubectl`. The pods
//! are objects without a kubelet behind them. Needs root.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

mod fixture;
mod forward;
mod log;
mod remote;
