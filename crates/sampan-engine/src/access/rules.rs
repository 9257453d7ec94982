//! What the rules of roles allow. Pure.

use k8s_openapi::api::rbac::v1::PolicyRule;

const ALL: &str = "*";

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// Something with objects.
    Objects {
        /// What.
        verb: &'a str,
        /// The group.
        group: &'a str,
        /// The plural name, with the subresource behind a slash.
        resource: &'a str,
        /// The name; empty for all objects.
        name: &'a str,
    },
    /// A request for something else.
    Path {
        /// The method in small letters.
        verb: &'a str,
        /// The path.
        path: &'a str,
    },
}

impl Action<'_> {
    /// Whether a rule allows it.
    pub(crate) fn is_allowed_by(&self, rule: &PolicyRule) -> bool {
        match *self {
            Self::Objects {
                verb,
                group,
                resource,
                name,
            } => {
                has(&rule.verbs, verb)
                    && has(list(rule.api_groups.as_ref()), group)
                    && has_resource(list(rule.resources.as_ref()), resource)
                    && has_name(list(rule.resource_names.as_ref()), name)
            }
            Self::Path { verb, path } => {
                has(&rule.verbs, verb) && has_path(list(rule.non_resource_urls.as_ref()), path)
            }
        }
    }
}

/// Whether some rules allow everything that another one allows.
pub(crate) fn covers(own: &[PolicyRule], wanted: &PolicyRule) -> bool {
    let allowed = |action: Action<'_>| own.iter().any(|rule| action.is_allowed_by(rule));
    let names = list(wanted.resource_names.as_ref());
    // One empty name stands for all of them.
    let all = [String::new()];
    let names = if names.is_empty() { &all[..] } else { names };
    wanted.verbs.iter().all(|verb| {
        let paths = list(wanted.non_resource_urls.as_ref());
        let paths = paths
            .iter()
            .all(|path| allowed(Action::Path { verb, path }));
        let resources = list(wanted.resources.as_ref());
        let resources = list(wanted.api_groups.as_ref()).iter().all(|group| {
            resources.iter().all(|resource| {
                names.iter().all(|name| {
                    allowed(Action::Objects {
                        verb,
                        group,
                        resource,
                        name,
                    })
                })
            })
        });
        paths && resources
    })
}

fn list(list: Option<&Vec<String>>) -> &[String] {
    list.map(Vec::as_slice).unwrap_or_default()
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|one| one == ALL || one == word)
}

/// `pods/log` is allowed by its own name, by `*/log` and by `*`.
fn has_resource(resources: &[String], resource: &str) -> bool {
    let part = resource.split_once('/').map(|(_, part)| part);
    resources.iter().any(|one| {
        one == ALL
            || one == resource
            || part.is_some_and(|part| one.strip_prefix("*/") == Some(part))
    })
}

fn has_name(names: &[String], name: &str) -> bool {
    names.is_empty() || (!name.is_empty() && names.iter().any(|one| one == name))
}

fn has_path(paths: &[String], path: &str) -> bool {
    paths.iter().any(|one| {
        one == ALL
            || one == path
            || one
                .strip_suffix('*')
                .is_some_and(|start| path.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(rule: Value) -> PolicyRule {
        serde_json::from_value(rule).unwrap()
    }

    fn objects<'a>(verb: &'a str, group: &'a str, resource: &'a str, name: &'a str) -> Action<'a> {
        Action::Objects {
            verb,
            group,
            resource,
            name,
        }
    }

    #[test]
    fn rules_allow_what_they_name() {
        let pods = rule(
            json!({"apiGroups": [""], "resources": ["pods", "*/scale"], "verbs": ["get", "list"]}),
        );
        for (action, allowed) in [
            (objects("get", "", "pods", "web"), true),
            (objects("list", "", "pods", ""), true),
            (objects("delete", "", "pods", "web"), false),
            (objects("get", "apps", "pods", "web"), false),
            (objects("get", "", "pods/log", "web"), false),
            (
                objects("get", "", "replicationcontrollers/scale", "web"),
                true,
            ),
            (
                Action::Path {
                    verb: "get",
                    path: "/apis",
                },
                false,
            ),
        ] {
            assert_eq!(action.is_allowed_by(&pods), allowed, "{action:?}");
        }
        let one = rule(
            json!({"apiGroups": ["*"], "resources": ["*"], "resourceNames": ["web"], "verbs": ["*"]}),
        );
        assert!(objects("get", "apps", "deployments/status", "web").is_allowed_by(&one));
        assert!(!objects("get", "apps", "deployments", "other").is_allowed_by(&one));
        assert!(!objects("list", "apps", "deployments", "").is_allowed_by(&one));
        let paths = rule(json!({"nonResourceURLs": ["/apis", "/apis/*"], "verbs": ["get"]}));
        for (path, allowed) in [("/apis", true), ("/apis/apps/v1", true), ("/apisix", false)] {
            let action = Action::Path { verb: "get", path };
            assert_eq!(action.is_allowed_by(&paths), allowed, "{path}");
        }
    }

    #[test]
    fn nobody_gives_away_what_they_do_not_have() {
        let own = [
            rule(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]})),
            rule(json!({"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]})),
            rule(
                json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}),
            ),
            rule(json!({"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]})),
        ];
        for (wanted, covered) in [
            (
                json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}),
                true,
            ),
            (
                json!({"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get"]}),
                true,
            ),
            (
                json!({"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["list"]}),
                false,
            ),
            (
                json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}),
                false,
            ),
            (
                json!({"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]}),
                true,
            ),
            (
                json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]}),
                false,
            ),
            (
                json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}),
                true,
            ),
            (
                json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
                false,
            ),
            (
                json!({"nonResourceURLs": ["/metrics/cpu"], "verbs": ["get"]}),
                true,
            ),
            (
                json!({"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]}),
                true,
            ),
            (json!({"nonResourceURLs": ["/*"], "verbs": ["get"]}), false),
        ] {
            assert_eq!(covers(&own, &rule(wanted.clone())), covered, "{wanted}");
        }
    }
}
