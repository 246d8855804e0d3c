//! An order's life as one table: (state, input) gives the next state, the transfer and the event.
//!
//! Pure: no store, no clock. Every cell is filled, and a test walks them all.

use serde::{Deserialize, Serialize};

use super::view::Status;

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Wanted, nothing held yet. Only the beginning of the table; never stored.
    Requested,
    /// Money is held, one engine task may call the supplier.
    Calling,
    /// The call had no clear answer; the purchase is looked up.
    Unclear,
    /// A number is rented, no SMS yet.
    Active,
    /// An SMS came and is paid for.
    Received,
    /// A cancel was asked for and is not decided.
    Canceling,
    /// Ended after an SMS.
    Completed,
    /// Ended without an SMS, given back.
    Cancelled,
    /// Ended without an SMS, by time.
    Expired,
    /// No number was ever had.
    Rejected,
}

impl State {
    /// All states.
    pub const ALL: [Self; 10] = [
        Self::Requested,
        Self::Calling,
        Self::Unclear,
        Self::Active,
        Self::Received,
        Self::Canceling,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
    ];

    /// Whether nothing can happen any more. Content is gone from here on.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Expired | Self::Rejected)
    }

    /// Whether money is held.
    pub const fn holds_money(self) -> bool {
        matches!(self, Self::Calling | Self::Unclear | Self::Active | Self::Canceling)
    }

    /// Whether the supplier has a number for us that can receive.
    pub const fn listens(self) -> bool {
        matches!(self, Self::Active | Self::Received | Self::Canceling)
    }

    /// Whether it is not known yet if there will be a number.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Requested | Self::Calling | Self::Unclear)
    }

    /// The public status. After a request for another SMS an order shows as active again.
    pub const fn status(self, awaiting_more: bool) -> Status {
        match self {
            Self::Requested | Self::Calling | Self::Unclear | Self::Active | Self::Canceling => Status::Active,
            Self::Received if awaiting_more => Status::Active,
            Self::Received => Status::OtpReceived,
            Self::Completed => Status::Completed,
            Self::Cancelled | Self::Rejected => Status::Canceled,
            Self::Expired => Status::Expired,
        }
    }

    /// The word for people and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Calling => "calling",
            Self::Unclear => "unclear",
            Self::Active => "active",
            Self::Received => "received",
            Self::Canceling => "canceling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }
}

/// What happens to an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The customer places it.
    Place,
    /// A certain rejection; another supplier is tried.
    NextSupplier,
    /// A certain rejection, and nobody is left to ask.
    Reject,
    /// The call had no clear answer, or its sender is gone.
    CallUnclear,
    /// A number was bought, now or as found by a look-up.
    Accept,
    /// The look-ups have ended without a trace.
    LookUpOver,
    /// A new SMS.
    Sms,
    /// The customer asks for another SMS.
    AskMore,
    /// The customer (or the engine for an abandoned order) asks for a cancel.
    AskCancel,
    /// The supplier has cancelled for us.
    CancelConfirmed,
    /// The supplier has ended it on its side, and the last check found no SMS.
    SupplierEnded,
    /// The window is over, and the last check found no SMS.
    WindowOver,
    /// The window is over and the last SMS is old enough.
    AutoEnd,
    /// The customer has what was wanted.
    Finish,
    /// Its account is deleted: nobody reads it any more.
    AccountDeleted,
}

impl Input {
    /// All inputs.
    pub const ALL: [Self; 15] = [
        Self::Place,
        Self::NextSupplier,
        Self::Reject,
        Self::CallUnclear,
        Self::Accept,
        Self::LookUpOver,
        Self::Sms,
        Self::AskMore,
        Self::AskCancel,
        Self::CancelConfirmed,
        Self::SupplierEnded,
        Self::WindowOver,
        Self::AutoEnd,
        Self::Finish,
        Self::AccountDeleted,
    ];
}

/// The money part of a move.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Money {
    /// Nothing moves.
    None,
    /// available to held.
    Hold,
    /// held to revenue.
    Capture,
    /// held to available.
    Release,
}

/// A cell of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// The order moves.
    Move {
        /// Where to.
        to: State,
        /// With which transfer.
        money: Money,
        /// The event that is appended, if anybody can see the change.
        event: Option<&'static str>,
        /// Why, for `explain`.
        rule: &'static str,
    },
    /// It has happened already; nothing is written.
    Done,
    /// An SMS for an order that has ended: destroyed and counted.
    Late,
    /// Not possible here, with the reason for the caller.
    Refused(&'static str),
}

const fn to(to: State, money: Money, event: &'static str, rule: &'static str) -> Cell {
    Cell::Move { to, money, event: Some(event), rule }
}

const fn quietly(to: State, rule: &'static str) -> Cell {
    Cell::Move { to, money: Money::None, event: None, rule }
}

const NO_NUMBER: Cell = Cell::Refused("there is no number yet");
const NO_SMS: Cell = Cell::Refused("no SMS has come");
const HAS_SMS: Cell = Cell::Refused("an SMS has come, so it is paid for");
const ENDED: Cell = Cell::Refused("it has ended");
const SETTLED: Cell = Cell::Refused("the purchase is settled");
const NOT_ASKED: Cell = Cell::Refused("no cancel was asked for");
const EXISTS: Cell = Cell::Refused("it is placed already");

const fn without_reader(state: State) -> Cell {
    quietly(state, "the account is deleted: it goes on without a reader, and what comes back is forfeited")
}

/// The table.
pub const fn next(state: State, input: Input) -> Cell {
    match state {
        State::Requested => requested(input),
        State::Calling | State::Unclear => pending(state, input),
        State::Active | State::Canceling => listening(state, input),
        State::Received => received(input),
        State::Completed | State::Cancelled | State::Expired | State::Rejected => ended(state, input),
    }
}

const fn requested(input: Input) -> Cell {
    match input {
        Input::Place => {
            to(State::Calling, Money::Hold, "order.placed", "the price is held before the supplier is called")
        }
        Input::NextSupplier
        | Input::Reject
        | Input::CallUnclear
        | Input::Accept
        | Input::LookUpOver
        | Input::Sms
        | Input::AskMore
        | Input::AskCancel
        | Input::CancelConfirmed
        | Input::SupplierEnded
        | Input::WindowOver
        | Input::AutoEnd
        | Input::Finish
        | Input::AccountDeleted => Cell::Refused("it is not placed yet"),
    }
}

const fn pending(state: State, input: Input) -> Cell {
    match (state, input) {
        (State::Calling, Input::NextSupplier) => {
            quietly(State::Calling, "rejected for certain, the next supplier is asked")
        }
        (State::Calling, Input::CallUnclear) => {
            quietly(State::Unclear, "no clear answer: the money stays held, the purchase is looked up")
        }
        (_, Input::CallUnclear) => Cell::Done,
        (_, Input::Accept) => to(State::Active, Money::None, "order.active", "the supplier has given a number"),
        (_, Input::Reject) => {
            to(State::Rejected, Money::Release, "order.rejected", "nothing was bought, the money goes back")
        }
        (State::Unclear, Input::LookUpOver) => {
            to(State::Expired, Money::Release, "order.expired", "the purchase was never found, the money goes back")
        }
        (_, Input::LookUpOver) => Cell::Refused("the call is not over"),
        (_, Input::NextSupplier) => Cell::Refused("not certain that nothing was bought"),
        (_, Input::AccountDeleted) => without_reader(state),
        (_, Input::Place) => EXISTS,
        (_, Input::Sms | Input::SupplierEnded | Input::WindowOver | Input::AutoEnd | Input::CancelConfirmed) => {
            NO_NUMBER
        }
        (_, Input::AskMore | Input::AskCancel | Input::Finish) => NO_NUMBER,
    }
}

const fn listening(state: State, input: Input) -> Cell {
    match (state, input) {
        (_, Input::Sms) => {
            to(State::Received, Money::Capture, "order.otp_received", "the first SMS decides: it is paid for")
        }
        (State::Active, Input::AskCancel) => quietly(State::Canceling, "a cancel was asked for, the supplier decides"),
        (_, Input::AskCancel) => Cell::Done,
        (State::Canceling, Input::CancelConfirmed) => {
            to(State::Cancelled, Money::Release, "order.canceled", "the supplier has cancelled, the money goes back")
        }
        (_, Input::CancelConfirmed) => NOT_ASKED,
        (_, Input::SupplierEnded) => {
            to(State::Cancelled, Money::Release, "order.canceled", "the supplier has ended it, the money goes back")
        }
        (State::Canceling, Input::WindowOver) => to(
            State::Cancelled,
            Money::Release,
            "order.canceled",
            "cancelled: the window ended without an SMS, the money goes back",
        ),
        (_, Input::WindowOver) => {
            to(State::Expired, Money::Release, "order.expired", "the window ended without an SMS, the money goes back")
        }
        (_, Input::AccountDeleted) => without_reader(state),
        (_, Input::AutoEnd | Input::Finish | Input::AskMore) => NO_SMS,
        (_, Input::Accept) => Cell::Done,
        (_, Input::NextSupplier | Input::Reject | Input::CallUnclear | Input::LookUpOver) => SETTLED,
        (_, Input::Place) => EXISTS,
    }
}

const fn received(input: Input) -> Cell {
    match input {
        Input::Sms => to(State::Received, Money::None, "order.otp_received", "a further SMS is free"),
        Input::AskMore => to(State::Received, Money::None, "order.resend", "another SMS was asked for"),
        Input::Finish => to(State::Completed, Money::None, "order.completed", "the customer has finished it"),
        Input::AutoEnd => {
            to(State::Completed, Money::None, "order.completed", "the window is over, its SMS is paid for")
        }
        Input::SupplierEnded => {
            to(State::Completed, Money::None, "order.completed", "the supplier has closed it after the SMS")
        }
        Input::AccountDeleted => {
            to(State::Completed, Money::None, "order.completed", "the account is deleted, its SMS is paid for")
        }
        Input::AskCancel | Input::CancelConfirmed | Input::WindowOver => HAS_SMS,
        Input::Accept => Cell::Done,
        Input::NextSupplier | Input::Reject | Input::CallUnclear | Input::LookUpOver => SETTLED,
        Input::Place => EXISTS,
    }
}

const fn ended(state: State, input: Input) -> Cell {
    match (state, input) {
        (_, Input::Sms) => Cell::Late,
        (_, Input::AccountDeleted) => Cell::Done,
        (State::Completed, Input::Finish | Input::AutoEnd)
        | (State::Cancelled, Input::AskCancel | Input::CancelConfirmed | Input::SupplierEnded)
        | (State::Expired, Input::WindowOver | Input::LookUpOver)
        | (State::Rejected, Input::Reject) => Cell::Done,
        (_, Input::Place) => EXISTS,
        (
            _,
            Input::NextSupplier
            | Input::Reject
            | Input::CallUnclear
            | Input::Accept
            | Input::LookUpOver
            | Input::AskMore
            | Input::AskCancel
            | Input::CancelConfirmed
            | Input::SupplierEnded
            | Input::WindowOver
            | Input::AutoEnd
            | Input::Finish,
        ) => ENDED,
    }
}
