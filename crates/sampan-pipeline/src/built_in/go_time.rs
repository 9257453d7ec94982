//! Times and durations as Go writes them, which templates ask for.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sampan_model::go_time;

/// A time, in seconds since 1970, by a layout of Go. Without a zone, or with one that nobody knows, it is UTC, which is
/// what containers of plugins have.
pub(crate) fn layout(seconds: i64, layout: &str, zone: &str) -> String {
    let zone = match zone {
        "" | "UTC" | "Local" => TimeZone::UTC,
        zone => TimeZone::get(zone).unwrap_or(TimeZone::UTC),
    };
    let Ok(time) = Timestamp::from_second(seconds) else {
        return String::new();
    };
    let text = go_time::format(layout.as_bytes(), &(&time.to_zoned(zone)).into());
    String::from_utf8_lossy(&text).into_owned()
}

/// A duration of so many seconds: `1h2m3s`.
pub(crate) fn duration(seconds: i64) -> String {
    go_time::duration(seconds.saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::{duration, layout};

    #[test]
    fn durations_are_written_as_in_go() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (3_600, "1h0m0s"),
            (31_536_000, "8760h0m0s"),
            (-2_678_400, "-744h0m0s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn layouts_are_those_of_go() {
        for (form, zone, expected) in [
            ("2006-01-02T15:04:05Z07:00", "", "2017-11-15T23:05:09Z"),
            (
                "2006-01-02T15:04:05Z07:00",
                "Asia/Shanghai",
                "2017-11-16T07:05:09+08:00",
            ),
            (
                "Mon Jan 2 15:04:05 MST 2006",
                "Local",
                "Wed Nov 15 23:05:09 UTC 2017",
            ),
            ("Mon Jan _2 3:04PM 06", "UTC", "Wed Nov 15 11:05PM 17"),
            (
                "January Monday Month Janus",
                "UTC",
                "November Wednesday Month Janus",
            ),
            ("15h4m5.000s", "no/zone", "23h5m9.000s"),
            ("5.999 -0700 __2", "UTC", "9 +0000 319"),
            ("2006年01月02日", "Asia/Shanghai", "2017年11月16日"),
        ] {
            assert_eq!(layout(1_510_787_109, form, zone), expected, "{form}");
        }
    }
}
