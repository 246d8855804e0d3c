//! Faults of a supplier as data: what happens to the next calls.

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the call has its effect nevertheless (a number is bought, an activation cancelled).
    pub effect: bool,
    /// Milliseconds before the reply.
    pub delay_ms: u32,
    /// What the caller gets.
    pub reply: FaultReply,
}

/// What a caller gets in place of the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultReply {
    /// The true reply (to be delayed); without the effect there is none, and the caller gets an empty HTTP 503.
    True,
    /// Nothing: the connection is closed.
    Lost,
    /// The first half of the true reply.
    Truncated,
    /// Bytes that are no text.
    Garbage,
    /// A body of this many bytes.
    Huge(usize),
    /// A redirect to this address.
    Redirect(String),
    /// This status and body: HTML pages, errors, values of the wrong type.
    Body(u16, String),
}

impl Fault {
    /// The effect takes place, the reply does not.
    pub fn after_effect(reply: FaultReply) -> Self {
        Self { effect: true, delay_ms: 0, reply }
    }

    /// Neither takes place.
    pub fn without_effect(reply: FaultReply) -> Self {
        Self { effect: false, delay_ms: 0, reply }
    }

    /// The true reply, late.
    pub fn slow(delay_ms: u32) -> Self {
        Self { effect: true, delay_ms, reply: FaultReply::True }
    }
}
