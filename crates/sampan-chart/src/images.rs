//! The images that manifests would run, wherever they name them.
//!
//! The images of containers are certain, at any depth and of any kind. But operators and installers start pods of their
//! own, from images that stand in arguments, variables, settings and custom resources: these are guessed from how they look
//! and what they are called, and a guess is confirmed where something else knows the image.

mod appearance;
mod listing;
mod uses;

pub use listing::{Certainty, Image, Known, Listing, Use};
pub use uses::{Found, Spot, uses_of};
