//! Forms with files: `multipart/form-data` (RFC 7578), whole in memory.

use bytes::Bytes;

/// The most parts of a form; more have no use.
const PART_LIMIT: usize = 16;

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The name of the field.
    pub(crate) name: String,
    /// What was filled in.
    pub(crate) content: Bytes,
}

/// The boundary between the parts, if a `Content-Type` is that of a form.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters
        .split(';')
        .find_map(|parameter| parameter_value(parameter, "boundary"))?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// Takes a form apart; nothing when the bytes are none.
pub(crate) fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    let opening = delimiter.as_bytes().get(2..)?;
    let mut at = if body.starts_with(opening) {
        opening.len()
    } else {
        find(body, delimiter.as_bytes())? + delimiter.len()
    };
    let mut parts = Vec::new();
    loop {
        let rest = body.get(at..)?;
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        // Behind the boundary, the line ends; what pads it is nobody's.
        let line = find(rest, b"\r\n")?;
        if rest[..line].iter().any(|byte| !b" \t".contains(byte)) || parts.len() == PART_LIMIT {
            return None;
        }
        let start = at + line;
        let head = find(&body[start..], b"\r\n\r\n")?;
        let content = start + head + 4;
        let length = find(&body[content..], delimiter.as_bytes())?;
        let name = field_name(std::str::from_utf8(&body[start..start + head]).ok()?)?;
        let content_end = content + length;
        parts.push(Part {
            name,
            content: body.slice(content..content_end),
        });
        at = content_end + delimiter.len();
    }
}

/// The name in `Content-Disposition: form-data; name="chart"; filename="web.tgz"`.
fn field_name(head: &str) -> Option<String> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let (kind, parameters) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let name = parameters
        .split(';')
        .find_map(|parameter| parameter_value(parameter, "name"))?;
    Some(name.to_owned())
}

fn parameter_value<'text>(parameter: &'text str, name: &str) -> Option<&'text str> {
    let (found, value) = parameter.split_once('=')?;
    found
        .trim()
        .eq_ignore_ascii_case(name)
        .then(|| value.trim().trim_matches('"'))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<Vec<Part>> {
        parts(&Bytes::from(text.to_owned()), "b")
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let parts = form(
            "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"chart\"; filename=\"a.tgz\"\r\nContent-Type: x\r\n\r\n\r\n-\r\n--\r\n--b  \r\ncontent-disposition: form-data; name=prov\r\n\r\n\r\n--b--\r\n",
        );
        let parts = parts.unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].name.as_str(), &parts[0].content[..]),
            ("chart", &b"\r\n-\r\n--"[..])
        );
        assert_eq!(
            (parts[1].name.as_str(), parts[1].content.len()),
            ("prov", 0)
        );
        assert_eq!(form("--b--").unwrap(), []);
    }

    #[test]
    fn what_is_cut_off_is_no_form() {
        for text in [
            "",
            "--b",
            "--b\r\n",
            "--bx\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nabc",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nabc\r\n--b",
            "--b\r\nContent-Type: a\r\n\r\nabc\r\n--b--",
        ] {
            assert_eq!(form(text), None, "{text}");
        }
    }

    #[test]
    fn only_forms_have_a_boundary() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(
            boundary("Multipart/Form-Data;charset=x; Boundary=\"a b\""),
            Some("a b")
        );
        assert_eq!(boundary("application/gzip"), None);
        assert_eq!(boundary("multipart/form-data; boundary="), None);
    }
}
