//! Checking passwords without being held up by it.
//!
//! A bcrypt hash takes a good part of a second by design, and clients send the password with every request. So what
//! was right is remembered for a few minutes, as an HMAC by a key that lives as long as the process: what is
//! remembered is of no use to anybody. The hash is part of it, so a new password ends what the old one has opened.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::hmac;
use tokio::sync::Semaphore;

use super::accounts::{AccountsError, Credentials};
use crate::secret::Secret;

/// How long a password that was right is not checked again.
const REMEMBERED: Duration = Duration::from_mins(5);
/// More credentials than this are not remembered at the same time.
const MOST_REMEMBERED: usize = 4096;
/// How long a password may wait to be checked.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many passwords may wait, however many clients come with each. Those who come then are told at once, not after a
/// time that would be too long anyway.
const QUEUE: usize = 32;

/// What checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    key: hmac::Key,
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    /// One for every second processor: whoever guesses passwords must not have all that engine and gateway live on.
    places: Arc<Semaphore>,
    /// The passwords that are being checked or wait for it, each with what its clients wait for.
    queue: Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>,
}

/// A password in the queue, for one of the clients that come with it.
struct Turn<'a> {
    passwords: &'a Passwords,
    tag: [u8; 32],
    alone: Arc<tokio::sync::Mutex<()>>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let random = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes);
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, random.as_flattened()),
            remembered: Mutex::default(),
            places: Arc::new(Semaphore::new((processors / 2).max(1))),
            queue: Mutex::default(),
        }
    }

    /// Whether the password belongs to the hash.
    pub(super) async fn are_right(
        &self,
        credentials: &Credentials,
        hash: &Secret,
    ) -> Result<bool, AccountsError> {
        let tag = self.tag(credentials, hash);
        if self.remembers(&tag) {
            return Ok(true);
        }
        let turn = self.turn(tag).ok_or(AccountsError::Busy)?;
        let alone = tokio::time::timeout(PATIENCE, turn.alone.lock());
        let Ok(_alone) = alone.await else {
            return Err(AccountsError::Busy);
        };
        // Many clients may come with the same password at once; the first has found out for all.
        if self.remembers(&tag) {
            return Ok(true);
        }
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return Err(AccountsError::Busy);
        };
        let (password, hash) = (credentials.password.clone(), hash.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let right = bcrypt::verify(password.reveal(), hash.reveal());
            // Kept until here, even when nobody waits for the answer any more.
            drop(place);
            right
        });
        // Hashes were parsed when they were read, so none is malformed here.
        let is_right = matches!(checked.await, Ok(Ok(true)));
        if is_right {
            self.remember(tag);
        }
        Ok(is_right)
    }

    /// A turn in the queue, unless too many other passwords are in it.
    fn turn(&self, tag: [u8; 32]) -> Option<Turn<'_>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= QUEUE && !queue.contains_key(&tag) {
            return None;
        }
        let alone = Arc::clone(queue.entry(tag).or_default());
        Some(Turn {
            passwords: self,
            tag,
            alone,
        })
    }

    fn tag(&self, credentials: &Credentials, hash: &Secret) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [
            credentials.name.as_str(),
            hash.reveal(),
            credentials.password.reveal(),
        ] {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    fn remembers(&self, tag: &[u8; 32]) -> bool {
        let remembered = self.remembered.lock();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        remembered.get(tag).is_some_and(|end| Instant::now() < *end)
    }

    fn remember(&self, tag: [u8; 32]) {
        let now = Instant::now();
        let remembered = self.remembered.lock();
        let mut remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, end| now < *end);
        }
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(tag, now + REMEMBERED);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let queue = self.passwords.queue.lock();
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        // Nobody else has it but the queue.
        if Arc::strong_count(&self.alone) == 2 {
            queue.remove(&self.tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_passwords_wait_for_some_of_the_processors() {
        let passwords = Passwords::new();
        let places = passwords.places.available_permits();
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        assert!(places == 1 || places <= processors / 2);
        let tag = |number: usize| {
            let mut tag = [0; 32];
            tag[..8].copy_from_slice(&number.to_be_bytes());
            tag
        };
        let turns: Vec<_> = (0..QUEUE)
            .map(|number| passwords.turn(tag(number)))
            .collect();
        assert!(turns.iter().all(Option::is_some));
        assert!(passwords.turn(tag(QUEUE)).is_none());
        let second = passwords.turn(tag(0));
        assert!(second.is_some());
        drop(turns);
        assert!(passwords.turn(tag(QUEUE)).is_some());
        drop(second);
        assert!(passwords.queue.lock().unwrap().is_empty());
    }
}
