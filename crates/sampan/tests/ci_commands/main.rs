//! `sampan ci` as people call it.

mod fixture;
mod reading;
mod running;
