//! Decides whether an event is new, the same again, one of many alike, or too much. Pure.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::{Happening, Kind};

/// How many events one object may cause at once …
const BURST: f64 = 25.0;
/// … and how long it takes to be allowed one more.
const REFILL_SECONDS: f64 = 300.0;
/// From this many different messages on, events of one reason are combined.
const MANY: usize = 10;
/// Within this time.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// How long the same event raises a count instead of making a new event.
const MEMORY: SignedDuration = SignedDuration::from_mins(55);

/// From this size on, what no longer matters is forgotten.
const REMEMBERED: usize = 2048;

/// Who an event is from and about: source, uid, field path.
type Subject = (&'static str, String, String);
/// Events that differ in their message only.
type Alike = (Subject, Kind, String);

/// What to do with an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Too much from this object.
    Drop,
    /// Write it: as one more of the event with this name, if any.
    Write {
        /// The message to write.
        message: String,
        /// The event whose count rises.
        name: Option<String>,
    },
}

#[derive(Debug, Default)]
struct Group {
    messages: BTreeSet<String>,
    since: Option<Timestamp>,
}

/// Remembers the events of the last while.
#[derive(Debug, Default)]
pub(super) struct Correlator {
    written: HashMap<(Alike, String), (String, Timestamp)>,
    groups: HashMap<Alike, Group>,
    budgets: HashMap<Subject, (f64, Timestamp)>,
}

fn alike(happening: &Happening) -> Alike {
    let about = &happening.about;
    let uid = about
        .uid
        .clone()
        .or_else(|| about.name.clone())
        .unwrap_or_default();
    let path = about.field_path.clone().unwrap_or_default();
    (
        (happening.source, uid, path),
        happening.kind,
        happening.reason.clone(),
    )
}

impl Correlator {
    /// Decides about one event.
    pub(super) fn look_at(&mut self, happening: &Happening, now: Timestamp) -> Verdict {
        let alike = alike(happening);
        if self.written.len() + self.budgets.len() > REMEMBERED {
            self.forget(now);
        }
        if !self.spend(&alike.0, now) {
            return Verdict::Drop;
        }
        let message = self.combine(happening, &alike, now);
        let key = (alike, message.clone());
        let name = self
            .written
            .get(&key)
            .filter(|(_, at)| now.duration_since(*at) < MEMORY)
            .map(|(name, _)| name.clone());
        Verdict::Write { message, name }
    }

    /// An event was written anew under this name.
    pub(super) fn written(&mut self, happening: &Happening, name: String, now: Timestamp) {
        let alike = alike(happening);
        let message = self.combine(happening, &alike, now);
        self.written.insert((alike, message), (name, now));
    }

    /// Forgets what no longer matters.
    fn forget(&mut self, now: Timestamp) {
        self.written
            .retain(|_, (_, at)| now.duration_since(*at) < MEMORY);
        self.groups.retain(|_, group| {
            group
                .since
                .is_some_and(|since| now.duration_since(since) < WINDOW)
        });
        self.budgets
            .retain(|_, (left, at)| refilled(*left, *at, now) < BURST);
    }

    fn spend(&mut self, subject: &Subject, now: Timestamp) -> bool {
        let (left, at) = self.budgets.entry(subject.clone()).or_insert((BURST, now));
        *left = refilled(*left, *at, now);
        *at = now;
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }

    fn combine(&mut self, happening: &Happening, alike: &Alike, now: Timestamp) -> String {
        let group = self.groups.entry(alike.clone()).or_default();
        if group
            .since
            .is_none_or(|since| now.duration_since(since) > WINDOW)
        {
            *group = Group {
                messages: BTreeSet::new(),
                since: Some(now),
            };
        }
        if group.messages.len() < MANY {
            group.messages.insert(happening.message.clone());
        }
        if group.messages.len() < MANY || group.messages.contains(&happening.message) {
            return happening.message.clone();
        }
        format!("(combined from similar events): {}", happening.message)
    }
}

fn refilled(left: f64, at: Timestamp, now: Timestamp) -> f64 {
    (left + now.duration_since(at).as_secs_f64() / REFILL_SECONDS).min(BURST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ObjectReference;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn happening(message: &str) -> Happening {
        Happening {
            source: "kubelet",
            kind: Kind::Warning,
            about: ObjectReference {
                uid: Some("1".to_owned()),
                ..ObjectReference::default()
            },
            reason: "BackOff".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn the_same_event_again_raises_the_count_of_the_first() {
        let mut correlator = Correlator::default();
        let fresh = Verdict::Write {
            message: "again".to_owned(),
            name: None,
        };
        assert_eq!(correlator.look_at(&happening("again"), at(0)), fresh);
        correlator.written(&happening("again"), "web.1".to_owned(), at(0));
        let name = Some("web.1".to_owned());
        let same = Verdict::Write {
            message: "again".to_owned(),
            name,
        };
        assert_eq!(correlator.look_at(&happening("again"), at(60)), same);
        assert_eq!(correlator.look_at(&happening("again"), at(4000)), fresh);
    }

    #[test]
    fn an_object_that_keeps_talking_is_slowed_down() {
        let mut correlator = Correlator::default();
        let mut written = 0;
        for second in 0..600 {
            written +=
                i32::from(correlator.look_at(&happening("again"), at(second)) != Verdict::Drop);
        }
        assert_eq!(written, 26);
    }

    #[test]
    fn many_messages_of_one_reason_are_combined() {
        let mut correlator = Correlator::default();
        let last = (0..12)
            .map(|i| correlator.look_at(&happening(&i.to_string()), at(i)))
            .last();
        let Some(Verdict::Write { message, .. }) = last else {
            panic!("dropped")
        };
        assert_eq!(message, "(combined from similar events): 11");
    }
}
