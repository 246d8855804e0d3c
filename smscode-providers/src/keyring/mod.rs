//! Keyrings: where the keys live that make sealed content unreadable when they go.

#[cfg(unix)]
mod file;

#[cfg(unix)]
pub use file::FileKeyring;
