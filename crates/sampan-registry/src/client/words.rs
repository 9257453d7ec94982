//! What registries say themselves about why they refuse.

use serde::Deserialize;

/// The longest words that are repeated, in characters.
const LIMIT: usize = 500;

/// The forms in which registries, token authorities and what stands before them put it.
#[derive(Deserialize)]
struct Body {
    /// Distribution specification, "Error Codes".
    #[serde(default)]
    errors: Vec<Entry>,
    /// RFC 6749, section 5.2.
    error: Option<String>,
    error_description: Option<String>,
    /// Docker's own authority.
    details: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The words of a body, in one line; empty when it has none.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return String::new();
    };
    let mut all: Vec<_> = body.errors.iter().map(one).collect();
    if all.is_empty() {
        let text = body.error_description.or(body.details).or(body.message);
        all.push(one(&Entry {
            code: body.error.unwrap_or_default(),
            message: text.unwrap_or_default(),
        }));
    }
    let line = all.join("; ").replace(char::is_control, " ");
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn one(entry: &Entry) -> String {
    match (entry.code.as_str(), entry.message.as_str()) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{message} ({code})"),
    }
}

/// The words, unless they only repeat in general what the error says already.
pub(super) fn telling(message: String) -> String {
    let code = message.trim_end_matches(')').rsplit('(').next();
    let says_no_more = matches!(code, Some("MANIFEST_UNKNOWN" | "BLOB_UNKNOWN"))
        || (message.starts_with("authentication") && message.ends_with("required (UNAUTHORIZED)"));
    if says_no_more { String::new() } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_all_forms_and_stay_short() {
        let said = |text: &str| message(text.as_bytes());
        let registry = r#"{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}"#;
        assert_eq!(said(registry), "no (DENIED); X");
        let oauth = r#"{"error":"invalid_grant","error_description":"expired"}"#;
        assert_eq!(said(oauth), "expired (invalid_grant)");
        assert_eq!(said(r#"{"details":"wrong password"}"#), "wrong password");
        assert_eq!(said("<html>"), "");
        assert_eq!(said("[]"), "");
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(10_000));
        assert_eq!(said(&long).chars().count(), LIMIT + 1);
    }

    #[test]
    fn what_only_repeats_the_error_is_left_out() {
        assert_eq!(
            telling("manifest unknown (MANIFEST_UNKNOWN)".to_owned()),
            ""
        );
        let project = "project team not found (NAME_UNKNOWN)";
        assert_eq!(telling(project.to_owned()), project);
    }
}
