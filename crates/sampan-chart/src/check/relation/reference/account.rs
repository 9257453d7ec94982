//! Accounts, and the rights that are bound to them.

use sampan_model::yaml::Node;

use super::{Gatherer, Target};
use crate::check::relation::field;

impl Gatherer<'_> {
    pub(super) fn binding(&mut self) {
        let object = self.object;
        let role = object.at(&["roleRef"]);
        match role.and_then(|role| field(role, "kind")) {
            Some("Role") => self.add(
                Target::Role,
                "Role",
                role.and_then(|role| role.get("name")),
                "is bound",
            ),
            Some("ClusterRole") => self.cluster(
                Target::Role,
                "ClusterRole",
                role.and_then(|role| role.get("name")),
                "is bound",
            ),
            _ => {}
        }
        for subject in object.at(&["subjects"]).map_or(&[][..], Node::items) {
            if field(subject, "kind") == Some("ServiceAccount") {
                let namespace = field(subject, "namespace").unwrap_or(&object.namespace);
                self.push(
                    Target::ServiceAccount,
                    "ServiceAccount",
                    namespace,
                    subject.get("name"),
                    (false, "gets the rights"),
                );
            }
        }
    }

    pub(super) fn account(&mut self) {
        let object = self.object;
        for list in ["imagePullSecrets", "secrets"] {
            for secret in object.at(&[list]).map_or(&[][..], Node::items) {
                self.add(
                    Target::Secret,
                    "Secret",
                    secret.get("name"),
                    "belongs to the account",
                );
            }
        }
    }
}
