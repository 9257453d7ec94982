//! Horizontal autoscalers: as many replicas as the use of processors and memory asks for.

mod measure;
mod pace;
mod status;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use sampan_supervise::clock;
use serde_json::Value;

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use super::selector;
use crate::decode;
use crate::error::Error;
use crate::objects::{Change, WriteOptions};
use crate::resources::{self, Resource, Subresource};
use crate::usage::Usage;
use measure::Verdict;
use pace::Pace;
use status::Outcome;

const SOURCE: &str = "horizontal-pod-autoscaler";

/// How often each autoscaler looks.
const EVERY: SignedDuration = SignedDuration::from_secs(15);

/// The controller.
pub(crate) struct Autoscalers {
    context: Context,
    usage: Usage,
    /// What each autoscaler has done, by its identity; after a restart it begins anew.
    paces: Mutex<HashMap<String, Pace>>,
}

/// What is scaled.
struct Target {
    resource: &'static Resource,
    name: String,
    replicas: i32,
    pods: Vec<Pod>,
}

impl Reconciler for Autoscalers {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match change.kind {
            "HorizontalPodAutoscaler" => vec![change.key()],
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<HorizontalPodAutoscaler>(&self.context.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.context.objects;
        let found = objects
            .get::<HorizontalPodAutoscaler>(key.namespace(), &key.name)
            .await?;
        let Some(scaler) = found else {
            return Ok(None);
        };
        let now = clock::now();
        let mut pace = self.pace(&scaler);
        // A change of the status is not a reason to look again.
        if let Some(at) = pace.next_look(scaler.metadata.generation, EVERY, now) {
            return Ok(Some(at));
        }
        let outcome = match self.target(&scaler).await? {
            Err(message) => Outcome::NoScale(message),
            Ok(target) if target.replicas == 0 => Outcome::Disabled,
            Ok(target) => self.scale(&scaler, &target, &mut pace, now).await?,
        };
        self.keep(&scaler, pace);
        let status = status::of(&scaler, &outcome, now);
        if status::is_news(scaler.status.as_ref(), &status) {
            let mut scaler = scaler;
            scaler.status = Some(status);
            objects.update_status(&scaler).await?;
        }
        Ok(now.checked_add(EVERY).ok())
    }
}

impl Autoscalers {
    /// The controller of all autoscalers.
    pub(crate) fn new(context: Context, usage: Usage) -> Self {
        Self {
            context,
            usage,
            paces: Mutex::default(),
        }
    }

    fn pace(&self, scaler: &HorizontalPodAutoscaler) -> Pace {
        let uid = scaler.metadata.uid.as_deref().unwrap_or_default();
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.get(uid).cloned().unwrap_or_default()
    }

    fn keep(&self, scaler: &HorizontalPodAutoscaler, pace: Pace) {
        let uid = scaler.metadata.uid.clone().unwrap_or_default();
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of autoscalers that are gone are forgotten when they are old.
        paces.retain(|_, pace| !pace.is_stale(clock::now()));
        paces.insert(uid, pace);
    }

    /// What an autoscaler scales, or why that is not known.
    async fn target(
        &self,
        scaler: &HorizontalPodAutoscaler,
    ) -> Result<Result<Target, String>, Error> {
        let Some(spec) = &scaler.spec else {
            return Ok(Err("the autoscaler has no target".to_owned()));
        };
        let reference = &spec.scale_target_ref;
        let version = reference.api_version.as_deref().unwrap_or("v1");
        let resource = resources::find_kind(version, &reference.kind);
        let Some(resource) = resource.filter(|resource| resource.has(Subresource::Scale)) else {
            let message = format!("no matches for kind {:?} in {version:?}", reference.kind);
            return Ok(Err(message));
        };
        let namespace = scaler.metadata.namespace.as_deref();
        let objects = &self.context.objects;
        let object = match objects
            .get_value(resource, namespace, &reference.name)
            .await
        {
            Ok(object) => object,
            Err(error) if error.is_not_found() => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        let wanted = object.pointer("/spec/selector").unwrap_or(&Value::Null);
        let wanted: LabelSelector = decode::object(wanted).unwrap_or_default();
        let mut pods = objects.list::<Pod>(namespace).await?;
        pods.retain(|pod| selector::matches(&wanted, pod.metadata.labels.as_ref()));
        let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64);
        Ok(Ok(Target {
            resource,
            name: reference.name.clone(),
            replicas: replicas
                .and_then(|count| count.try_into().ok())
                .unwrap_or(1),
            pods,
        }))
    }

    async fn scale(
        &self,
        scaler: &HorizontalPodAutoscaler,
        target: &Target,
        pace: &mut Pace,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let spec = scaler.spec.clone().unwrap_or_default();
        let used = self.usage.of(&target.pods).await?;
        let verdict = measure::judge(&spec, target.replicas, &target.pods, &used);
        let limited = pace.limit(&spec, target.replicas, verdict.wanted(target.replicas), now);
        pace.looked(scaler.metadata.generation, now);
        if limited.replicas != target.replicas {
            self.set(scaler, target, limited.replicas).await?;
            pace.scaled(target.replicas, limited.replicas, now);
            let message = format!(
                "New size: {}; reason: {}",
                limited.replicas,
                reason(&verdict, limited)
            );
            self.context
                .normal(SOURCE, scaler, "SuccessfulRescale", message);
        }
        Ok(Outcome::Judged {
            verdict,
            limited,
            current: target.replicas,
        })
    }

    async fn set(
        &self,
        scaler: &HorizontalPodAutoscaler,
        target: &Target,
        replicas: i32,
    ) -> Result<(), Error> {
        let options = WriteOptions {
            subresource: Some(Subresource::Scale),
            ..WriteOptions::engine()
        };
        let namespace = scaler.metadata.namespace.as_deref();
        let change = |current: &Value| {
            let mut wanted = current.clone();
            wanted["spec"]["replicas"] = replicas.into();
            Ok(wanted)
        };
        self.context
            .objects
            .update_value(target.resource, namespace, &target.name, &options, change)
            .await
            .map(drop)
    }
}

fn reason(verdict: &Verdict, limited: pace::Limited) -> String {
    match verdict.decisive() {
        Some(metric) if limited.why.is_none() => metric,
        _ => limited.why.map_or_else(
            || "All metrics below target".to_owned(),
            |why| why.message().to_owned(),
        ),
    }
}
