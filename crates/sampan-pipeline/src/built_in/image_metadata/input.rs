//! The inputs `images` and `flavor`.

use crate::built_in::BuiltInError;
use crate::built_in::parameters::Parameters;

/// What `flavor` says about all tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flavor {
    /// Whether there is a tag `latest`; `None` lets the rules decide.
    pub(super) latest: Option<bool>,
    pub(super) prefix: String,
    pub(super) prefix_on_latest: bool,
    pub(super) suffix: String,
    pub(super) suffix_on_latest: bool,
}

/// The fields of a line with commas between them; quotes keep commas.
pub(super) fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
        .into_iter()
        .map(|field| field.trim().to_owned())
        .filter(|field| !field.is_empty())
        .collect()
}

pub(super) fn images(parameters: &Parameters) -> Result<Vec<String>, BuiltInError> {
    let lines = parameters.input_lines("images");
    // In the old form several images stand on one line.
    if let [line] = lines.as_slice()
        && fields(line).iter().all(|field| !field.contains('='))
    {
        return Ok(fields(line)
            .iter()
            .map(|name| name.to_lowercase())
            .collect());
    }
    let mut images = Vec::new();
    for line in &lines {
        let (mut name, mut is_enabled) = (String::new(), true);
        for field in fields(line) {
            match field.split_once('=') {
                None => name = field,
                Some(("name", value)) => value.clone_into(&mut name),
                Some(("enable", "true")) => {}
                Some(("enable", "false")) => is_enabled = false,
                Some(_) => {
                    return Err(parameters.invalid("images", "lines of `name=…` and `enable=…`"));
                }
            }
        }
        if name.is_empty() {
            return Err(parameters.invalid("images", "lines that name an image"));
        }
        if is_enabled {
            images.push(name.to_lowercase());
        }
    }
    Ok(images)
}

pub(super) fn flavor(parameters: &Parameters) -> Result<Flavor, BuiltInError> {
    let invalid = || {
        parameters.invalid(
            "flavor",
            "lines of `latest=…`, `prefix=…`, `suffix=…` and `onlatest=…`",
        )
    };
    let mut flavor = Flavor::default();
    for line in parameters.input_lines("flavor") {
        let mut last = "";
        for field in fields(&line) {
            let (name, value) = field.split_once('=').ok_or_else(invalid)?;
            match (name.trim(), value.trim()) {
                ("latest", "auto") => flavor.latest = None,
                ("latest", "true") => flavor.latest = Some(true),
                ("latest", "false") => flavor.latest = Some(false),
                ("prefix", value) => {
                    value.clone_into(&mut flavor.prefix);
                    last = "prefix";
                }
                ("suffix", value) => {
                    value.clone_into(&mut flavor.suffix);
                    last = "suffix";
                }
                ("onlatest", value @ ("true" | "false")) if last == "prefix" => {
                    flavor.prefix_on_latest = value == "true";
                }
                ("onlatest", value @ ("true" | "false")) if last == "suffix" => {
                    flavor.suffix_on_latest = value == "true";
                }
                _ => return Err(invalid()),
            }
        }
    }
    Ok(flavor)
}
