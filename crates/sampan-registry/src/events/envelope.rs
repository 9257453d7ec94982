//! What a receiver reads.

use std::net::SocketAddr;

use ring::digest;
use sampan_store::registry::{Event, EventKind};
use serde::Serialize;

use super::webhook::{Action, Format, Webhook};

/// Where events come from, as receivers see it.
#[derive(Debug)]
pub(super) struct Source {
    /// The address of the registry, without a slash at its end.
    url: String,
    /// Its host and port.
    host: String,
    address: SocketAddr,
    /// Another one after each start, as in the distribution project.
    instance: String,
}

impl Source {
    pub(super) fn new(webhook: &Webhook, address: SocketAddr, instance: String) -> Self {
        let url = match &webhook.registry_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        };
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or(host).to_owned();
        Self {
            url,
            host,
            address,
            instance,
        }
    }
}

/// An event of the distribution project's notifications
/// (`application/vnd.docker.distribution.events.v2+json`).
#[derive(Serialize)]
struct Notification<'a> {
    id: String,
    timestamp: String,
    action: &'static str,
    target: Target<'a>,
    request: Request<'a>,
    actor: Actor<'a>,
    source: Record<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// The same as `size`; receivers read the one or the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    repository: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    host: &'a str,
    method: &'static str,
    useragent: &'a str,
}

#[derive(Serialize)]
struct Actor<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Record<'a> {
    addr: String,
    #[serde(rename = "instanceID")]
    instance: &'a str,
}

/// The events of one request; always one, so that each can be taken or refused.
#[derive(Serialize)]
struct Envelope<'a> {
    events: [Notification<'a>; 1],
}

/// `CloudEvents` 1.0, section 2; the data is the notification.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    r#type: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    data: Notification<'a>,
}

impl Format {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Distribution => "application/vnd.docker.distribution.events.v2+json",
            Self::Cloudevents => "application/cloudevents+json",
        }
    }

    /// The body of the request that tells of `event`.
    pub(super) fn body(self, event: &Event, source: &Source) -> serde_json::Result<Vec<u8>> {
        let notification = notification(event, source);
        match self {
            Self::Distribution => serde_json::to_vec(&Envelope {
                events: [notification],
            }),
            Self::Cloudevents => serde_json::to_vec(&CloudEvent {
                specversion: "1.0",
                id: notification.id.clone(),
                source: &source.url,
                r#type: format!("sampan.registry.{}", notification.action),
                subject: subject(event),
                time: notification.timestamp.clone(),
                datacontenttype: "application/json",
                data: notification,
            }),
        }
    }
}

fn notification<'a>(event: &'a Event, source: &'a Source) -> Notification<'a> {
    let action = Action::from(event.kind);
    // A tag that went says nothing about its manifest, which receivers would take for deleted if it were named.
    let is_tag_only = event.kind == EventKind::TagDeleted;
    let (kind, method) = match event.kind {
        EventKind::Pushed => ("manifests", "PUT"),
        EventKind::BlobDeleted => ("blobs", "DELETE"),
        EventKind::ManifestDeleted | EventKind::TagDeleted => ("manifests", "DELETE"),
    };
    let url = format!(
        "{}/v2/{}/{kind}/{}",
        source.url, event.repository, event.digest
    );
    Notification {
        id: id(event),
        timestamp: event.at.to_string(),
        action: action.as_str(),
        target: Target {
            media_type: event.media_type.as_deref(),
            digest: (!is_tag_only).then_some(event.digest.as_str()),
            size: event.size_bytes,
            length: event.size_bytes,
            repository: &event.repository,
            url: (!is_tag_only).then_some(url),
            tag: event.tag.as_deref(),
        },
        request: Request {
            id: "",
            host: &source.host,
            method,
            useragent: "",
        },
        actor: Actor { name: &event.actor },
        source: Record {
            addr: source.address.to_string(),
            instance: &source.instance,
        },
    }
}

fn subject(event: &Event) -> String {
    match &event.tag {
        Some(tag) => format!("{}:{tag}", event.repository),
        None => format!("{}@{}", event.repository, event.digest),
    }
}

/// The same for each attempt at an event, also after a restart; another one for any other event of any registry.
fn id(event: &Event) -> String {
    let text = format!(
        "{} {} {} {} {:?}",
        event.id, event.at, event.repository, event.digest, event.tag
    );
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}
