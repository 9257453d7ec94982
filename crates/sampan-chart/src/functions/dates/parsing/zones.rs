//! Zones in dates: offsets, and the abbreviations that people write.

use super::{Fields, Problem, number};
use crate::functions::dates::moment::Moment;
use crate::functions::dates::zone::Zone;
use sampan_model::go_time::Offset;

impl Fields {
    pub(super) fn read_offset<'a>(
        &mut self,
        form: Offset,
        text: &'a [u8],
    ) -> Result<&'a [u8], Problem> {
        if let (true, [b'Z', rest @ ..]) = (form.has_zulu, text) {
            self.is_utc = true;
            return Ok(rest);
        }
        let part = 2 + usize::from(form.has_colons);
        let length = 3 + part * (usize::from(form.has_minutes) + usize::from(form.has_seconds));
        let (offset, rest) = text.split_at_checked(length).ok_or(Problem::Form)?;
        // A number out of range is told of even where what follows it is none.
        let mut values = [Ok(0), Ok(0), Ok(0)];
        let mut place = 1;
        for (index, value) in values.iter_mut().enumerate() {
            if place >= length {
                break;
            }
            if index > 0 && form.has_colons {
                if offset[place] != b':' {
                    return Err(Problem::Form);
                }
                place += 1;
            }
            *value = number(&offset[place..place + 2], true).map(|(value, _)| value);
            place += 2;
        }
        // People do write offsets of 24 hours or 60 minutes.
        let limits = [
            (24, "time zone offset hour"),
            (60, "time zone offset minute"),
            (60, "time zone offset second"),
        ];
        let known = values.iter().map_while(|value| value.as_ref().ok());
        let beyond = known
            .zip(limits)
            .filter(|(value, (limit, _))| **value > *limit);
        if let Some((_, (_, what))) = beyond.last() {
            return Err(Problem::Range(what));
        }
        let [hours, minutes, seconds] = values;
        let (hours, minutes, seconds) = (hours?, minutes?, seconds?);
        let total = (hours * 60 + minutes) * 60 + seconds;
        self.offset = match offset[0] {
            b'+' => Some(total),
            b'-' => Some(-total),
            _ => return Err(Problem::Form),
        };
        Ok(rest)
    }

    pub(super) fn read_zone_name<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        if let Some(rest) = text.strip_prefix(b"UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let (name, rest) = text.split_at(name_length(text).ok_or(Problem::Form)?);
        self.zone_name = String::from_utf8_lossy(name).into_owned();
        Ok(rest)
    }
}

/// How long the abbreviation is that a text begins with: capitals, as a rule three, or four or five with a T at the end.
fn name_length(text: &[u8]) -> Option<usize> {
    let four = text.get(..4);
    if text.len() < 3 {
        return None;
    }
    if matches!(four, Some(b"ChST" | b"MeST")) {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_length(rest).unwrap_or(0));
    }
    if matches!(text[0], b'+' | b'-') {
        return signed_length(text);
    }
    let capitals = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match capitals {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || four == Some(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// How long a signed number of hours is.
fn signed_length(text: &[u8]) -> Option<usize> {
    let [b'+' | b'-', rest @ ..] = text else {
        return None;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours: u64 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    (hours <= 23).then_some(digits + 1)
}

/// The time that was read. Where the local zone fits what was said of the zone, it is meant.
pub(super) fn moment(fields: &Fields, date: (i64, i64, i64)) -> Moment {
    let local = Zone::local();
    if fields.is_utc {
        return fields.moment(date, Zone::Utc);
    }
    let as_utc = fields.moment(date, Zone::Utc);
    if let Some(offset) = fields.offset {
        let zone = Zone::Fixed(fields.zone_name.as_str().into(), offset);
        let fixed = fields.moment(date, zone);
        let (local_offset, name) = local.at(fixed.unix());
        let is_local =
            local_offset == offset && (fields.zone_name.is_empty() || name == fields.zone_name);
        return if is_local {
            fixed.in_zone(local)
        } else {
            fixed
        };
    }
    let name = fields.zone_name.as_str();
    if name.is_empty() {
        return fields.moment(date, local);
    }
    if let Some(offset) = local.offset_named(name, as_utc.unix()) {
        return fields
            .moment(date, Zone::Fixed(name.into(), offset))
            .in_zone(local);
    }
    // An abbreviation alone says nothing of the offset, but for `GMT+3`.
    let hours = name
        .strip_prefix("GMT")
        .and_then(|hours| hours.parse::<i64>().ok());
    let offset = hours.unwrap_or(0) * 3_600;
    let zone = Zone::Fixed(name.into(), offset);
    if hours.is_some() {
        return as_utc.in_zone(zone);
    }
    fields.moment(date, zone)
}
