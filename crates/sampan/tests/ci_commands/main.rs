//! `sampan ci` as people call it.

mod choosing;
mod fixture;
mod jobs;
mod killed;
mod reading;
mod rights;
mod running;
