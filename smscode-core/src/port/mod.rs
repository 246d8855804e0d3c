//! The ports to the outside: small, object safe, without default bodies. What a vendor can do is data.

mod alarms;
mod clock;
mod keyring;
mod limiter;
mod rates;
mod supplier;
mod wakeups;

pub use alarms::{Alarm, AlarmError, Alarms, LogAlarms};
pub use clock::{Clock, Entropy};
pub use keyring::{EpochId, EpochKey, Keyring, KeyringError, MemoryKeyring};
pub use limiter::{Limiter, MemoryLimiter, Permit, Urgency};
pub use rates::{FixedRates, Rate, Rates};
pub use supplier::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Capabilities, Charge,
    FinishOutcome, MoreOutcome, Offer, Past, Rejection, Supplier, SupplierInfo, SupplierSms,
};
pub use wakeups::{Wakeups, Woken};
