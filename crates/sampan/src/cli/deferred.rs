//! Arguments of commands, described only to who asks for them.

use std::ops::Deref;

use clap::builder::Resettable;
use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

/// The arguments of a command. The parser hears of them when the command is named: to describe those of all commands takes
/// longer than most commands do.
///
/// Not for commands that consist of others, of which completions would not know, nor for one with an option of its own in the
/// place of an option of every command.
#[derive(Debug)]
pub(crate) struct Deferred<A>(Box<A>);

impl<A> Deferred<A> {
    /// The arguments, to be taken apart.
    pub(crate) fn into_inner(self) -> A {
        *self.0
    }
}

impl<A> Deref for Deferred<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(|args| Self(Box::new(args)))
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches_mut(matches).map(|args| Self(Box::new(args)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<A: Args> Args for Deferred<A> {
    fn augment_args(command: Command) -> Command {
        command.defer(described::<A>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Describes a command that stands among others already: what they say of it holds, and the options of every command, which it
/// has by now, come last.
fn described<A: Args>(command: Command) -> Command {
    let about = Resettable::from(command.get_about().cloned());
    let long_about = Resettable::from(command.get_long_about().cloned());
    let global_options: Vec<Id> = command
        .get_arguments()
        .map(|argument| argument.get_id().clone())
        .collect();
    let command = A::augment_args(command);
    debug_assert!(!command.has_subcommands(), "completions do not know them");
    let command = global_options
        .into_iter()
        .fold(command, |command, id| command.mut_arg(id, |option| option));
    command.about(about).long_about(long_about)
}
