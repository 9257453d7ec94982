//! `lookup` of templates, answered by the cluster that a release goes to.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::target::{Collection, ObjectId, Target, TargetError};
use crate::template::{Cluster, Wanted};
use crate::values::{Table, Tree};

/// Looks into a cluster for templates.
#[derive(Debug)]
struct Lookup(Arc<dyn Target>);

/// What lets templates look into a cluster.
pub fn lookups(target: Arc<dyn Target>) -> Arc<dyn Cluster> {
    Arc::new(Lookup(target))
}

impl Cluster for Lookup {
    fn lookup(&self, wanted: &Wanted<'_>) -> Result<Table, String> {
        let namespaced = self.0.is_namespaced(wanted.api_version, wanted.kind);
        let namespaced = namespaced.map_err(|problem| unknown(wanted, &problem))?;
        let namespace =
            Some(wanted.namespace).filter(|namespace| namespaced && !namespace.is_empty());
        let found = if wanted.name.is_empty() {
            self.list(wanted, namespace)
        } else {
            self.0.get(&ObjectId {
                api_version: wanted.api_version.to_owned(),
                kind: wanted.kind.to_owned(),
                namespace: namespace.map(str::to_owned),
                name: wanted.name.to_owned(),
            })
        };
        match found.map_err(|problem| problem.to_string())?.map(exact) {
            Some(Tree::Table(table)) => Ok(table),
            _ => Ok(Table::new()),
        }
    }
}

impl Lookup {
    fn list(
        &self,
        wanted: &Wanted<'_>,
        namespace: Option<&str>,
    ) -> Result<Option<Json>, TargetError> {
        let items = self.0.list(&Collection {
            api_version: wanted.api_version,
            kind: wanted.kind,
            namespace,
            labels: "",
        })?;
        Ok(Some(json!({
            "apiVersion": wanted.api_version,
            "kind": format!("{}List", wanted.kind),
            "metadata": {},
            "items": items,
        })))
    }
}

fn unknown(wanted: &Wanted<'_>, problem: &TargetError) -> String {
    let problem = match problem {
        TargetError::UnknownKind { .. } => {
            "the server could not find the requested resource".to_owned()
        }
        problem => problem.to_string(),
    };
    let (api_version, kind) = (wanted.api_version, wanted.kind);
    format!("unable to get apiresource from unstructured: {api_version}, Kind={kind}: {problem}")
}

/// An object as templates see it: numbers without a fraction are integers, other than in values.
fn exact(json: Json) -> Tree {
    match json {
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Tree::Integer(integer),
            None => Tree::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(items) => Tree::List(items.into_iter().map(exact).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter();
            Tree::Table(entries.map(|(key, value)| (key, exact(value))).collect())
        }
        plain => Tree::from(plain),
    }
}
