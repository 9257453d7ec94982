//! The rules of deployments, replica sets, stateful sets and daemon sets.

use k8s_openapi::api::apps::v1::{
    DaemonSet, Deployment, DeploymentSpec, ReplicaSet, StatefulSet, StatefulSetSpec,
};
use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, PodTemplateSpec, Volume};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::causes::{Causes, Path};
use super::selector::selected;
use super::volume;

/// Checks a deployment.
pub(super) fn deployment(new: &Deployment, old: Option<&Deployment>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("selector"), "");
        return;
    };
    causes.at_least(&path.child("replicas"), spec.replicas, 0);
    selected(&spec.selector, &spec.template, &path, causes);
    causes.at_least(&path.child("minReadySeconds"), spec.min_ready_seconds, 0);
    causes.at_least(
        &path.child("revisionHistoryLimit"),
        spec.revision_history_limit,
        0,
    );
    strategy(spec, &path.child("strategy"), causes);
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = path.child("progressDeadlineSeconds");
        causes.at_least(&path, Some(deadline), 0);
        if deadline <= spec.min_ready_seconds.unwrap_or_default() {
            causes.invalid(&path, &deadline, "must be greater than minReadySeconds");
        }
    }
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        causes.unchanged(&path.child("selector"), &spec.selector, &old.selector);
    }
}

fn strategy(spec: &DeploymentSpec, path: &Path, causes: &mut Causes) {
    let Some(strategy) = &spec.strategy else {
        return;
    };
    let kind = strategy.type_.as_deref();
    causes.one_of(&path.child("type"), kind, &["Recreate", "RollingUpdate"]);
    let rolling = path.child("rollingUpdate");
    match (&strategy.rolling_update, kind) {
        (Some(_), Some("Recreate")) => causes.forbidden(
            &rolling,
            "may not be specified when strategy `type` is 'Recreate'",
        ),
        (Some(update), _) => {
            let surge = update.max_surge.as_ref();
            let unavailable = update.max_unavailable.as_ref();
            for (field, value) in [("maxSurge", surge), ("maxUnavailable", unavailable)] {
                if let Some(value) = value {
                    amount(value, &rolling.child(field), causes);
                }
            }
            let none = |value: Option<&IntOrString>| value.is_some_and(is_zero);
            if none(surge) && none(unavailable) {
                let detail = "may not be 0 when `maxSurge` is 0";
                causes.invalid(&rolling.child("maxUnavailable"), &unavailable, detail);
            }
        }
        (None, _) => {}
    }
}

fn is_zero(value: &IntOrString) -> bool {
    match value {
        IntOrString::Int(number) => *number == 0,
        IntOrString::String(text) => text.trim_end_matches('%').parse() == Ok(0),
    }
}

/// Checks a number of pods or a share of them.
pub(super) fn amount(value: &IntOrString, path: &Path, causes: &mut Causes) {
    match value {
        IntOrString::Int(number) => causes.at_least(path, Some(*number), 0),
        IntOrString::String(text) => {
            let percent = text
                .strip_suffix('%')
                .and_then(|number| number.parse::<u32>().ok());
            match percent {
                None => causes.invalid(
                    path,
                    text,
                    "a valid percent string must be a numeric string followed by an ending '%' \
                     (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                ),
                Some(percent) if percent > 100 && path.to_string().ends_with("maxUnavailable") => {
                    causes.invalid(path, text, "must not be greater than 100%");
                }
                Some(_) => {}
            }
        }
    }
}

/// Checks a replica set.
pub(super) fn replica_set(new: &ReplicaSet, old: Option<&ReplicaSet>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("selector"), "");
        return;
    };
    causes.at_least(&path.child("replicas"), spec.replicas, 0);
    causes.at_least(&path.child("minReadySeconds"), spec.min_ready_seconds, 0);
    match &spec.template {
        Some(template) => selected(&spec.selector, template, &path, causes),
        None => causes.required(&path.child("template"), ""),
    }
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        causes.unchanged(&path.child("selector"), &spec.selector, &old.selector);
    }
}

/// Checks a stateful set.
pub(super) fn stateful_set(new: &StatefulSet, old: Option<&StatefulSet>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("selector"), "");
        return;
    };
    causes.one_of(
        &path.child("podManagementPolicy"),
        spec.pod_management_policy.as_deref(),
        &["OrderedReady", "Parallel"],
    );
    let update = spec.update_strategy.as_ref();
    causes.one_of(
        &path.child("updateStrategy").child("type"),
        update.and_then(|update| update.type_.as_deref()),
        &["OnDelete", "RollingUpdate"],
    );
    causes.at_least(&path.child("replicas"), spec.replicas, 0);
    causes.at_least(&path.child("minReadySeconds"), spec.min_ready_seconds, 0);
    selected(&spec.selector, &with_claims(spec), &path, causes);
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        let path = path.child("volumeClaimTemplates").index(index);
        if let Some(spec) = &claim.spec {
            volume::claim_spec(spec, &path.child("spec"), causes);
        }
    }
    if let Some(old) = old.and_then(|old| old.spec.as_ref())
        && fixed_part(spec) != fixed_part(old)
    {
        causes.forbidden(
            &path,
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
             'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}

/// The spec without what may change.
fn fixed_part(spec: &StatefulSetSpec) -> StatefulSetSpec {
    let mut fixed = spec.clone();
    fixed.replicas = None;
    fixed.ordinals = None;
    fixed.template = PodTemplateSpec::default();
    fixed.update_strategy = None;
    fixed.revision_history_limit = None;
    fixed.persistent_volume_claim_retention_policy = None;
    fixed.min_ready_seconds = None;
    // What the server records in the templates is not the user's change.
    for claim in fixed.volume_claim_templates.iter_mut().flatten() {
        claim.status = None;
    }
    fixed
}

/// The template with the volumes that its pods get from the claim templates, which containers may mount.
fn with_claims(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let names = spec.volume_claim_templates.iter().flatten();
    let names = names.filter_map(|claim| claim.metadata.name.clone());
    if let Some(pod) = template.spec.as_mut() {
        let volumes = pod.volumes.get_or_insert_default();
        for name in names {
            volumes.retain(|volume| volume.name != name);
            volumes.push(Volume {
                name,
                empty_dir: Some(EmptyDirVolumeSource::default()),
                ..Volume::default()
            });
        }
    }
    template
}

/// Checks a daemon set.
pub(super) fn daemon_set(new: &DaemonSet, old: Option<&DaemonSet>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("selector"), "");
        return;
    };
    selected(&spec.selector, &spec.template, &path, causes);
    causes.at_least(&path.child("minReadySeconds"), spec.min_ready_seconds, 0);
    causes.at_least(
        &path.child("revisionHistoryLimit"),
        spec.revision_history_limit,
        0,
    );
    if let Some(strategy) = &spec.update_strategy {
        let path = path.child("updateStrategy");
        let kind = strategy.type_.as_deref();
        causes.one_of(&path.child("type"), kind, &["OnDelete", "RollingUpdate"]);
        let rolling = path.child("rollingUpdate");
        if let Some(update) = &strategy.rolling_update {
            let (surge, unavailable) = (&update.max_surge, &update.max_unavailable);
            for (field, value) in [("maxSurge", surge), ("maxUnavailable", unavailable)] {
                if let Some(value) = value {
                    amount(value, &rolling.child(field), causes);
                }
            }
            let some = |value: &Option<IntOrString>| value.as_ref().is_some_and(|v| !is_zero(v));
            match (some(surge), some(unavailable)) {
                (false, false) => {
                    let detail = "cannot be 0 when maxSurge is 0";
                    causes.invalid(&rolling.child("maxUnavailable"), unavailable, detail);
                }
                (true, true) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    causes.invalid(&rolling.child("maxSurge"), surge, detail);
                }
                _ => {}
            }
        }
    }
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        causes.unchanged(&path.child("selector"), &spec.selector, &old.selector);
    }
}
