//! What happens in a run, as data drawn from the seed up front. Every item can be switched off, so that a failing run can be
//! made shorter and run again.

use crate::clock::Skew;
use crate::draw::draw;

/// Customers of a run.
pub(crate) const CUSTOMERS: usize = 10;
/// Suppliers of a run.
pub(crate) const SHOPS: usize = 3;
/// A run tries to place at least this many orders; some fail for want of money, stock or a node that is up.
pub(crate) const ORDERS_MIN: u32 = 190;
/// Customers who come late see to it that a run has so many, whatever became of the others.
pub(crate) const ORDERS_WANTED: u64 = 100;
/// Customers act within this time; what they began is then run out.
pub(crate) const ACTING_MS: i64 = 420_000;
/// Nodes come up and accounts are opened before the first customer acts.
pub(crate) const SETTLING_MS: i64 = 15_000;
/// What is sold: few pairs, so that orders of one pair meet.
pub(crate) const PAIRS: [(u16, &str); 4] = [(6, "wa"), (6, "tg"), (0, "wa"), (22, "go")];

/// What a run is like as a whole; the same whatever items are switched off.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) nodes: usize,
    pub(crate) skews: Vec<Skew>,
    /// Latencies of store and suppliers, in tenths of the usual ones.
    pub(crate) slowness: i64,
    /// An order's window, in ms.
    pub(crate) window_ms: i64,
    /// Of each supplier, in seconds.
    pub(crate) windows_seconds: [u32; SHOPS],
    pub(crate) cancel_after_seconds: [u32; SHOPS],
    /// What each customer has at first.
    pub(crate) deposits: [i64; CUSTOMERS],
    /// Suppliers keep numbers open until they are told, long beyond the windows they state: what nobody gives back stays.
    pub(crate) keeps_open: bool,
    /// Which suppliers say by themselves that an SMS came.
    pub(crate) pushes: [bool; SHOPS],
    /// How often the audit comes round.
    pub(crate) audit_every_ms: i64,
    /// At the end the books are copied, and one account of the copy is tampered with.
    pub(crate) tampers: bool,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) shape: Shape,
    pub(crate) items: Vec<Item>,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Visit(Visit),
    Deposit(Deposit),
    Delete(Delete),
    Adjust(Adjustment),
    /// An operator books what a supplier has taken (or given back, below zero) for something that was settled.
    Clawback {
        shop: usize,
        at_ms: i64,
        minor: i64,
        reference: u32,
    },
    /// An operator begins a wind-down, and ends it.
    WindDown {
        at_ms: i64,
        for_ms: i64,
    },
    /// There is no exchange rate for a while.
    NoRates {
        at_ms: i64,
        for_ms: i64,
    },
    /// Somebody who knows the path of a supplier's pushes says that something happened.
    Forged {
        shop: usize,
        at_ms: i64,
        node: usize,
        what: Forgery,
    },
    /// The n-th call of a kind at a supplier goes wrong.
    Call {
        shop: usize,
        nth: u32,
        fault: CallFault,
    },
    /// The n-th number that a supplier sells gets an SMS.
    Sms {
        shop: usize,
        nth: u32,
        after_ms: i64,
        kind: SmsKind,
    },
    /// The n-th number that a supplier sells is ended by it.
    Ends {
        shop: usize,
        nth: u32,
        after_ms: i64,
    },
    /// A supplier is away.
    Outage {
        shop: usize,
        from_ms: i64,
        for_ms: i64,
        hangs: bool,
    },
    /// A supplier's prices change, in percent of what they were at first.
    Reprice {
        shop: usize,
        at_ms: i64,
        percent: i64,
    },
    /// A supplier has nothing for a while.
    SoldOut {
        shop: usize,
        at_ms: i64,
        for_ms: i64,
    },
    Crash {
        node: usize,
        when: When,
        down_ms: i64,
    },
    Pause {
        node: usize,
        when: When,
        for_ms: i64,
    },
    /// A node is stopped as it should be, and comes back.
    Restart {
        node: usize,
        at_ms: i64,
        down_ms: i64,
    },
    /// The n-th commit of the run goes wrong.
    Commit {
        nth: u32,
        fault: CommitFault,
    },
    /// The n-th read of the run finds no store.
    Read {
        nth: u32,
    },
    /// The store answers nobody for a while.
    Stall {
        at_ms: i64,
        for_ms: i64,
    },
}

/// When something happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    At(i64),
    /// As the commit of its n-th `Calling` takes effect, before it hears of it.
    Committed(u32),
    /// It knows of the commit and has not sent the first byte of its n-th purchase.
    BeforeFirstByte(u32),
    /// The n-th purchase is on its way.
    AfterFirstByte(u32),
}

/// A customer orders and does something with it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) customer: usize,
    pub(crate) at_ms: i64,
    pub(crate) node: usize,
    pub(crate) pair: usize,
    pub(crate) quantity: u32,
    pub(crate) key: Option<u32>,
    pub(crate) prefer: Option<usize>,
    pub(crate) abandon: bool,
    /// Goes away after so long, without the answer.
    pub(crate) leaves_after_ms: Option<i64>,
    /// Sends the same request once more, so much later, at a node.
    pub(crate) twin: Option<(usize, i64)>,
    pub(crate) steps: Vec<(i64, Step)>,
    /// Only while the run has fewer orders than it is to have.
    pub(crate) reserve: bool,
}

/// A customer deletes the account.
#[derive(Clone, Debug)]
pub(crate) struct Delete {
    pub(crate) customer: usize,
    pub(crate) at_ms: i64,
    pub(crate) node: usize,
    pub(crate) moment: DeleteMoment,
    /// Asks for it at two nodes at once.
    pub(crate) twice: bool,
}

/// When an account is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeleteMoment {
    /// At once.
    Whenever,
    /// In the very moment in which a node reads the first SMS of an order.
    AsSmsIsRead,
    /// In the same moments as a cancel.
    WithCancel,
    /// As the window of an order ends.
    AtEnd,
    /// In the same moments as orders are placed.
    AsPlaced,
}

/// An operator books money by hand.
#[derive(Clone, Debug)]
pub(crate) struct Adjustment {
    pub(crate) customer: usize,
    pub(crate) at_ms: i64,
    pub(crate) minor: i64,
    pub(crate) second: Second,
    pub(crate) reference: u32,
    /// Sent to two nodes at once.
    pub(crate) twice: bool,
}

/// Who agrees to an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    Nobody,
    /// The first one, in other letters.
    Same,
    Other,
}

/// What a forged push names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// An activation that was never sold.
    Unknown,
    /// Nothing: anything may have happened.
    Nameless,
    /// One that is open, and no SMS came.
    Open,
    /// More names than are kept.
    Flood,
}

/// What a customer does with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Cancel,
    CancelTwice,
    /// As soon as the supplier takes one.
    CancelWhenAllowed,
    /// In the very moment in which a node reads the first SMS.
    CancelAtSms,
    Finish,
    FinishTwice,
    More,
    Read,
    Wait,
    /// Somebody else's order.
    Pry,
    Lists,
    /// The same key with another request.
    OtherRequest,
    /// The same request again.
    Repeat,
}

/// Money comes in.
#[derive(Clone, Debug)]
pub(crate) struct Deposit {
    pub(crate) customer: usize,
    pub(crate) at_ms: i64,
    pub(crate) minor: i64,
    pub(crate) reference: String,
    /// Told to both nodes at once.
    pub(crate) twice: bool,
}

/// What an SMS is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SmsKind {
    Code,
    NoCode,
    /// Readable at the supplier although the number was given back or has run out.
    Late,
    /// Another SMS at the same moment.
    Pair,
}

/// What goes wrong in a call of a supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallFault {
    BuyAnswerLost,
    BuyUnlisted,
    BuyArrivesLate,
    BuyNeverArrives,
    BuyNotSent,
    BuySoldOut,
    BuyThrottled,
    BuyNoFunds,
    BuyPriceAbove,
    BuySlow,
    BuyWrongCountry,
    BuyNumberTwice,
    BuyActivationTwice,
    BuyAboveCeiling,
    BuyMalformed,
    CancelRefused,
    CancelAnswerLost,
    CancelNeverArrives,
    CancelSmsFirst,
    PollFails,
    PollThrottled,
    PollNotFound,
    PollDoubled,
    PollReordered,
    PollSlow,
    ListFails,
    ListLacksRow,
    FinishAnswerLost,
    FinishNeverArrives,
    FinishRefused,
    MoreRefused,
}

/// Calls whose faults are counted by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallKind {
    Buy,
    Cancel,
    Poll,
    List,
    Finish,
    More,
}

impl CallFault {
    pub(crate) const ALL: [Self; 31] = [
        Self::BuyAnswerLost,
        Self::BuyUnlisted,
        Self::BuyArrivesLate,
        Self::BuyNeverArrives,
        Self::BuyNotSent,
        Self::BuySoldOut,
        Self::BuyThrottled,
        Self::BuyNoFunds,
        Self::BuyPriceAbove,
        Self::BuySlow,
        Self::BuyWrongCountry,
        Self::BuyNumberTwice,
        Self::BuyActivationTwice,
        Self::BuyAboveCeiling,
        Self::BuyMalformed,
        Self::CancelRefused,
        Self::CancelAnswerLost,
        Self::CancelNeverArrives,
        Self::CancelSmsFirst,
        Self::PollFails,
        Self::PollThrottled,
        Self::PollNotFound,
        Self::PollDoubled,
        Self::PollReordered,
        Self::PollSlow,
        Self::ListFails,
        Self::ListLacksRow,
        Self::FinishAnswerLost,
        Self::FinishNeverArrives,
        Self::FinishRefused,
        Self::MoreRefused,
    ];

    /// Of which call, its name in the table of coverage, and how many of a thousand calls have it.
    pub(crate) const fn row(self) -> (CallKind, &'static str, u64) {
        match self {
            Self::BuyAnswerLost => (CallKind::Buy, "buy: bought, answer lost", 50),
            Self::BuyUnlisted => (CallKind::Buy, "buy: bought, answer lost, list far behind", 15),
            Self::BuyArrivesLate => (CallKind::Buy, "buy: bought long after the call", 15),
            Self::BuyNeverArrives => (CallKind::Buy, "buy: not bought, no answer", 30),
            Self::BuyNotSent => (CallKind::Buy, "buy: not sent", 20),
            Self::BuySoldOut => (CallKind::Buy, "buy: sold out", 40),
            Self::BuyThrottled => (CallKind::Buy, "buy: throttled", 10),
            Self::BuyNoFunds => (CallKind::Buy, "buy: no funds there", 10),
            Self::BuyPriceAbove => (CallKind::Buy, "buy: price above the ceiling", 15),
            Self::BuySlow => (CallKind::Buy, "buy: bought, slower than the limit", 25),
            Self::BuyWrongCountry => (CallKind::Buy, "buy: wrong country", 15),
            Self::BuyNumberTwice => (CallKind::Buy, "buy: number given out twice", 20),
            Self::BuyActivationTwice => (CallKind::Buy, "buy: activation given out twice", 10),
            Self::BuyAboveCeiling => (CallKind::Buy, "buy: charged above the ceiling", 15),
            Self::BuyMalformed => (CallKind::Buy, "buy: malformed number", 10),
            Self::CancelRefused => (CallKind::Cancel, "cancel: refused", 80),
            Self::CancelAnswerLost => (CallKind::Cancel, "cancel: done, answer lost", 80),
            Self::CancelNeverArrives => (CallKind::Cancel, "cancel: not done, no answer", 50),
            Self::CancelSmsFirst => (CallKind::Cancel, "cancel: the SMS was faster", 80),
            Self::PollFails => (CallKind::Poll, "poll: fails", 30),
            Self::PollThrottled => (CallKind::Poll, "poll: throttled", 10),
            Self::PollNotFound => (CallKind::Poll, "poll: number unknown", 5),
            Self::PollDoubled => (CallKind::Poll, "poll: SMS doubled", 20),
            Self::PollReordered => (CallKind::Poll, "poll: SMS reordered", 20),
            Self::PollSlow => (CallKind::Poll, "poll: slow", 10),
            Self::ListFails => (CallKind::List, "list: fails", 150),
            Self::ListLacksRow => (CallKind::List, "list: lacks the row", 150),
            Self::FinishAnswerLost => (CallKind::Finish, "finish: done, answer lost", 50),
            Self::FinishNeverArrives => (CallKind::Finish, "finish: not done, no answer", 50),
            Self::FinishRefused => (CallKind::Finish, "finish: refused", 50),
            Self::MoreRefused => (CallKind::More, "more: refused", 150),
        }
    }
}

/// What goes wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// Refused for certain.
    No,
    /// Done, and nobody knows.
    UnknownDone,
    /// Not done, and nobody knows.
    UnknownNotDone,
    /// Unknown, and done so many ms later, when it may have been sent again.
    UnknownLater(i64),
    /// Takes effect so many ms late.
    Slow(i64),
    /// Done at once, answered so many ms late.
    AnswerLate(i64),
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        draw(seed)
    }

    /// How many things can be switched off.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Visit {
    /// Somebody who orders and does nothing else.
    pub(crate) const fn plain(customer: usize, node: usize) -> Self {
        Self {
            customer,
            at_ms: 0,
            node,
            pair: 0,
            quantity: 2,
            key: None,
            prefer: None,
            abandon: false,
            leaves_after_ms: None,
            twin: None,
            steps: Vec::new(),
            reserve: false,
        }
    }
}
