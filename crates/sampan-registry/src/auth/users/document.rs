//! The text of a user file.
//!
//! ```yaml
//! users:
//!   alice:
//!     password: $2b$12$…          # a bcrypt hash, as htpasswd -B makes it, too
//!     rights:
//!       guestbook/*: [pull, push]
//!       "*": [pull]
//!     catalog: true               # may list the repositories
//! ```
//!
//! Without users it may hold `open: true`: then it is as if there were no file.

use std::sync::Arc;

use bcrypt::HashParts;
use sampan_model::yaml::{self, Content, Key, Location, Node};
use sampan_model::{Hint as _, nearest};

use super::{COSTS, User, Users, UsersError};
use crate::auth::access::{Access, Actions, Right};
use crate::auth::pattern::Pattern;
use crate::secret::Secret;

pub(super) const NAME_ADVICE: &str =
    "a name has up to 128 letters, digits, `.`, `_`, `-` or `@`, and begins with a letter or digit";
const BEGINNING: &str = "# Users of the registry. Changes take effect at once; `sampan registry user` rewrites this file \
without comments.\n";

/// Whether a text can be the name of a user. It has no colon, which would end it in a header.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric();
    name.len() <= 128
        && name.bytes().next().is_some_and(letter)
        && name
            .bytes()
            .all(|byte| letter(byte) || b"._-@".contains(&byte))
}

/// How much work a hash is; nothing when the text is no hash.
pub(super) fn cost(hash: &Secret) -> Option<u32> {
    let parts: HashParts = hash.reveal().parse().ok()?;
    Some(parts.get_cost())
}

/// Reads a text; `file` is its name in messages.
pub(super) fn parse(file: &str, text: &str) -> Result<Users, UsersError> {
    let documents = yaml::documents(file, text)?;
    if let Some(second) = documents.get(1) {
        return Err(problem(
            &second.location,
            "a second document begins".to_owned(),
            "write all users into one",
        ));
    }
    let mut users = Users::default();
    let Some(root) = documents.first() else {
        return Ok(users);
    };
    for (key, list) in mapping(root, "the file", &["users", "open"])? {
        if key.name == "open" {
            match &list.content {
                Content::Bool(open) => users.open = open.value,
                _ => return Err(mistyped(list, "open", "a boolean")),
            }
            continue;
        }
        if is_empty(list) {
            continue;
        }
        for (name, node) in entries(list, &key.name)? {
            if !is_name(&name.name) {
                let text = format!("`{}` cannot be the name of a user", name.name);
                return Err(problem(&name.location, text, NAME_ADVICE));
            }
            users.known.insert(name.name.clone(), user(name, node)?);
        }
    }
    if users.open && !users.known.is_empty() {
        let text = "`open` is for a registry without users".to_owned();
        return Err(problem(&root.location, text, "remove `open` or the users"));
    }
    Ok(users)
}

/// Writes what [`parse`] reads.
pub(super) fn render(users: &Users) -> String {
    if users.open {
        return format!("{BEGINNING}open: true\n");
    }
    if users.known.is_empty() {
        return format!("{BEGINNING}users: {{}}\n");
    }
    // Everything between quotes is of a grammar without quotes and backslashes.
    let right = |right: &Right| {
        let actions: Vec<&str> = right.actions.names().collect();
        format!(
            "      \"{}\": [{}]\n",
            right.repositories,
            actions.join(", ")
        )
    };
    let user = |(name, user): (&str, &User)| {
        let (hash, access) = (user.hash.reveal(), user.access());
        let rights: String = access.rights.iter().map(right).collect();
        let beginning = if rights.is_empty() {
            ""
        } else {
            "    rights:\n"
        };
        let catalog = if access.catalog {
            "    catalog: true\n"
        } else {
            ""
        };
        format!("  \"{name}\":\n    password: \"{hash}\"\n{beginning}{rights}{catalog}")
    };
    let users: String = users.iter().map(user).collect();
    format!("{BEGINNING}users:\n{users}")
}

fn user(name: &Key, node: &Node) -> Result<User, UsersError> {
    let place = format!("the user `{}`", name.name);
    let (mut hash, mut access) = (None, Access::default());
    for (key, value) in mapping(node, &place, &["password", "rights", "catalog"])? {
        match key.name.as_str() {
            "password" => hash = Some(password(value)?),
            "rights" if is_empty(value) => {}
            "rights" => access.rights = rights(value)?,
            _ => match &value.content {
                Content::Bool(catalog) => access.catalog = catalog.value,
                _ => return Err(mistyped(value, "catalog", "a boolean")),
            },
        }
    }
    let Some(hash) = hash else {
        let text = format!("{place} has no password");
        let advice = "add `password:` with a bcrypt hash, or use `sampan registry user add`";
        return Err(problem(&name.location, text, advice));
    };
    Ok(User {
        hash,
        access: Arc::new(access),
    })
}

fn password(node: &Node) -> Result<Secret, UsersError> {
    let text = node
        .as_str()
        .ok_or_else(|| mistyped(node, "password", "text"))?;
    let hash = Secret::new(text);
    // The text is not shown: it may be a password.
    match cost(&hash) {
        Some(cost) if COSTS.contains(&cost) => Ok(hash),
        Some(cost) => Err(problem(
            &node.location,
            format!("a bcrypt hash of cost {cost} is not accepted"),
            &format!("use a cost from {} to {}", COSTS.start(), COSTS.end()),
        )),
        None => Err(problem(
            &node.location,
            "the password is not a bcrypt hash".to_owned(),
            "make one with `sampan registry user add`, or with `htpasswd -nB NAME`",
        )),
    }
}

fn rights(node: &Node) -> Result<Vec<Right>, UsersError> {
    let mut rights = Vec::new();
    for (key, value) in entries(node, "rights")? {
        let repositories = key.name.parse::<Pattern>().map_err(|error| {
            let advice = error.hint().unwrap_or_default();
            problem(&key.location, error.to_string(), &advice)
        })?;
        let Content::Sequence(items) = &value.content else {
            return Err(mistyped(value, &key.name, "a list"));
        };
        let mut actions = Actions::NONE;
        for item in items {
            let named = item.as_str().and_then(Actions::named);
            actions = actions.and(named.ok_or_else(|| {
                problem(
                    &item.location,
                    "this is no action".to_owned(),
                    "known actions are `pull`, `push`, `delete`, and `\"*\"` for all of them",
                )
            })?);
        }
        rights.push(Right {
            repositories,
            actions,
        });
    }
    Ok(rights)
}

fn is_empty(node: &Node) -> bool {
    node.content == Content::Null
}

/// The entries of a mapping with any keys.
fn entries<'a>(node: &'a Node, place: &str) -> Result<&'a [(Key, Node)], UsersError> {
    match &node.content {
        Content::Mapping(entries) => Ok(entries),
        _ => Err(mistyped(node, place, "a mapping")),
    }
}

/// The entries of a mapping whose keys are all known.
fn mapping<'a>(
    node: &'a Node,
    place: &str,
    known: &[&str],
) -> Result<&'a [(Key, Node)], UsersError> {
    let entries = entries(node, place)?;
    let stranger = entries
        .iter()
        .find(|(key, _)| !known.contains(&key.name.as_str()));
    let Some((key, _)) = stranger else {
        return Ok(entries);
    };
    let near = nearest(&key.name, known.iter().copied());
    let advice = near.map_or_else(
        || format!("known keys are {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    let text = format!("unknown key `{}` in {place}", key.name);
    Err(problem(&key.location, text, &advice))
}

fn mistyped(node: &Node, place: &str, expected: &str) -> UsersError {
    let found = node.type_name();
    problem(
        &node.location,
        format!("{place} must be {expected}, but is {found}"),
        &format!("write {expected} there"),
    )
}

fn problem(location: &Location, problem: String, advice: &str) -> UsersError {
    UsersError::Content {
        location: location.clone(),
        problem,
        advice: advice.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxO";

    #[test]
    fn what_is_written_is_read_again() {
        let text = format!(
            "users:\n  alice:\n    password: {HASH}\n    rights: {{guestbook/*: [push, pull], '*': ['*']}}\n    \
             catalog: true\n  bob.x@site: {{password: {HASH}, rights: }}\n"
        );
        let users = parse("users.yaml", &text).unwrap();
        let alice = users.known["alice"].access();
        assert_eq!(alice.actions("guestbook/web"), Actions::ALL);
        assert_eq!(alice.rights[0].actions.to_string(), "pull,push");
        assert!(alice.catalog);
        assert_eq!(*users.known["bob.x@site"].access(), Access::default());
        let rendered = render(&users);
        assert_eq!(parse("users.yaml", &rendered).unwrap(), users, "{rendered}");
        for text in ["", "users:\n", &render(&Users::default())] {
            assert_eq!(parse("users.yaml", text).unwrap(), Users::default());
        }
        assert_eq!(cost(&users.decoy()), Some(4));
        assert_eq!(cost(&Users::default().decoy()), Some(super::super::COST));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_a_hint() {
        let expensive = HASH.replace("$04$", "$31$");
        let cases = [
            (
                "user: {}".to_owned(),
                "1:1",
                "`user`",
                "did you mean `users`",
            ),
            ("users: []".to_owned(), "1:8", "a mapping", "a mapping"),
            (
                "users:\n  a:b:\n    x: y".to_owned(),
                "2:3",
                "a:b",
                "letters",
            ),
            (
                "users:\n  bob: {rights: {}}".to_owned(),
                "2:3",
                "no password",
                "user add",
            ),
            (
                "users:\n  bob:\n    password: open".to_owned(),
                "3:15",
                "bcrypt",
                "htpasswd",
            ),
            (
                format!("users:\n  bob:\n    password: {expensive}"),
                "3:15",
                "cost 31",
                "4 to 15",
            ),
            (
                format!("users:\n  bob:\n    password: {HASH}\n    rights:\n      Guest: [pull]"),
                "5:7",
                "`Guest`",
                "lower-case",
            ),
            (
                format!("users:\n  bob:\n    password: {HASH}\n    rights:\n      a: [pull, fly]"),
                "5:17",
                "action",
                "delete",
            ),
            (
                format!("users:\n  bob:\n    password: {HASH}\n    rights:\n      a: pull"),
                "5:10",
                "a list",
                "a list",
            ),
            ("users: {\n".to_owned(), "users.yaml:", "", ""),
            (
                "users: {}\n---\nusers: {}".to_owned(),
                "3:1",
                "second",
                "one",
            ),
        ];
        for (text, place, named, advice) in cases {
            let error = parse("users.yaml", &text).unwrap_err();
            let (message, hint) = (error.to_string(), error.hint().unwrap_or_default());
            assert!(message.contains(place), "{message} ({place})");
            assert!(message.contains(named), "{message}");
            assert!(hint.contains(advice), "{hint}");
            assert!(!message.contains("open"), "a password is shown: {message}");
        }
    }
}
