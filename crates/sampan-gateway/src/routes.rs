//! Which pool answers for a host and path.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use sampan_model::routing::{HostMatch, HttpRoute, PathMatch};

use crate::directory::PoolState;

/// The HTTP routes of one snapshot, ordered for matching.
#[derive(Default)]
pub(crate) struct Routes {
    exact: HashMap<String, Vec<Rule>>,
    wildcard: HashMap<String, Vec<Rule>>,
    any: Vec<Rule>,
}

struct Rule {
    path: PathMatch,
    pool: Arc<PoolState>,
}

impl Routes {
    /// Orders `routes`; `pool` finds the pool of each.
    pub(crate) fn new(
        routes: &[HttpRoute],
        mut pool: impl FnMut(&HttpRoute) -> Arc<PoolState>,
    ) -> Self {
        // Equal routes of two owners are settled by the pool's name, so that every snapshot gives the same answer.
        let mut sorted: Vec<&HttpRoute> = routes.iter().collect();
        sorted.sort_by_cached_key(|route| {
            let is_prefix = matches!(route.path, PathMatch::Prefix(_));
            (
                Reverse(significant(&route.path).len()),
                is_prefix,
                route.pool.clone(),
            )
        });
        let mut this = Self::default();
        for route in sorted {
            let rules = match &route.host {
                HostMatch::Exact(host) => this.exact.entry(host.clone()).or_default(),
                HostMatch::Wildcard(suffix) => this.wildcard.entry(suffix.clone()).or_default(),
                HostMatch::Any => &mut this.any,
            };
            rules.push(Rule {
                path: route.path.clone(),
                pool: pool(route),
            });
        }
        this
    }

    /// The pool for `host` (lower case, no port) and `path`. The most specific host that has a matching path wins,
    /// so that a default route also gets what another host's routes leave over.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<&Arc<PoolState>> {
        let exact = self.exact.get(host);
        let wildcard = host
            .split_once('.')
            .filter(|(label, _)| !label.is_empty())
            .and_then(|(_, suffix)| self.wildcard.get(suffix));
        [exact, wildcard, Some(&self.any)]
            .into_iter()
            .flatten()
            .flatten()
            .find(|rule| matches(&rule.path, path))
            .map(|rule| &rule.pool)
    }
}

/// The part of a route's path that counts for its length: a prefix means the same with and without a closing slash.
fn significant(path: &PathMatch) -> &str {
    match path {
        PathMatch::Exact(path) => path,
        PathMatch::Prefix(path) => path.trim_end_matches('/'),
    }
}

fn matches(rule: &PathMatch, path: &str) -> bool {
    match rule {
        PathMatch::Exact(exact) => path == exact,
        PathMatch::Prefix(_) => path
            .strip_prefix(significant(rule))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_model::routing::PoolId;

    fn route(host: HostMatch, path: PathMatch, name: &str) -> HttpRoute {
        let pool = PoolId {
            namespace: "default".into(),
            service: name.into(),
            port: "http".into(),
        };
        HttpRoute { host, path, pool }
    }

    fn exact(path: &str) -> PathMatch {
        PathMatch::Exact(path.into())
    }

    fn prefix(path: &str) -> PathMatch {
        PathMatch::Prefix(path.into())
    }

    fn found(routes: &[HttpRoute], host: &str, path: &str) -> String {
        Routes::new(routes, |route| {
            Arc::new(PoolState::empty(route.pool.clone()))
        })
        .find(host, path)
        .map_or_else(|| "-".into(), |pool| pool.id.service.clone())
    }

    #[test]
    fn the_longest_path_wins_and_exact_beats_prefix() {
        let host = HostMatch::Exact("a.example".into());
        let routes = [
            route(host.clone(), prefix("/"), "root"),
            route(host.clone(), prefix("/foo"), "foo"),
            route(host.clone(), exact("/foo"), "exactly"),
            route(host.clone(), prefix("/foo/bar/"), "bar"),
        ];
        for (path, service) in [
            ("/", "root"),
            ("/foobar", "root"),
            ("/foo", "exactly"),
            ("/foo/", "foo"),
            ("/foo/bar", "bar"),
            ("/foo/bar/", "bar"),
            ("/foo/bar/x", "bar"),
            ("/foo/barx", "foo"),
            ("/Foo", "root"),
        ] {
            assert_eq!(found(&routes, "a.example", path), service, "{path}");
        }
        assert_eq!(found(&routes, "b.example", "/"), "-");
    }

    #[test]
    fn exact_hosts_beat_wildcards_beat_any() {
        let routes = [
            route(HostMatch::Any, prefix("/"), "any"),
            route(HostMatch::Wildcard("example".into()), prefix("/"), "wild"),
            route(
                HostMatch::Exact("a.example".into()),
                prefix("/app"),
                "exact",
            ),
        ];
        for (host, path, service) in [
            ("a.example", "/app", "exact"),
            ("a.example", "/", "wild"),
            ("b.example", "/app", "wild"),
            ("x.b.example", "/app", "any"),
            (".example", "/", "any"),
            ("example", "/app", "any"),
            ("", "/", "any"),
        ] {
            assert_eq!(found(&routes, host, path), service, "{host}{path}");
        }
    }
}
