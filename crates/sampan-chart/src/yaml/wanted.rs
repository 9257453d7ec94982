//! What of a document is asked for.

/// What is asked for of a value. The rest is only looked through for mistakes, which costs far less than keeping it.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'w> {
    All,
    /// Some keys, if it is a mapping.
    Part(&'w dyn Keys),
    Nothing,
}

/// The keys of a mapping that are asked for.
pub(crate) trait Keys {
    /// What is asked for of the value of a key.
    fn wanted(&self, key: &[u8]) -> Wanted<'_>;
}

impl Wanted<'_> {
    /// What is asked for of the value of a key.
    pub(super) fn below(self, key: &[u8]) -> Self {
        match self {
            Self::All => Self::All,
            Self::Part(keys) => keys.wanted(key),
            Self::Nothing => Self::Nothing,
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }
}
