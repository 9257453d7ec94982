//! `sampan ci` as people call it.

mod choosing;
mod fixture;
mod reading;
mod rights;
mod running;
