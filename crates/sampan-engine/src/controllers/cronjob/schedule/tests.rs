use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn next(schedule: &str, after: &str, zone_name: &str) -> Option<String> {
    let schedule = Schedule::parse(schedule).unwrap();
    let found = schedule.next(at(after), &zone(zone_name));
    found.map(|found| found.to_string())
}

#[test]
fn the_next_moment_fits_every_field() {
    for (schedule, after, expected) in [
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        (
            "* * * * *",
            "2026-01-01T00:00:59.9Z",
            "2026-01-01T00:01:00Z",
        ),
        (
            "*/15 * * * *",
            "2026-01-01T00:15:00Z",
            "2026-01-01T00:30:00Z",
        ),
        (
            "5/20 3 * * *",
            "2026-01-01T03:06:00Z",
            "2026-01-01T03:25:00Z",
        ),
        (
            "0 0 1 jan *",
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ),
        (
            "30 8-10 * * mon-FRI",
            "2026-01-02T10:31:00Z",
            "2026-01-05T08:30:00Z",
        ),
        // 2026-01-04 is a Sunday.
        ("0 0 * * 0", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        // Either day, when neither field is open.
        (
            "0 0 13 * fri",
            "2026-01-03T00:00:00Z",
            "2026-01-09T00:00:00Z",
        ),
        (
            "0 0 13 * fri",
            "2026-01-09T00:00:00Z",
            "2026-01-13T00:00:00Z",
        ),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("@hourly", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"),
        (
            "@every 1h30m",
            "2026-01-01T00:00:00.5Z",
            "2026-01-01T01:30:00Z",
        ),
    ] {
        let found = next(schedule, after, "UTC");
        assert_eq!(found.as_deref(), Some(expected), "{schedule} after {after}");
    }
    assert_eq!(next("0 0 30 2 *", "2026-01-01T00:00:00Z", "UTC"), None);
}

#[test]
fn a_time_zone_shifts_and_leaps() {
    let shanghai = next("0 3 * * *", "2026-01-01T00:00:00Z", "Asia/Shanghai");
    assert_eq!(shanghai.as_deref(), Some("2026-01-01T19:00:00Z"));
    // Clocks go from 2 to 3 on 2026-03-29: half past two comes on the next day only.
    let spring = next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin");
    assert_eq!(spring.as_deref(), Some("2026-03-30T00:30:00Z"));
    // And from 3 back to 2 on 2026-10-25: half past two comes twice.
    let autumn = next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin");
    assert_eq!(autumn.as_deref(), Some("2026-10-25T00:30:00Z"));
    let again = next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin");
    assert_eq!(again.as_deref(), Some("2026-10-25T01:30:00Z"));
}

#[test]
fn the_last_moment_is_found_however_long_ago() {
    let last = |schedule: &str, since: &str, now: &str| {
        let schedule = Schedule::parse(schedule).unwrap();
        let found = schedule.last(at(since), at(now), &TimeZone::UTC);
        found.map(|found| found.to_string())
    };
    for (schedule, since, now, expected) in [
        (
            "* * * * *",
            "2016-01-01T00:00:00Z",
            "2026-01-01T00:00:30Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "0 0 1 1 *",
            "2019-06-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "0 12 * * *",
            "2026-01-01T00:00:00Z",
            "2026-01-03T12:00:00Z",
            "2026-01-03T12:00:00Z",
        ),
        (
            "@every 10m",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:35:00Z",
            "2026-01-01T00:30:00Z",
        ),
    ] {
        assert_eq!(
            last(schedule, since, now).as_deref(),
            Some(expected),
            "{schedule}"
        );
    }
    assert_eq!(
        last("0 12 * * *", "2026-01-01T12:00:00Z", "2026-01-02T11:59:00Z"),
        None
    );
    assert_eq!(
        last("@every 10m", "2026-01-01T00:00:00Z", "2026-01-01T00:09:00Z"),
        None
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    for (schedule, expected) in [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        (
            "* 9-8 * * *",
            "beginning of range (9) beyond end of range (8): 9-8",
        ),
        (
            "*/0 * * * *",
            "step of range should be a positive number: */0",
        ),
        ("1-2-3 * * * *", "too many hyphens in 1-2-3"),
        ("1/2/3 * * * *", "too many slashes in 1/2/3"),
        ("x * * * *", "failed to parse int from x"),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every long", "failed to parse duration @every long"),
    ] {
        let error = Schedule::parse(schedule).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
