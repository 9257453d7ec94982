//! `sampan ci` as people call it.

mod fixture;
mod reading;
mod rights;
mod running;
