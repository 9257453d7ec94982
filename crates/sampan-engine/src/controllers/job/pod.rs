//! The pods of a job.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};

use super::indexes::INDEX;
use crate::controllers::pods;
use crate::controllers::selector::owned_by;

/// The variable by which a container knows its index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// A new pod of a job, for one of its indexes if they count.
pub(super) fn of(job: &Job, index: Option<i32>) -> Pod {
    let template = job.spec.as_ref().map(|spec| spec.template.clone());
    let owner = owned_by("batch/v1", "Job", &job.metadata);
    let namespace = job.metadata.namespace.as_deref();
    let mut pod = pods::from_template(&template.unwrap_or_default(), namespace, owner);
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let Some(index) = index else {
        pod.metadata.generate_name = Some(format!("{name}-"));
        return pod;
    };
    pod.metadata.generate_name = Some(format!("{name}-{index}-"));
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(INDEX.to_owned(), index.to_string());
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(INDEX.to_owned(), index.to_string());
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(format!("{name}-{index}"));
    let inits = spec.init_containers.iter_mut().flatten();
    spec.containers.iter_mut().chain(inits).for_each(tell_index);
    pod
}

fn tell_index(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == VARIABLE) {
        return;
    }
    variables.push(EnvVar {
        name: VARIABLE.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: format!("metadata.labels['{INDEX}']"),
            }),
            ..EnvVarSource::default()
        }),
    });
}
