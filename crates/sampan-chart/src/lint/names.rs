//! Names of resources, as Kubernetes wants them.

use crate::value::quote::quote;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// Refuses a name that Kubernetes would refuse for this kind.
pub(super) fn check(kind: &str, name: &str) -> Result<(), String> {
    let problems = match kind.to_lowercase().as_str() {
        "service" => label(name, true),
        "namespace" => label(name, false),
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => segment(name),
        _ => subdomain(name),
    };
    let shown = quote(name.as_bytes());
    let faults: Vec<String> = problems
        .iter()
        .map(|problem| format!("metadata.name: Invalid value: {shown}: {problem}"))
        .collect();
    let faults = match &faults[..] {
        [] => return Ok(()),
        [fault] => fault.clone(),
        faults => format!("[{}]", faults.join(", ")),
    };
    Err(format!(
        "object name does not conform to Kubernetes naming requirements: {shown}: {faults}"
    ))
}

fn is_label(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(good))
        && text.bytes().all(|byte| good(byte) || byte == b'-')
}

fn subdomain(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 253 {
        problems.push("must be no more than 253 characters".to_owned());
    }
    if !name.split('.').all(is_label) {
        problems.push(SUBDOMAIN.to_owned());
    }
    problems
}

fn label(name: &str, starts_with_letter: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 63 {
        problems.push("must be no more than 63 characters".to_owned());
    }
    let letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !is_label(name) || starts_with_letter && !letter {
        problems.push(if starts_with_letter { OLD_LABEL } else { LABEL }.to_owned());
    }
    problems
}

fn segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    let illegal = ['/', '%'].into_iter().filter(|one| name.contains(*one));
    illegal
        .map(|one| format!("may not contain '{one}'"))
        .collect()
}
