//! Jobs: what they do cannot be changed, so that a job which shall do something else is deleted and made anew.

use serde_json::Value;

use super::{Action, FieldChange, difference};
use crate::manifests::Object;
use crate::target::{self, Cluster, TargetError};

/// The labels by which a job finds its pods; each new job has others.
const OWN_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// The status of an answer that a change is not acceptable.
const UNACCEPTABLE: u16 = 422;

/// What an object becomes when it is applied: the answer of the target, or the refusal.
pub(crate) async fn try_apply(
    cluster: &Cluster,
    object: &Object,
    live: Option<&Value>,
) -> Result<Trial, TargetError> {
    let Some(live) = live.filter(|_| is_job(object)) else {
        return Ok(Trial::Applied(cluster.apply(object, true).await?));
    };
    let refusal = match cluster.apply(object, true).await {
        Ok(next) if !has_failed(live) => return Ok(Trial::Applied(next)),
        // It would stay as it is, failed.
        Ok(next) => return Ok(Trial::Renewed(changes(live, &next))),
        Err(error) => error,
    };
    if !matches!(
        refusal,
        TargetError::Refused {
            code: UNACCEPTABLE,
            ..
        }
    ) {
        return Err(refusal);
    }
    // Whether the change is refused or the job itself tells the same job under a name that is free.
    let Some(uid) = target::uid(live) else {
        return Err(refusal);
    };
    let mut other = object.clone();
    other.id.name = format!("sampan-{uid}");
    other.body["metadata"]["name"] = other.id.name.clone().into();
    match cluster.apply(&other, true).await {
        Ok(next) => Ok(Trial::Renewed(changes(live, &next))),
        Err(TargetError::Refused { .. }) => Err(refusal),
        Err(error) => Err(error),
    }
}

/// What a target says of an object that is tried.
pub(crate) enum Trial {
    /// It is taken, and would be this.
    Applied(Value),
    /// It is taken once the one that is there has gone; these are the differences.
    Renewed(Vec<FieldChange>),
}

impl Trial {
    /// What happens to an object that is there.
    pub(super) fn action(self, live: &Value) -> (Action, Vec<FieldChange>) {
        match self {
            Self::Renewed(fields) => (Action::Replace, fields),
            Self::Applied(next) => match difference::between(live, &next) {
                fields if fields.is_empty() => (Action::Keep, fields),
                fields => (Action::Change, fields),
            },
        }
    }
}

/// Whether an object is a job.
pub(crate) fn is_job(object: &Object) -> bool {
    object.id.kind == "Job" && object.id.group() == "batch"
}

fn has_failed(live: &Value) -> bool {
    let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Failed" && condition["status"] == "True")
}

/// The differences between two jobs but for their names and what the target makes from their identity.
fn changes(live: &Value, next: &Value) -> Vec<FieldChange> {
    difference::between(&nameless(live), &nameless(next))
}

fn nameless(job: &Value) -> Value {
    let mut job = job.clone();
    if job.pointer("/spec/manualSelector") != Some(&Value::Bool(true))
        && let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("selector");
    }
    if let Some(metadata) = job.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("name");
    }
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(labels) = job.pointer_mut(labels).and_then(Value::as_object_mut) {
            labels.retain(|key, _| !OWN_LABELS.contains(&key.as_str()));
        }
    }
    job
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_two_jobs_only_what_was_written_is_compared() {
        let job = |name: &str, uid: &str, image: &str| {
            json!({
                "kind": "Job",
                "metadata": {"name": name, "uid": uid, "labels": {"app": "shop", "job-name": name}},
                "spec": {
                    "selector": {"matchLabels": {"controller-uid": uid}},
                    "template": {
                        "metadata": {"labels": {"controller-uid": uid, "job-name": name}},
                        "spec": {"containers": [{"name": "c", "image": image}]},
                    },
                },
            })
        };
        let live = job("migrate", "1", "shop:1");
        assert!(changes(&live, &job("sampan-1", "2", "shop:1")).is_empty());
        let fields = changes(&live, &job("sampan-1", "2", "shop:2"));
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["spec.template.spec.containers[c].image"]);
    }
}
