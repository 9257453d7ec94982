//! Time zones.

use std::rc::Rc;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A time zone.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Utc,
    /// A zone of the tz database.
    Named(TimeZone),
    /// An offset in seconds, with a name that may be empty.
    Fixed(Rc<str>, i64),
}

impl Zone {
    /// Go's `time.Local`: the zone that `TZ` names, UTC where it names none. Charts come out the same on all machines that
    /// do not ask for something else.
    pub(super) fn local() -> Self {
        static LOCAL: OnceLock<Option<TimeZone>> = OnceLock::new();
        let local = LOCAL.get_or_init(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the zone that templates see is the process's, as it is Helm's"
            )]
            let name = std::env::var("TZ").ok()?;
            let name = name.strip_prefix(':').unwrap_or(&name);
            TimeZoneDatabase::bundled().get(name).ok()
        });
        match local {
            Some(zone) if zone.iana_name() != Some("UTC") => Self::Named(zone.clone()),
            _ => Self::Utc,
        }
    }

    /// A zone by its name in the tz database.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"" | b"UTC" => Some(Self::Utc),
            b"Local" => Some(Self::local()),
            name => {
                let name = std::str::from_utf8(name).ok()?;
                let zone = TimeZoneDatabase::bundled().get(name).ok()?;
                // Go looks for files, whose names have one spelling.
                (zone.iana_name() == Some(name)).then_some(Self::Named(zone))
            }
        }
    }

    /// The seconds east of UTC and the abbreviation, at an instant.
    pub(super) fn at(&self, unix: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(name, offset) => (*offset, name.to_string()),
            Self::Named(zone) => {
                let limits = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
                let unix = unix.clamp(*limits.start(), *limits.end());
                let instant = Timestamp::from_second(unix).unwrap_or_default();
                let info = zone.to_offset_info(instant);
                (
                    i64::from(info.offset().seconds()),
                    info.abbreviation().to_owned(),
                )
            }
        }
    }

    /// Whether summer time is in effect at an instant.
    pub(super) fn is_summer_time(&self, unix: i64) -> bool {
        match self {
            Self::Named(zone) => {
                let instant = Timestamp::from_second(unix).unwrap_or_default();
                zone.to_offset_info(instant).dst().is_dst()
            }
            _ => false,
        }
    }

    /// The instant at which clocks of the zone show a time, given as seconds as if it were UTC.
    pub(super) fn instant_of(&self, shown: i64) -> i64 {
        let (offset, _) = self.at(shown);
        if offset == 0 {
            return shown;
        }
        // Right unless a change of the clocks lies between; then the offset at the instant found counts.
        let guess = shown - offset;
        let (offset, _) = self.at(guess);
        shown - offset
    }

    /// The offset that an abbreviation stands for in the zone, about an instant.
    pub(super) fn offset_named(&self, name: &str, unix: i64) -> Option<i64> {
        const HALF_YEAR: i64 = 182 * 86_400;
        if !matches!(self, Self::Named(_)) {
            return None;
        }
        let instants = [unix, unix + HALF_YEAR, unix - HALF_YEAR];
        let found = instants.into_iter().map(|instant| self.at(instant));
        found
            .into_iter()
            .find(|(_, own)| own == name)
            .map(|(offset, _)| offset)
    }

    /// What Go's `Location.String` gives out.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Fixed(name, _) => name.to_string(),
            Self::Named(zone) => zone.iana_name().unwrap_or_default().to_owned(),
        }
    }
}
