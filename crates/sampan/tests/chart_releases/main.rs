//! Releases of charts on the real engine: their whole life by `sampan chart`, and in turn with the real Helm.

mod definitions;
mod fixture;
mod interrupted;
mod kinds;
mod life;
mod waiting;
mod with_helm3;
mod with_helm4;
