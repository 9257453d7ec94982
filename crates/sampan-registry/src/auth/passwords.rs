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

/// What checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    key: hmac::Key,
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    /// One for each processor: more at once would make all of them later.
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let random = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes);
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, random.as_flattened()),
            remembered: Mutex::default(),
            places: Arc::new(Semaphore::new(processors)),
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
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return Err(AccountsError::Busy);
        };
        // Many clients may come with the same password at once; the first has found out for all.
        if self.remembers(&tag) {
            return Ok(true);
        }
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
