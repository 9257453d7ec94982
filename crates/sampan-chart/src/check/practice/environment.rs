//! Variables of containers.

use std::collections::HashMap;

use sampan_model::yaml::Node;

use super::warning;
use crate::check::object::Object;
use crate::check::pod::Container;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "env-duplicate",
            Judge::Containers(duplicate),
            [
                "a variable is given once",
                "Of two variables with one name, the last one counts, and who reads the first is misled; some ways of applying changes lose one of the two.",
                "keep the one that is meant",
            ],
        ),
        warning(
            "env-secret",
            Judge::Containers(secret),
            [
                "passwords and keys stand in Secrets, not in manifests",
                "Whoever may read the manifest, the pod or the repository of sources reads the password too, and it cannot be changed without a change to the manifest.",
                "put the value into a Secret and refer to it with `valueFrom.secretKeyRef`",
            ],
        ),
        warning(
            "config-map-secret",
            Judge::Kinds(&["ConfigMap"], config_map),
            [
                "passwords and keys stand in Secrets, not in ConfigMaps",
                "Far more accounts may read ConfigMaps than Secrets, and nothing encrypts them at rest.",
                "move the value into a Secret",
            ],
        ),
        warning(
            "env-from-secret",
            Judge::Containers(from_secret),
            [
                "a container reads its secrets from files",
                "Variables reach each child process and many error reports, and do not change while the process runs; a file that is mounted does.",
                "mount the Secret as a volume, and let the program read the file",
            ],
        )
        .when_asked_for(),
    ]
}

fn duplicate(container: &Container<'_>, sink: &mut Sink<'_>) {
    let mut first: HashMap<&str, &Node> = HashMap::new();
    for variable in container.env() {
        let Some(name) = variable.get("name").and_then(Node::scalar) else {
            continue;
        };
        if let Some(before) = first.insert(name, variable) {
            let line = before.location.line;
            sink.report(
                variable,
                format!(
                    "the variable {name} of `{}` is given twice, first in line {line}",
                    container.name()
                ),
            );
        }
    }
}

/// Words that names of variables with secrets in them hold.
const SECRET_WORDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "PRIVATEKEY",
    "CREDENTIALS",
    "ACCESSKEY",
    "BEARER",
    "ACCOUNTKEY",
    "BATCHKEY",
    "ENCRYPTIONKEY",
    "KEYCONTENT",
    "MASTERKEY",
    "SIGNINGKEY",
    "STORAGEKEY",
];
/// What follows such a word where the value only says where the secret is, or how it is treated.
const HARMLESS_ENDS: &[&str] = &[
    "FILE",
    "PATH",
    "DIR",
    "NAME",
    "URL",
    "URI",
    "HOST",
    "ENABLED",
    "TTL",
    "LENGTH",
    "EXPIRY",
    "ALGORITHM",
    "KEY_ID",
    "MOUNT",
    "TYPE",
    "REF",
    "ISSUER",
    "ENDPOINT",
    "EXPIRATION",
    "TIMEOUT",
    "REQUIRED",
];

fn secret(container: &Container<'_>, sink: &mut Sink<'_>) {
    for variable in container.env() {
        let name = variable
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        let Some(value) = variable.at(&["value"]) else {
            continue;
        };
        let text = value.scalar().unwrap_or_default();
        let is_given = !text.is_empty() && !text.starts_with("$(") && !is_switch(value);
        if is_private_key(text) || sounds_secret(name) && is_given {
            sink.report(
                value,
                format!(
                    "the variable {name} of `{}` holds its secret in the manifest",
                    container.name()
                ),
            );
        }
    }
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let joined = name.replace(['_', '-', '.'], "");
    let harmless = HARMLESS_ENDS.iter().any(|end| name.ends_with(end));
    !harmless && SECRET_WORDS.iter().any(|word| joined.contains(word))
}

/// `true`, `0` or `/run/secrets/x` are no secrets.
fn is_switch(value: &Node) -> bool {
    let text = value.scalar().unwrap_or_default();
    matches!(text, "true" | "false" | "yes" | "no")
        || text.parse::<u32>().is_ok_and(|number| number < 100_000)
        || text.starts_with('/')
}

/// The text that private keys begin with, whichever kind they are of (RFC 7468).
fn is_private_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|begun| {
        let label = begun.split("-----").next().unwrap_or_default();
        label.ends_with("PRIVATE KEY")
    })
}

fn config_map(object: &Object, sink: &mut Sink<'_>) {
    let Some(data) = object.at(&["data"]) else {
        return sink.nothing_to_judge();
    };
    for (key, value) in data.entries() {
        let text = value.scalar().unwrap_or_default();
        if is_private_key(text) {
            sink.report(value, format!("`{}` holds a private key", key.name));
        } else if !key.name.contains('.')
            && sounds_secret(&key.name)
            && !text.is_empty()
            && !text.contains("${")
            && !is_switch(value)
        {
            // The content of a file, whose name has a dot, is not known by its name.
            sink.report(value, format!("`{}` sounds like a secret", key.name));
        }
    }
}

fn from_secret(container: &Container<'_>, sink: &mut Sink<'_>) {
    let name = container.name();
    for variable in container.env() {
        if let Some(source) = variable.at(&["valueFrom", "secretKeyRef"]) {
            let variable = variable.get("name").and_then(Node::scalar);
            let variable = variable.unwrap_or_default();
            sink.report(
                source,
                format!("`{name}` gets a secret in the variable {variable}"),
            );
        }
    }
    let all = container.get("envFrom").map_or(&[][..], Node::items);
    for source in all.iter().filter_map(|from| from.at(&["secretRef"])) {
        sink.report(source, format!("`{name}` gets secrets in variables"));
    }
}
