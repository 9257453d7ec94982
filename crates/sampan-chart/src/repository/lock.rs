//! The digest of `Chart.lock`, by which Helm sees that the dependencies have changed.

use crate::chart::Dependency;
use crate::chart::written::dependency;
use crate::json;

/// The digest over the dependencies as `Chart.yaml` has them and the exact ones; real Helm finds the same.
#[must_use]
pub fn digest(wanted: &[Dependency], exact: &[Dependency]) -> String {
    let lists = [wanted, exact].map(|list| {
        let items: Vec<String> = list.iter().map(in_order).collect();
        format!("[{}]", items.join(","))
    });
    of_text(&format!("[{}]", lists.join(",")))
}

/// The digest that Helm 2 wrote into `requirements.lock`, which Helm still takes.
pub(super) fn old_digest(wanted: &[Dependency]) -> String {
    let items: Vec<String> = wanted.iter().map(in_order).collect();
    of_text(&format!("{{\"dependencies\":[{}]}}", items.join(",")))
}

fn of_text(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    format!("sha256:{}", hex::encode(digest))
}

/// JSON with the fields in the order of Go's struct, in which they are hashed.
fn in_order(one: &Dependency) -> String {
    let value = dependency(one);
    let order = [
        "name",
        "version",
        "repository",
        "condition",
        "tags",
        "enabled",
        "import-values",
        "alias",
    ];
    let fields = order.iter().filter_map(|key| {
        let field = value.get(key.as_bytes())?;
        // Values of files can be written again.
        let text = json::encode(&field).ok()?;
        Some(format!("\"{key}\":{}", text.to_str()))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
