//! Directives, anchors and tags.

use super::{Fault, Kind, Scanner};
use crate::yaml::reader::width;

impl<'a> Scanner<'a> {
    pub(super) fn directive(&mut self) -> Result<(), Fault> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        self.reader.skip();
        let kind = match self.directive_name()? {
            b"YAML" => self.version()?,
            b"TAG" => self.tag_directive()?,
            _ => return Err(self.fault("found unknown directive name")),
        };
        self.end_of_line()?;
        self.push(kind, start);
        Ok(())
    }

    fn directive_name(&mut self) -> Result<&'a [u8], Fault> {
        let name = self.word()?;
        if name.is_empty() {
            return Err(self.fault("could not find expected directive name"));
        }
        if !self.reader.is_blank_or_end(0) {
            return Err(self.fault("found unexpected non-alphabetical character"));
        }
        Ok(name)
    }

    /// Letters, digits, `-` and `_`.
    fn word(&mut self) -> Result<&'a [u8], Fault> {
        self.reader.ensure(1)?;
        let start = self.reader.position();
        while self.reader.is_word() {
            self.reader.skip();
            self.reader.ensure(1)?;
        }
        Ok(self.reader.since(start))
    }

    fn version(&mut self) -> Result<Kind<'a>, Fault> {
        self.reader.skip_blanks()?;
        let major = self.version_number()?;
        if self.reader.byte(0) != b'.' {
            return Err(self.fault("did not find expected digit or '.' character"));
        }
        self.reader.skip();
        let minor = self.version_number()?;
        Ok(Kind::Version { major, minor })
    }

    fn version_number(&mut self) -> Result<u8, Fault> {
        self.reader.ensure(1)?;
        let mut number = 0;
        let mut length = 0;
        while self.reader.byte(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.fault("found extremely long version number"));
            }
            number = number * 10 + (self.reader.byte(0) - b'0');
            self.reader.skip();
            self.reader.ensure(1)?;
        }
        if length == 0 {
            return Err(self.fault("did not find expected version number"));
        }
        Ok(number)
    }

    fn tag_directive(&mut self) -> Result<Kind<'a>, Fault> {
        self.reader.skip_blanks()?;
        let handle = self.tag_handle(true)?;
        self.reader.ensure(1)?;
        if !self.reader.is_blank(0) {
            return Err(self.fault("did not find expected whitespace"));
        }
        self.reader.skip_blanks()?;
        let prefix = self.tag_uri(&[])?;
        self.reader.ensure(1)?;
        if !self.reader.is_blank_or_end(0) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        Ok(Kind::TagDirective { handle, prefix })
    }

    pub(super) fn anchor(&mut self, kind: fn(&'a [u8]) -> Kind<'a>) -> Result<(), Fault> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        self.reader.skip();
        let name = self.word()?;
        let next = self.reader.byte(0);
        let ends = self.reader.is_blank_or_end(0) || b"?:,]}%@`".contains(&next);
        if name.is_empty() || !ends {
            return Err(self.fault("did not find expected alphabetic or numeric character"));
        }
        self.push(kind(name), start);
        Ok(())
    }

    pub(super) fn tag(&mut self) -> Result<(), Fault> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        self.reader.ensure(2)?;
        let (handle, suffix) = if self.reader.byte(1) == b'<' {
            (Vec::new(), self.verbatim_tag()?)
        } else {
            self.short_tag()?
        };
        self.reader.ensure(1)?;
        if !self.reader.is_blank_or_end(0) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        self.push(Kind::Tag { handle, suffix }, start);
        Ok(())
    }

    /// `!<uri>`
    fn verbatim_tag(&mut self) -> Result<Vec<u8>, Fault> {
        self.reader.skip();
        self.reader.skip();
        let uri = self.tag_uri(&[])?;
        if self.reader.byte(0) != b'>' {
            return Err(self.fault("did not find the expected '>'"));
        }
        self.reader.skip();
        Ok(uri)
    }

    /// `!handle!suffix`, `!suffix` or `!` alone.
    fn short_tag(&mut self) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let handle = self.tag_handle(false)?;
        if handle.len() > 1 && handle.ends_with(b"!") {
            let suffix = self.tag_uri(&[])?;
            return Ok((handle, suffix));
        }
        let suffix = self.tag_uri(&handle)?;
        let primary = b"!".to_vec();
        if suffix.is_empty() {
            return Ok((suffix, primary));
        }
        Ok((primary, suffix))
    }

    fn tag_handle(&mut self, directive: bool) -> Result<Vec<u8>, Fault> {
        self.reader.ensure(1)?;
        if self.reader.byte(0) != b'!' {
            return Err(self.fault("did not find expected '!'"));
        }
        let mut handle = b"!".to_vec();
        self.reader.skip();
        handle.extend_from_slice(self.word()?);
        if self.reader.byte(0) == b'!' {
            handle.push(b'!');
            self.reader.skip();
        } else if directive && handle != b"!" {
            return Err(self.fault("did not find expected '!'"));
        }
        Ok(handle)
    }

    /// The rest of a tag, behind what was taken for a handle at first.
    fn tag_uri(&mut self, head: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut uri = head.get(1..).unwrap_or_default().to_vec();
        let mut is_empty = head.is_empty();
        self.reader.ensure(1)?;
        while self.reader.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.reader.byte(0)) {
            if self.reader.byte(0) == b'%' {
                self.uri_escape(&mut uri)?;
            } else {
                uri.push(self.reader.byte(0));
                self.reader.skip();
            }
            self.reader.ensure(1)?;
            is_empty = false;
        }
        if is_empty {
            return Err(self.fault("did not find expected tag URI"));
        }
        Ok(uri)
    }

    /// The octets of one character, each as `%XX`.
    fn uri_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Fault> {
        let first = self.uri_octet()?;
        let Some(length) = width(first) else {
            return Err(self.fault("found an incorrect leading UTF-8 octet"));
        };
        self.skip_octet(first, uri);
        for _ in 1..length {
            let octet = self.uri_octet()?;
            if octet & 0xc0 != 0x80 {
                return Err(self.fault("found an incorrect trailing UTF-8 octet"));
            }
            self.skip_octet(octet, uri);
        }
        Ok(())
    }

    fn uri_octet(&mut self) -> Result<u8, Fault> {
        self.reader.ensure(3)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let digits = (digit(self.reader.byte(1)), digit(self.reader.byte(2)));
        match digits {
            (Some(high), Some(low)) if self.reader.byte(0) == b'%' => {
                Ok(u8::try_from(high << 4 | low).unwrap_or_default())
            }
            _ => Err(self.fault("did not find URI escaped octet")),
        }
    }

    fn skip_octet(&mut self, octet: u8, uri: &mut Vec<u8>) {
        uri.push(octet);
        for _ in 0..3 {
            self.reader.skip();
        }
    }
}
