//! The sandbox: a simulated supplier beside the server, and a demo customer with money.

/// The simulated supplier of a sandbox server.
pub struct Sandbox {}
