//! The dates and times that YAML takes for timestamps, as Go's `time.Parse` accepts them.

/// Whether the text is a date, or a date with a time, of one of the four forms that go-yaml knows.
pub(super) fn is_timestamp(text: &[u8]) -> bool {
    if text.len() < 5 || !text[..4].iter().all(u8::is_ascii_digit) || text[4] != b'-' {
        return false;
    }
    let mut rest = Rest(text);
    let Some((year, month, day)) = rest.date() else {
        return false;
    };
    if day > days(year, month) {
        return false;
    }
    match rest.0 {
        [] => true,
        [b'T' | b't', ..] => rest.pass() && rest.time() && rest.zone() && rest.0.is_empty(),
        [b' ', ..] => {
            // Go takes any number of spaces where its layout has one.
            while rest.0.first() == Some(&b' ') {
                rest.pass();
            }
            rest.time() && rest.0.is_empty()
        }
        _ => false,
    }
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn date(&mut self) -> Option<(u32, u32, u32)> {
        let year = self.0[..4]
            .iter()
            .fold(0, |year, byte| year * 10 + u32::from(byte - b'0'));
        self.0 = &self.0[5..];
        let month = self.number()?;
        if !self.passes(b'-') || !(1..=12).contains(&month) {
            return None;
        }
        let day = self.number()?;
        (day >= 1).then_some((year, month, day))
    }

    /// One or two digits.
    fn number(&mut self) -> Option<u32> {
        let digit = |byte: Option<&u8>| {
            let byte = byte.filter(|byte| byte.is_ascii_digit())?;
            Some(u32::from(byte - b'0'))
        };
        let first = digit(self.0.first())?;
        if let Some(second) = digit(self.0.get(1)) {
            self.0 = &self.0[2..];
            return Some(first * 10 + second);
        }
        self.pass();
        Some(first)
    }

    fn time(&mut self) -> bool {
        let hour = self.number().is_some_and(|hour| hour < 24);
        let minute = hour && self.passes(b':') && self.number().is_some_and(|minute| minute < 60);
        let second = minute && self.passes(b':') && self.number().is_some_and(|second| second < 60);
        if second && matches!(self.0, [b'.' | b',', b'0'..=b'9', ..]) {
            self.pass();
            while self.0.first().is_some_and(u8::is_ascii_digit) {
                self.pass();
            }
        }
        second
    }

    /// `Z` or `+hh:mm`.
    fn zone(&mut self) -> bool {
        if self.passes(b'Z') {
            return true;
        }
        let [b'+' | b'-', h1, h2, b':', m1, m2, rest @ ..] = self.0 else {
            return false;
        };
        let digits = [h1, h2, m1, m2];
        if !digits.iter().all(|digit| digit.is_ascii_digit()) {
            return false;
        }
        self.0 = rest;
        let hour = (h1 - b'0') * 10 + (h2 - b'0');
        let minute = (m1 - b'0') * 10 + (m2 - b'0');
        hour <= 24 && minute <= 60
    }

    fn passes(&mut self, byte: u8) -> bool {
        self.0.first() == Some(&byte) && self.pass()
    }

    fn pass(&mut self) -> bool {
        self.0 = self.0.get(1..).unwrap_or_default();
        true
    }
}

fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
