//! Who may have a secret.

use crate::build::{Build, Event};
use crate::glob::{Form, Glob};
use crate::images::ImagePattern;

use super::{Asker, SecretError};

/// Who may have a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// For which events.
    pub events: Events,
    /// Whether also for pull requests of other repositories, where `events` lets pull requests through.
    pub forks: bool,
    /// The images and actions that may have it, and only as plugins; all steps, when there is none.
    pub images: Vec<ImagePattern>,
    /// Patterns of the projects that may have it; all, when there is none.
    pub projects: Vec<String>,
}

/// For which events a secret is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Events {
    /// For all but those of pull requests.
    #[default]
    Usual,
    /// For all.
    All,
    /// For those of these words: `push`, `tag`, `pull_request`, `cron` and so on.
    Only(Vec<String>),
}

/// The words for events, beside which there are GitHub's names for others.
pub(crate) const EVENT_WORDS: [&str; 11] = [
    "push",
    "tag",
    "pull_request",
    "pull_request_target",
    "release",
    "deployment",
    "promote",
    "rollback",
    "cron",
    "schedule",
    "manual",
];

/// The words that stand for an event.
fn words(event: &Event) -> Vec<&str> {
    match event {
        Event::Push => vec!["push"],
        Event::PullRequest | Event::PullRequestClosed | Event::PullRequestMetadata => {
            vec!["pull_request"]
        }
        Event::Tag => vec!["tag"],
        Event::Release => vec!["release"],
        Event::Promote => vec!["promote", "deployment"],
        Event::Rollback => vec!["rollback", "deployment"],
        Event::Cron => vec!["cron", "schedule"],
        Event::Manual => vec!["manual", "workflow_dispatch"],
        Event::Other(name) => vec![name],
    }
}

/// Whether those who are not trusted with the project may have caused the run: it is about a pull request, under
/// whatever name a forge has for that.
fn is_pull_request(build: &Build) -> bool {
    let other = matches!(&build.event, Event::Other(name) if name.starts_with("pull_request"));
    other || build.event.is_pull_request() || build.pull_request.is_some()
}

impl Rule {
    /// The rule of secrets that the user gave for this very run: every step that names one gets it.
    #[must_use]
    pub fn for_this_run() -> Self {
        Self {
            events: Events::All,
            forks: true,
            ..Self::default()
        }
    }

    /// Whether the run may have the secret, whatever its steps.
    ///
    /// # Errors
    /// [`SecretError`] with the reason when it may not.
    pub fn admits_build(&self, name: &str, build: &Build) -> Result<(), SecretError> {
        let name = || name.to_owned();
        let project = build.repository.slug();
        let is_meant = |pattern: &String| {
            Glob::new(pattern, Form::Deep).is_some_and(|glob| glob.matches(&project))
        };
        if !self.projects.is_empty() && !self.projects.iter().any(is_meant) {
            return Err(SecretError::Project {
                name: name(),
                project,
            });
        }
        let pull_request = is_pull_request(build);
        let words = words(&build.event);
        match &self.events {
            Events::Usual if pull_request => return Err(SecretError::PullRequest { name: name() }),
            Events::Only(allowed)
                if !words
                    .iter()
                    .any(|word| allowed.iter().any(|one| one == word)) =>
            {
                return Err(SecretError::Event {
                    name: name(),
                    event: words[0].to_owned(),
                });
            }
            Events::Usual | Events::All | Events::Only(_) => {}
        }
        let from_fork = build
            .pull_request
            .as_ref()
            .is_some_and(|request| request.from_fork);
        if pull_request && from_fork && !self.forks {
            return Err(SecretError::Fork { name: name() });
        }
        Ok(())
    }

    /// Whether somebody may have the secret.
    ///
    /// # Errors
    /// [`SecretError`] with the reason when not.
    pub fn admits(&self, name: &str, asker: &Asker<'_>) -> Result<(), SecretError> {
        self.admits_build(name, asker.build)?;
        if self.images.is_empty() {
            return Ok(());
        }
        let allowed = || {
            let images: Vec<String> = self.images.iter().map(ToString::to_string).collect();
            images.join("`, `")
        };
        let image = asker.image.unwrap_or_default();
        if !self.images.iter().any(|pattern| pattern.matches(image)) {
            return Err(SecretError::Image {
                name: name.to_owned(),
                image: image.to_owned(),
                allowed: allowed(),
            });
        }
        if !asker.is_plugin {
            return Err(SecretError::NotPlugin {
                name: name.to_owned(),
                image: image.to_owned(),
            });
        }
        Ok(())
    }
}
