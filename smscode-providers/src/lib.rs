#![cfg_attr(
    all(feature = "sms-activate", feature = "sandbox"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(feature = "sms-activate", feature = "sandbox")),
    doc = "Adapters of smscode to the outside; nothing is compiled without a feature. See the README."
)]

#[cfg(feature = "system")]
pub mod clock;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
pub mod json;
#[cfg(feature = "file-keyring")]
pub mod keyring;
#[cfg(feature = "http")]
pub mod read;
#[cfg(feature = "http")]
pub mod refusal;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(all(feature = "model", not(feature = "sandbox")))]
pub mod sandbox {
    //! A simulated supplier as a pure state machine; with the feature `sandbox` also behind its protocol.
    mod fault;
    pub mod model;
    mod scenario;
    mod stock;

    pub use fault::{Fault, FaultReply};
    pub use model::Injection;
    pub use scenario::{Moment, SCENARIOS, Scenario, ScenarioEntry};
}
#[cfg(any(feature = "http", feature = "sandbox"))]
mod secret;
#[cfg(feature = "sms-activate")]
pub mod sms;

#[cfg(any(feature = "http", feature = "sandbox"))]
pub use secret::ApiKey;
