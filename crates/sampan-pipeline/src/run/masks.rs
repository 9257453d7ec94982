//! What is masked in what a stage says: the secrets of the run, those that a called workflow was given, and what its
//! steps have asked for.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::mask::Secrets;

/// How many texts steps of a stage may have masked: each makes looking for all of them more work.
const LIMIT_TEXTS: usize = 4_096;

/// How long they may be together.
const LIMIT_BYTES: usize = 1 << 20;

/// What is masked in what a stage says.
pub(super) struct Masks {
    state: Mutex<State>,
}

struct State {
    texts: BTreeSet<String>,
    added: usize,
    added_bytes: usize,
    /// What was added.
    by_steps: Vec<String>,
    ready: Secrets,
    /// Whether texts have come since it was made ready.
    is_stale: bool,
}

/// That more was to be masked than can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").finish_non_exhaustive()
    }
}

impl Masks {
    /// Those of a run, which are `ready`.
    pub(super) fn new<'t>(ready: Secrets, texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self {
            state: Mutex::new(State {
                texts: texts.into_iter().map(str::to_owned).collect(),
                added: 0,
                added_bytes: 0,
                by_steps: Vec::new(),
                ready,
                is_stale: false,
            }),
        }
    }

    /// Secrets that the run has besides its own.
    pub(super) fn know<'t>(&self, texts: impl IntoIterator<Item = &'t str>) {
        let mut state = self.state();
        for text in texts {
            state.is_stale |= state.texts.insert(text.to_owned());
        }
    }

    /// A text that a step wants to be masked, as a whole and line by line.
    pub(super) fn add(&self, text: &str) -> Result<(), TooMany> {
        let mut state = self.state();
        for text in text.lines().chain([text]) {
            if state.texts.contains(text) {
                continue;
            }
            state.added += 1;
            state.added_bytes += text.len();
            if state.added > LIMIT_TEXTS || state.added_bytes > LIMIT_BYTES {
                return Err(TooMany);
            }
            state.texts.insert(text.to_owned());
            state.by_steps.push(text.to_owned());
            state.is_stale = true;
        }
        Ok(())
    }

    /// All texts that steps wanted to be masked.
    pub(super) fn by_steps(&self) -> Vec<String> {
        self.state().by_steps.clone()
    }

    /// All that is masked now. Made ready only here: a step may add many texts before it says anything else.
    pub(super) fn current(&self) -> Secrets {
        let mut state = self.state();
        if std::mem::take(&mut state.is_stale) {
            state.ready = Secrets::new(state.texts.iter().map(String::as_str));
        }
        state.ready.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A whole text with its secrets masked.
pub(super) fn hide(text: &str, masks: &Secrets) -> String {
    let mut masker = masks.masker();
    let mut bytes = Vec::with_capacity(text.len());
    masker.push(text.as_bytes(), &mut bytes);
    masker.finish(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
