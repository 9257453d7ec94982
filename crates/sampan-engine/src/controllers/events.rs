//! Records events: what `kubectl describe` and `kubectl get events` show.
//!
//! One task owns the state. The same event again raises the count of the first; many events that differ in
//! their message only are combined; an object that keeps talking is slowed down. Old events expire elsewhere.

mod correlate;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use sampan_model::Causes;
use sampan_supervise::{Shutdown, clock};
use tokio::sync::mpsc;

use self::correlate::{Correlator, Verdict};
use crate::error::Error;
use crate::objects::Objects;

/// How many events may wait to be written; what comes beyond is dropped, since events are hints.
const WAITING: usize = 256;
/// Whether an event is good or bad news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// As it should be.
    Normal,
    /// Somebody should look at it.
    Warning,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    /// Who noticed.
    pub(crate) source: &'static str,
    /// Good or bad.
    pub(crate) kind: Kind,
    /// To what it happened.
    pub(crate) about: ObjectReference,
    /// One word what.
    pub(crate) reason: String,
    /// A sentence about it.
    pub(crate) message: String,
}

/// Takes events; cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(mpsc::Sender<Happening>);

impl Recorder {
    /// A recorder, and what its task reads from.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Happening>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Records an event, without waiting.
    pub(crate) fn record(&self, happening: Happening) {
        if let Err(error) = self.0.try_send(happening) {
            tracing::debug!(%error, "an event was dropped");
        }
    }
}

/// Writes events until the shutdown.
pub(crate) async fn run(
    mut happenings: mpsc::Receiver<Happening>,
    objects: Objects,
    host: String,
    shutdown: Shutdown,
) {
    let mut writer = Writer {
        objects,
        host,
        correlator: Correlator::default(),
    };
    loop {
        let happening = tokio::select! {
            () = shutdown.triggered() => return,
            happening = happenings.recv() => happening,
        };
        let Some(happening) = happening else { return };
        if let Err(error) = writer.write(happening).await {
            // The namespace of an ending object may be gone already.
            tracing::debug!(error = %Causes(&error), "cannot record an event");
        }
    }
}

struct Writer {
    objects: Objects,
    host: String,
    correlator: Correlator,
}

impl Writer {
    async fn write(&mut self, happening: Happening) -> Result<(), Error> {
        let now = clock::now();
        let (message, name) = match self.correlator.look_at(&happening, now) {
            Verdict::Drop => return Ok(()),
            Verdict::Write { message, name } => (message, name),
        };
        let namespace = happening
            .about
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        if let Some(name) = name
            && let Some(mut event) = self.objects.get::<Event>(Some(&namespace), &name).await?
        {
            event.count = Some(event.count.unwrap_or(1) + 1);
            event.last_timestamp = Some(Time(now));
            event.message = Some(message);
            self.objects.update(&event).await?;
            return Ok(());
        }
        let event = self.event(&happening, message, namespace, now);
        self.correlator.written(
            &happening,
            event.metadata.name.clone().unwrap_or_default(),
            now,
        );
        self.objects.create(&event).await.map(drop)
    }

    fn event(
        &self,
        happening: &Happening,
        message: String,
        namespace: String,
        now: Timestamp,
    ) -> Event {
        let about = happening.about.name.as_deref().unwrap_or_default();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{about}.{:x}", now.as_nanosecond())),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            count: Some(1),
            event_time: None::<MicroTime>,
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            involved_object: happening.about.clone(),
            message: Some(message),
            reason: Some(happening.reason.clone()),
            reporting_component: Some(happening.source.to_owned()),
            reporting_instance: Some(self.host.clone()),
            source: Some(EventSource {
                component: Some(happening.source.to_owned()),
                host: (happening.source == "kubelet").then(|| self.host.clone()),
            }),
            type_: Some(happening.kind.as_str().to_owned()),
            ..Event::default()
        }
    }
}
