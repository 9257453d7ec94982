//! The loops that bring what is closer to what is wanted.
