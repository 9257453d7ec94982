//! Figures of the running server, as Prometheus reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use http::Method;

/// What the server has done so far.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Kind, u64>>,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    in_flight: AtomicI64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    route: &'static str,
    method: &'static str,
    status: u16,
}

impl Metrics {
    /// Counts a request that begins.
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that has been answered to the last byte, or as far as its client listened.
    pub(crate) fn end(&self, route: &'static str, method: &Method, status: u16) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            // What clients make up must not make up series.
            _ => "other",
        };
        let kind = Kind {
            route,
            method,
            status,
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(kind).or_default() += 1;
    }

    /// Counts bytes of requests' bodies.
    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes of answers' bodies.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// All figures in Prometheus' text format; `buffer_bytes` is the memory that transfers hold.
    #[must_use]
    pub(crate) fn text(&self, buffer_bytes: usize) -> String {
        let mut text = String::new();
        head(&mut text, "requests_total", "counter", "Requests answered.");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, count) in &*requests {
            let Kind {
                route,
                method,
                status,
            } = kind;
            line(
                &mut text,
                &format!(
                    "requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
                ),
                count,
            );
        }
        drop(requests);
        let figures: [(&str, &str, &str, i128); 4] = [
            (
                "received_bytes_total",
                "counter",
                "Bytes of requests' bodies.",
                self.received_bytes.load(Ordering::Relaxed).into(),
            ),
            (
                "sent_bytes_total",
                "counter",
                "Bytes of answers' bodies.",
                self.sent_bytes.load(Ordering::Relaxed).into(),
            ),
            (
                "requests_in_flight",
                "gauge",
                "Requests being answered.",
                self.in_flight.load(Ordering::Relaxed).into(),
            ),
            (
                "buffer_bytes",
                "gauge",
                "Memory held by transfers.",
                buffer_bytes as i128,
            ),
        ];
        for (name, kind, help, value) in figures {
            head(&mut text, name, kind, help);
            line(&mut text, name, &value);
        }
        text
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let written = write!(
        text,
        "# HELP sampan_registry_{name} {help}\n# TYPE sampan_registry_{name} {kind}\n"
    );
    written.expect("writing to a string cannot fail");
}

fn line(text: &mut String, series: &str, value: &impl std::fmt::Display) {
    writeln!(text, "sampan_registry_{series} {value}").expect("writing to a string cannot fail");
}
