//! The user file, `registry/users.yaml`: accounts for as long as nothing bigger knows them.
//!
//! It is read again when it changes. What cannot be read then is told once, and what was known before stays in force;
//! a file that is gone is no reason to open the registry to everybody on the machine.

mod document;
mod error;
mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sampan_listen::FileState;

use super::access::Access;
use super::accounts::{Account, Accounts, Answer, Credentials};
use super::passwords::Passwords;
use crate::secret::Secret;

pub use error::UsersError;
pub use file::{edit, read};

/// How much work a new hash is: some 200 ms.
const COST: u32 = 12;
/// What the work of a hash in the file may be. More would hold everybody up.
const COSTS: std::ops::RangeInclusive<u32> = 4..=15;
/// What bcrypt does not look at must not be given as part of a password.
const LONGEST_PASSWORD_BYTES: usize = 71;

/// A user of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    hash: Secret,
    access: Arc<Access>,
}

impl User {
    /// A user with a password and rights.
    ///
    /// # Errors
    /// When the password is empty or longer than bcrypt can tell.
    pub fn new(password: &Secret, access: Access) -> Result<Self, UsersError> {
        let length_bytes = password.reveal().len();
        if !(1..=LONGEST_PASSWORD_BYTES).contains(&length_bytes) {
            return Err(UsersError::PasswordLength { length_bytes });
        }
        let hash = bcrypt::non_truncating_hash(password.reveal(), COST);
        Ok(Self {
            hash: Secret::new(hash.map_err(UsersError::Hash)?),
            access: Arc::new(access),
        })
    }

    /// What the user may do.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }
}

/// All users, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    known: BTreeMap<String, User>,
    /// Whether the file says that it is as if there were no file, which only a user's order can bring about.
    open: bool,
}

impl Users {
    /// Adds a user; returns whether one of that name was replaced.
    ///
    /// # Errors
    /// When the name does not fit.
    pub fn put(&mut self, name: &str, user: User) -> Result<bool, UsersError> {
        if !document::is_name(name) {
            return Err(UsersError::Name {
                name: name.to_owned(),
            });
        }
        self.open = false;
        Ok(self.known.insert(name.to_owned(), user).is_some())
    }

    /// Takes a user away.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn remove(&mut self, name: &str) -> Result<(), UsersError> {
        if self.known.remove(name).is_some() {
            return Ok(());
        }
        let near = sampan_model::nearest(name, self.known.keys().map(String::as_str));
        Err(UsersError::Unknown {
            name: name.to_owned(),
            near: near.map(str::to_owned),
        })
    }

    /// Goes back to how it was before the first user: programs of the machine may do everything.
    ///
    /// # Errors
    /// When there are users.
    pub fn open(&mut self) -> Result<(), UsersError> {
        if !self.known.is_empty() {
            let names = self.known.keys().cloned().collect();
            return Err(UsersError::Left { names });
        }
        self.open = true;
        Ok(())
    }

    /// The users, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &User)> {
        self.known.iter().map(|(name, user)| (name.as_str(), user))
    }

    fn account(&self, name: &str) -> Option<Account> {
        let user = self.known.get(name)?;
        Some(Account {
            name: name.to_owned(),
            access: Arc::clone(&user.access),
            generation: user.hash.reveal().to_owned(),
        })
    }

    /// A hash that no password belongs to, and that is as much work as those of the users.
    fn decoy(&self) -> Secret {
        let costs = self.known.values().map(|user| document::cost(&user.hash));
        let cost = costs.flatten().max().unwrap_or(COST);
        Secret::new(format!(
            "$2b${cost:02}${}",
            "s".repeat(21) + "u" + &"x".repeat(30) + "O"
        ))
    }
}

/// The user file of an installation, as an answer to who may do what.
#[derive(Debug)]
pub struct UserFile {
    path: PathBuf,
    known: Mutex<Known>,
    passwords: Passwords,
}

#[derive(Debug)]
struct Known {
    /// What the file held when it could last be used; nothing before there is a file.
    users: Option<Arc<Users>>,
    /// The state of the file when it was last tried.
    stamp: Option<FileState>,
}

impl UserFile {
    /// Reads the user file of a data directory, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn open(data: &Path) -> Result<Self, UsersError> {
        let path = file::path(data);
        // Looked at before it is read: a change in between is then seen as one.
        let stamp = FileState::of(&path);
        let users = file::load(&path)?.map(Arc::new);
        Ok(Self {
            path,
            known: Mutex::new(Known { users, stamp }),
            passwords: Passwords::new(),
        })
    }

    fn users(&self) -> Option<Arc<Users>> {
        let stamp = FileState::of(&self.path);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.stamp != stamp {
            known.stamp = stamp;
            match file::load(&self.path) {
                Ok(Some(users)) => {
                    tracing::info!(
                        users = users.known.len(),
                        "the user file has been read again"
                    );
                    known.users = Some(Arc::new(users));
                }
                Ok(None) => tracing::warn!(
                    path = %self.path.display(),
                    "the user file is gone; the users that it held stay until the next start"
                ),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the changed user file cannot be used; the users that it held before stay"
                ),
            }
        }
        known.users.clone()
    }
}

impl Accounts for UserFile {
    fn exist(&self) -> bool {
        self.users().is_some_and(|users| !users.open)
    }

    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> Answer<'a> {
        Box::pin(async move {
            let users = self.users().unwrap_or_default();
            let hash = users
                .known
                .get(&credentials.name)
                .map(|user| user.hash.clone());
            let hash = hash.unwrap_or_else(|| users.decoy());
            let are_right = self.passwords.are_right(credentials, &hash).await?;
            Ok(are_right
                .then(|| users.account(&credentials.name))
                .flatten())
        })
    }

    fn find<'a>(&'a self, name: &'a str) -> Answer<'a> {
        Box::pin(async move { Ok(self.users().and_then(|users| users.account(name))) })
    }
}
