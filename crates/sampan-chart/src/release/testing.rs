//! Testing: the test hooks of a release are carried out.

use std::time::Duration;

use super::Releases;
use super::error::Error;
use super::record::{HookRecord, Release};
use crate::render::Event;

/// How a release is tested.
#[derive(Debug, Clone)]
pub struct Testing {
    /// How long each test may take.
    pub timeout: Duration,
    /// The names of the tests that are carried out; empty for all.
    pub only: Vec<String>,
    /// The names of those that are left out.
    pub except: Vec<String>,
}

impl Default for Testing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(5),
            only: Vec::new(),
            except: Vec::new(),
        }
    }
}

impl Testing {
    fn chooses(&self, name: &str) -> bool {
        let is = |other: &String| other == name;
        !self.except.iter().any(is) && (self.only.is_empty() || self.only.iter().any(is))
    }

    /// The tests of a release that are carried out, in their order.
    #[must_use]
    pub fn chosen<'r>(&self, release: &'r Release) -> Vec<&'r HookRecord> {
        let hooks = release.hooks.iter();
        let mut tests: Vec<_> = hooks
            .filter(|hook| hook.is_for(Event::Test) && self.chooses(&hook.name))
            .collect();
        tests.sort_by_key(|hook| (hook.weight, hook.name.clone()));
        tests
    }
}

impl Releases<'_> {
    /// Carries out the tests of a release and records how they went. Gives the release in any case in which there is one,
    /// and why a test failed.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such release, or the cluster does not answer.
    pub fn test(&self, name: &str, how: &Testing) -> Result<(Release, Result<(), Error>), Error> {
        self.target.version()?;
        self.check_name(name)?;
        let mut release = self.last(name)?;
        let chosen = |test: &str| how.chooses(test);
        let outcome = self.run_chosen_hooks(&mut release, Event::Test, how.timeout, &chosen);
        if outcome.is_err() {
            self.target.acknowledge_interruption();
        }
        self.update(&release)?;
        Ok((release, outcome))
    }

    /// What the pod of a test has written.
    ///
    /// # Errors
    /// When the pod is gone, or the cluster does not answer.
    pub fn test_log(&self, test: &HookRecord) -> Result<Vec<u8>, Error> {
        Ok(self.target.logs(&self.settings.namespace, &test.name)?)
    }
}
