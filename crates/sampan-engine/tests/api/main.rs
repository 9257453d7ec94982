//! The API, through the real `kubectl` and raw requests, without any workload behind it.

mod fixture;
mod kubectl;
mod raw;
