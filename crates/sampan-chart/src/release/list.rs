//! Listing releases: the last revision of each.

use std::collections::BTreeMap;

use regex_automata::meta::Regex;

use super::Releases;
use super::error::Error;
use super::record::{Release, Status};

/// In which order releases are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// The one that was changed last comes first.
    Date,
}

/// Which releases are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Whether those of all namespaces are.
    pub all_namespaces: bool,
    /// The states that they are in; empty for all.
    pub states: Vec<Status>,
    /// A selector of their labels.
    pub selector: String,
    /// A regular expression that fits a part of their names.
    pub pattern: Option<String>,
    /// The order.
    pub order: Order,
    /// Whether the order is turned round.
    pub reverse: bool,
}

impl Releases<'_> {
    /// The last revision of each release; of those that are superseded, all revisions, when only they are asked for.
    ///
    /// # Errors
    /// [`Error::Pattern`]; also when the cluster does not answer.
    pub fn list(&self, wanted: &Listing) -> Result<Vec<Release>, Error> {
        let namespace = (!wanted.all_namespaces).then_some(self.settings.namespace.as_str());
        let mut releases = self.query(namespace, &labels(&wanted.selector))?;
        if let Some(pattern) = &wanted.pattern {
            let expression = Regex::new(pattern).map_err(|problem| Error::Pattern {
                pattern: pattern.clone(),
                problem: problem.to_string(),
            })?;
            releases.retain(|release| expression.is_match(&release.name));
        }
        if wanted.states != [Status::Superseded] {
            releases = latest(releases);
        }
        if !wanted.states.is_empty() {
            releases.retain(|release| wanted.states.contains(&release.info.status));
        }
        match wanted.order {
            Order::Name => releases.sort_by(|one, other| {
                let key = |release: &Release| {
                    (
                        release.name.clone(),
                        release.namespace.clone(),
                        release.version,
                    )
                };
                key(one).cmp(&key(other))
            }),
            Order::Date => {
                releases.sort_by_key(|release| std::cmp::Reverse(release.info.last_deployed));
            }
        }
        if wanted.reverse {
            releases.reverse();
        }
        Ok(releases)
    }
}

/// The selector of records that the user's selector leaves.
fn labels(selector: &str) -> String {
    if selector.is_empty() {
        return "owner=helm".to_owned();
    }
    format!("owner=helm,{selector}")
}

fn latest(releases: Vec<Release>) -> Vec<Release> {
    let mut latest: BTreeMap<(String, String), Release> = BTreeMap::new();
    for release in releases {
        let key = (release.namespace.clone(), release.name.clone());
        match latest.get(&key) {
            Some(known) if known.version > release.version => {}
            _ => {
                latest.insert(key, release);
            }
        }
    }
    latest.into_values().collect()
}
