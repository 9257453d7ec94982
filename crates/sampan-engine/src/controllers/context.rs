//! What every controller works with.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;

use super::events::{self, Recorder};
use crate::objects::{Object, Objects};

/// The machine that the pods run on.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its name as a Kubernetes node.
    pub(crate) name: String,
    /// The address that users and pods reach it by.
    pub(crate) address: IpAddr,
    /// The data directory.
    pub(crate) data: PathBuf,
}

/// What every controller works with; cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The objects.
    pub(crate) objects: Objects,
    /// Takes the events that users see.
    pub(crate) events: Recorder,
    /// Where we are.
    pub(crate) node: Arc<Node>,
}

impl Context {
    /// Records that something happened as it should.
    pub(crate) fn normal<K: Object>(
        &self,
        source: &'static str,
        about: &K,
        reason: &str,
        message: String,
    ) {
        self.record(
            source,
            events::Kind::Normal,
            reference(about),
            reason,
            message,
        );
    }

    /// Records that something went wrong.
    pub(crate) fn warning<K: Object>(
        &self,
        source: &'static str,
        about: &K,
        reason: &str,
        message: String,
    ) {
        self.record(
            source,
            events::Kind::Warning,
            reference(about),
            reason,
            message,
        );
    }

    /// Records an event about a part of an object.
    pub(crate) fn record(
        &self,
        source: &'static str,
        kind: events::Kind,
        about: ObjectReference,
        reason: &str,
        message: String,
    ) {
        self.events.record(events::Happening {
            source,
            kind,
            about,
            reason: reason.to_owned(),
            message,
        });
    }
}

/// A reference to an object, as events carry it.
pub(crate) fn reference<K: Object>(object: &K) -> ObjectReference {
    let meta = object.metadata();
    ObjectReference {
        api_version: Some(K::API_VERSION.to_owned()),
        kind: Some(K::KIND.to_owned()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        field_path: None,
    }
}
