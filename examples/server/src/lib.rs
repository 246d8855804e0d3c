//! The reference server of smscode: the platform behind HTTP.
//!
//! A library too, so that tests and other programs can start it in their own process: [`start`] takes a [`Config`] and
//! gives a [`Running`] server.

pub mod answer;
pub mod app;
pub mod auth;
pub mod config;
mod customers;
mod door;
pub mod limit;
mod mark;
pub mod meter;
pub mod migrate;
pub mod nearest;
mod note;
mod observe;
mod parts;
pub mod sandbox;
mod serve;
mod start;
pub mod surface;
pub mod task;
mod waiting;

pub use config::Config;
pub use mark::{MarkError, Mode};
pub use start::{Running, StartError, start};
