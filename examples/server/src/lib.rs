//! The reference server of smscode: the platform behind HTTP.
//!
//! A library too, so that tests and other programs can start it in their own process.

pub mod answer;
pub mod app;
pub mod auth;
pub mod limit;
pub mod meter;
pub mod nearest;
pub mod observe;
pub mod sandbox;
pub mod surface;
