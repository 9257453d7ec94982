//! Secrets in what is kept of a job: they stand there by their names, and are put in again from those that are given to the
//! run that goes on.

use serde_json::Value;

use crate::run::stage_run::StageRun;
use crate::run::workflow::Given;

/// What stands for a secret that nobody gives any more.
const NO_SECRET: &str = "***";

/// The secrets that texts of a job may hold, by names for the file, the longest first: one may be a part of another. Those
/// that a called workflow was given are other ones than those of the run.
pub(super) fn secrets(run: &StageRun<'_>, given: &Given) -> Vec<(String, String)> {
    let of_job = given.secrets.context().into_iter();
    let of_job = of_job.map(|(name, value)| (format!("job {name}"), value));
    let of_run = run.shared.run.secrets.context().into_iter();
    let of_run = of_run.map(|(name, value)| (format!("run {name}"), value));
    let mut all: Vec<_> = of_job.chain(of_run).collect();
    all.retain(|(_, value)| !value.is_empty());
    all.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    all
}

/// A text with the names of secrets in their places, each between zeros. A zero of the text's own is doubled, so that a
/// step cannot write what stands for a secret.
pub(super) fn veiled(text: &str, secrets: &[(String, String)]) -> String {
    let mut veiled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = secrets.iter().find(|(_, value)| rest.starts_with(&**value));
        if let Some((name, value)) = found {
            veiled.extend(["\0", name, "\0"]);
            rest = &rest[value.len()..];
        } else {
            veiled.push(first);
            if first == '\0' {
                veiled.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    veiled
}

/// What was veiled, with the secrets as they are now.
pub(super) fn unveiled(text: &str, secrets: &[(String, String)]) -> String {
    let mut open = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\0') {
        open.push_str(before);
        let (name, after) = after.split_once('\0').unwrap_or((after, ""));
        if name.is_empty() {
            open.push('\0');
        } else {
            let known = secrets.iter().find(|(known, _)| known == name);
            open.push_str(known.map_or(NO_SECRET, |(_, value)| value));
        }
        rest = after;
    }
    open.push_str(rest);
    open
}

/// Changes all texts of a value. Names as well: a step may have called a variable or an output by a secret.
pub(super) fn each_text(json: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match json {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(entries) => {
            let changed = std::mem::take(entries)
                .into_iter()
                .map(|(mut name, mut value)| {
                    change(&mut name);
                    each_text(&mut value, change);
                    (name, value)
                });
            *entries = changed.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{each_text, unveiled, veiled};

    #[test]
    fn names_hold_no_secrets_either() {
        let all = [("run KEY".to_owned(), "secret".to_owned())];
        let written = json!({"outputs": {"secret": ["x", "a secret"]}});
        let mut kept = written.clone();
        each_text(&mut kept, &mut |text| *text = veiled(text, &all));
        assert!(!kept.to_string().contains("secret"), "{kept}");
        each_text(&mut kept, &mut |text| *text = unveiled(text, &all));
        assert_eq!(kept, written);
    }

    #[test]
    fn what_is_veiled_comes_back_and_nobody_else_can_ask_for_it() {
        let all = [
            ("run KEY1", "long secret"),
            ("job KEY", "secret"),
            ("run A", "1"),
        ];
        let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for text in [
            "",
            "long secret, secret 11",
            "\0run KEY1\0",
            "\0\0job KEY\0",
            "\0",
        ] {
            let hidden = veiled(text, &all);
            assert!(!hidden.contains("secret"), "{hidden:?}");
            assert_eq!(unveiled(&hidden, &all), text);
        }
        // Who does not give it again does not get it.
        assert_eq!(unveiled(&veiled("a secret", &all), &all[2..]), "a ***");
    }
}
