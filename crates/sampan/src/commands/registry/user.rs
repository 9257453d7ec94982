//! `sampan registry user`: who may do what with the registry.

use sampan_model::Hint as _;
use sampan_registry::auth::users::{self, User, UsersError};
use sampan_registry::auth::{Access, Right, Secret};
use serde_json::{Value, json};

use crate::commands::remote::password_from_stdin;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::Table;

/// Arguments of `sampan registry user`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a user, or give one another password and other rights
    Add(AddArgs),
    /// Remove users
    Rm(RmArgs),
    /// List the users and what they may do
    Ls,
}

/// Arguments of `sampan registry user add`.
#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The name
    name: String,
    /// What the user may do, such as `guestbook/*:pull,push`; `*` stands for any text or for all actions, which are
    /// `pull`, `push` and `delete`
    #[arg(long, value_name = "REPOSITORIES:ACTIONS", required = true, value_parser = right)]
    allow: Vec<Right>,
    /// The user may also list all repositories
    #[arg(long)]
    catalog: bool,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

/// Arguments of `sampan registry user rm`.
#[derive(Debug, clap::Args)]
struct RmArgs {
    /// The names
    #[arg(required_unless_present = "open", value_name = "NAME")]
    names: Vec<String>,
    /// Let programs of this machine do everything again when no user is left, as before the first one
    #[arg(long)]
    open: bool,
}

impl Args {
    /// Whether there is nothing to do where there is no installation.
    pub(super) fn only_uses(&self) -> bool {
        !matches!(self.command, Command::Add(_))
    }
}

fn right(text: &str) -> Result<Right, String> {
    text.parse().map_err(
        |error: sampan_registry::auth::RightError| match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        },
    )
}

/// Runs the subcommand.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add(args, context),
        Command::Rm(args) => remove(args, context),
        Command::Ls => list(context),
    }
}

fn add(args: &AddArgs, context: &Context) -> Result<(), Failure> {
    let password = password(args, context)?;
    let access = Access {
        rights: args.allow.clone(),
        catalog: args.catalog,
    };
    let user = User::new(&password, access).map_err(failure)?;
    let change = |users: &mut users::Users| {
        let is_first = users.iter().next().is_none();
        Ok((users.put(&args.name, user)?, is_first))
    };
    let (was_there, is_first) = users::edit(context.data(), change).map_err(failure)?;
    if context.json() {
        return context
            .ui()
            .json(&json!({"user": args.name, "replaced": was_there}));
    }
    let done = if was_there { "changed" } else { "added" };
    context.ui().line(format!("{done} user {}", args.name))?;
    if is_first {
        context.ui().note(
            "from now on the registry asks programs of this machine, too, for name and password: `sampan login`",
        );
    }
    Ok(())
}

fn password(args: &AddArgs, context: &Context) -> Result<Secret, Failure> {
    if args.password_stdin {
        return Ok(Secret::new(password_from_stdin(context)?));
    }
    let ask = |what: &str| {
        let answer = context.ui().ask(what, true)?;
        answer.ok_or_else(|| {
            Failure::new("there is nobody to ask for the password")
                .with_hint("give `--password-stdin` and the password on standard input")
        })
    };
    let password = ask(&format!("Password for {}", args.name))?;
    if ask("The same again")? != password {
        return Err(
            Failure::new("the passwords differ").with_hint("nothing was changed; try again")
        );
    }
    Ok(Secret::new(password))
}

fn remove(args: &RmArgs, context: &Context) -> Result<(), Failure> {
    let change = |users: &mut users::Users| {
        for name in &args.names {
            users.remove(name)?;
        }
        if args.open {
            users.open()?;
        }
        Ok(users.iter().next().is_none())
    };
    let is_empty = users::edit(context.data(), change).map_err(failure)?;
    if context.json() {
        return context
            .ui()
            .json(&json!({"removed": args.names, "open": args.open}));
    }
    for name in &args.names {
        context.ui().line(format!("removed user {name}"))?;
    }
    if args.open {
        context
            .ui()
            .line("programs of this machine may do everything")?;
    } else if is_empty {
        context.ui().note(
            "nobody is left, and the registry lets nobody do anything: add a user, or let programs of this machine do \
             everything with `sampan registry user rm --open`",
        );
    }
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let users = users::read(context.data()).map_err(failure)?;
    if context.json() {
        return context
            .ui()
            .json(&users.iter().map(to_json).collect::<Vec<_>>());
    }
    if users.iter().next().is_none() {
        context
            .ui()
            .note("no users; make one with `sampan registry user add NAME --allow 'REPOSITORIES:ACTIONS'`");
        return Ok(());
    }
    let mut table = Table::new(["user", "may", "catalog"]);
    for (name, user) in users.iter() {
        let rights: Vec<_> = user.access().rights.iter().map(Right::to_string).collect();
        let catalog = if user.access().catalog { "yes" } else { "" };
        table.row([name.to_owned(), rights.join(" "), catalog.to_owned()]);
    }
    context.ui().table(&table)
}

fn to_json((name, user): (&str, &User)) -> Value {
    let right = |right: &Right| {
        json!({
            "repositories": right.repositories.to_string(),
            "actions": right.actions.names().collect::<Vec<_>>(),
        })
    };
    let access = user.access();
    json!({
        "name": name,
        "rights": access.rights.iter().map(right).collect::<Vec<_>>(),
        "catalog": access.catalog,
    })
}

fn failure(error: UsersError) -> Failure {
    let exit = match &error {
        UsersError::Unknown { .. } => Exit::NotFound,
        UsersError::Left { .. } => Exit::Refused,
        _ => Exit::Failed,
    };
    Failure::from(error).with_exit(exit)
}
