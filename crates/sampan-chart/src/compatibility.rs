//! Which Helm to agree with where two of them differ.

/// The version of Helm whose output and error texts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compatibility {
    /// Helm 3, as of 3.17.4.
    #[default]
    Helm3,
    /// Helm 4, as of 4.2.3.
    Helm4,
}

impl Compatibility {
    /// One of two, by the version of Helm.
    #[must_use]
    pub fn pick<T>(self, helm3: T, helm4: T) -> T {
        match self {
            Self::Helm3 => helm3,
            Self::Helm4 => helm4,
        }
    }
}
