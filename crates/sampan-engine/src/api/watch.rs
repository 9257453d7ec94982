//! Watches: the changes of objects as a stream of JSON lines.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use sampan_store::objects::{Change, ChangeKind, Revision, Watch};
use sampan_supervise::Shutdown;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::accept::Form;
use super::{Api, Call, answer, read, status};
use crate::error::Error;
use crate::objects::{FieldSelector, LabelSelector, ListRequest, decode_body, expired};

/// How long a watch lasts when the client does not say, as Kubernetes does it: clients then watch anew.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(45);

/// How often a client that wants it is told how far the history has been seen.
const BOOKMARK_EVERY: Duration = Duration::from_secs(55);

/// Answers a watch.
pub(crate) async fn start(api: &Api, call: Call) -> Result<Response, Error> {
    let resource = call.target.resource;
    let (labels, fields) = call.query.selectors(resource)?;
    let sends_initial = call.query.sends_initial_events()?;
    let asked = call.query.revision()?;
    read::check_revision(api, &call).await?;
    let namespace = call.target.namespace.clone();
    let (initial, since) = match asked {
        Some(since) if !sends_initial => (Vec::new(), since),
        // From nothing: first what is there.
        _ => {
            let request = ListRequest {
                namespace: namespace.clone(),
                labels: labels.clone(),
                fields: fields.clone(),
                ..ListRequest::default()
            };
            let list = api.objects().list_values(resource, &request).await?;
            (list.items, list.revision)
        }
    };
    let watch = api.objects().watch_rows(resource, namespace, since).await?;
    let timeout = call
        .query
        .timeout_seconds()?
        .map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let now = Instant::now();
    let lines = Lines {
        watch,
        labels,
        fields,
        initial: initial.into(),
        initial_end: sends_initial.then_some(since),
        with_columns: true,
        bookmark_at: now + BOOKMARK_EVERY,
        end_at: now + timeout,
        ended: false,
        shutdown: api.shutdown(),
        call,
    };
    let stream = stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        Some((Ok::<_, Infallible>(line), lines))
    });
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = StatusCode::OK;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The lines of one watch.
struct Lines {
    call: Call,
    watch: Watch,
    labels: LabelSelector,
    fields: FieldSelector,
    initial: VecDeque<Value>,
    initial_end: Option<Revision>,
    with_columns: bool,
    bookmark_at: Instant,
    end_at: Instant,
    ended: bool,
    shutdown: Shutdown,
}

/// What a waiting watch is woken by.
enum Woken {
    Changed(Result<std::sync::Arc<Change>, sampan_store::Error>),
    Bookmark,
    End,
}

impl Lines {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(object) = self.initial.pop_front() {
            return Some(self.event("ADDED", object));
        }
        if let Some(revision) = self.initial_end.take() {
            return Some(self.bookmark(revision, true));
        }
        while !self.ended {
            match self.wait().await {
                Woken::End | Woken::Changed(Err(sampan_store::Error::Closed)) => self.ended = true,
                Woken::Bookmark => {
                    self.bookmark_at = Instant::now() + BOOKMARK_EVERY;
                    if self.call.query.wants_bookmarks() {
                        return Some(self.bookmark(self.watch.revision(), false));
                    }
                }
                Woken::Changed(Ok(change)) => match self.changed(&change) {
                    Ok(Some(line)) => return Some(line),
                    Ok(None) => {}
                    Err(error) => return Some(self.failed(&error)),
                },
                Woken::Changed(Err(error)) => return Some(self.failed(&expired(error))),
            }
        }
        None
    }

    async fn wait(&mut self) -> Woken {
        tokio::select! {
            () = self.shutdown.triggered() => Woken::End,
            change = self.watch.next() => Woken::Changed(change),
            () = tokio::time::sleep_until(self.bookmark_at) => Woken::Bookmark,
            () = tokio::time::sleep_until(self.end_at) => Woken::End,
        }
    }

    /// What a change means to this watch: an object may come into or leave its selection.
    fn changed(&mut self, change: &Change) -> Result<Option<Bytes>, Error> {
        let resource = self.call.target.resource;
        let revision = change.row.revision;
        let matches = |object: &Value| self.labels.matches(object) && self.fields.matches(object);
        let new = decode_body(&change.row.body, revision, resource)?;
        let old = match &change.previous {
            Some(body) => Some(decode_body(body, revision, resource)?).filter(|old| matches(old)),
            None => None,
        };
        let is_in = change.kind != ChangeKind::Deleted && matches(&new);
        Ok(match (old, is_in) {
            (None, false) => None,
            (None, true) => Some(self.event("ADDED", new)),
            (Some(_), true) => Some(self.event("MODIFIED", new)),
            (Some(old), false) => Some(self.event("DELETED", old)),
        })
    }

    fn event(&mut self, kind: &str, object: Value) -> Bytes {
        let object = match self.call.form {
            Form::Object => object,
            Form::Partial => answer::partial(object),
            Form::Table(version) => {
                let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let with_columns = std::mem::take(&mut self.with_columns);
                answer::table(&self.call, version, vec![object], &meta, with_columns)
            }
        };
        line(kind, &object)
    }

    /// Tells how far the history has been seen.
    fn bookmark(&mut self, revision: Revision, ends_initial: bool) -> Bytes {
        let resource = self.call.target.resource;
        let mut metadata =
            json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.call.form {
            Form::Object => json!({
                "kind": resource.kind,
                "apiVersion": resource.api_version(),
                "metadata": metadata,
            }),
            Form::Partial => json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
            }),
            Form::Table(version) => {
                let with_columns = std::mem::take(&mut self.with_columns);
                let meta = json!({"resourceVersion": revision.to_string()});
                let mut table = answer::table(&self.call, version, Vec::new(), &meta, with_columns);
                let object = json!({
                    "kind": "PartialObjectMetadata",
                    "apiVersion": format!("meta.k8s.io/{version}"),
                    "metadata": metadata,
                });
                // Clients look for the annotation in the object of the only row.
                table["rows"] = json!([{"cells": [], "object": object}]);
                table
            }
        };
        line("BOOKMARK", &object)
    }

    /// The last line of a watch that cannot go on.
    fn failed(&mut self, error: &Error) -> Bytes {
        self.ended = true;
        line("ERROR", &status::of(error).1)
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut text = json!({"type": kind, "object": object}).to_string();
    text.push('\n');
    text.into()
}
