//! Dates in the formats of moment.js.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The elements, longer ones before those that they begin with, each with its form for `strftime`.
const ELEMENTS: [(&str, &str); 26] = [
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("DDDD", "%j"),
    ("DD", "%d"),
    ("D", "%-d"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("SSS", "000"),
    ("A", "%p"),
    ("a", "%P"),
    ("ZZ", "%z"),
    ("Z", "%:z"),
    ("X", "%s"),
    ("WW", "%V"),
];

/// A time, in seconds since 1970, in a format.
///
/// # Errors
/// What is wrong, as the rest of a sentence.
pub(super) fn format(seconds: i64, format: &str, zone: &str) -> Result<String, String> {
    let zone = TimeZone::get(zone).map_err(|_| format!("knows no time zone `{zone}`"))?;
    let time = Timestamp::from_second(seconds).map_err(|_| "has no such time".to_owned())?;
    let time = time.to_zoned(zone);
    let mut result = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix('[')
            && let Some(end) = inner.find(']')
        {
            result.push_str(&inner[..end]);
            rest = &inner[end + 1..];
        } else if let Some(behind) = rest.strip_prefix("Do") {
            let day = time.day();
            let ending = match (day % 10, day / 10) {
                (1, tens) if tens != 1 => "st",
                (2, tens) if tens != 1 => "nd",
                (3, tens) if tens != 1 => "rd",
                _ => "th",
            };
            result.push_str(&day.to_string());
            result.push_str(ending);
            rest = behind;
        } else if let Some((element, form)) = ELEMENTS
            .iter()
            .find(|(element, _)| rest.starts_with(element))
        {
            result.push_str(&time.strftime(form).to_string());
            rest = &rest[element.len()..];
        } else {
            result.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    #[test]
    fn formats_are_those_of_moment() {
        for (format, zone, expected) in [
            ("YYYYMMDD", "UTC", "20200110"),
            ("YYYYMMDD-HHmmss", "Asia/Tokyo", "20200110-093000"),
            (
                "dddd, MMMM Do YYYY, h:mm:ss a",
                "UTC",
                "Friday, January 10th 2020, 12:30:00 am",
            ),
            (
                "YYYY-MM-DDTHH:mm:ss.SSS[Z]",
                "UTC",
                "2020-01-10T00:30:00.000Z",
            ),
        ] {
            assert_eq!(
                super::format(1_578_616_200, format, zone).as_deref(),
                Ok(expected)
            );
        }
        assert!(super::format(0, "YYYY", "no/zone").is_err());
    }
}
