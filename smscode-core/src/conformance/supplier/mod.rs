//! The supplier suite: one macro line runs every rule of the [supplier contract](crate::port::Supplier) against your
//! adapter, over HTTP, and prints a score card.
//!
//! You bring the adapter and a simulator of its vendor: a small server on loopback that sells one product, takes SMS from
//! you and answers as the vendor does ([`SupplierFixture`]). The suite puts a line of its own between the two, on which
//! replies are lost, cut, held back, replaced by pages, redirected and never end; the simulator plays none of that.
//!
//! ```text
//! smscode_core::supplier_suite!(Mine, my_block_on); // in a test file: one #[test] per case, and the score card
//! ```
//!
//! `my_block_on` is a function from a future to its output, since an HTTP client wants its runtime. `docs/adapters.md`
//! has a whole fixture, and `examples/custom-supplier` runs it.
//!
//! A case whose `needs` your vendor does not have must be excused by name with a reason. What a vendor does not have is
//! data: its [`Capabilities`](crate::port::Capabilities), what [`SupplierFixture::answer`] has no answer for, and
//! [`SupplierFixture::lacks`]. The excuses are printed; an excuse that is not needed fails.
//!
//! Cases are named after the numbered rule they show (`rule_04_...`); `port_...` is said at the port's types.

mod cases;
mod line;
mod port;
mod rule_01;
mod rule_01_wire;
mod rule_02;
mod rule_03;
mod rule_04;
mod rule_05;
mod rule_06;
mod rule_07;
mod rule_08;
mod rule_09;
mod rule_10;
mod rule_11;
mod rule_12;
mod rule_13;
mod rule_14;
mod score;
#[cfg(test)]
mod tests;
mod told;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub use cases::CASES;
pub use score::{Board, name};
pub use world::World;

use super::{Excuse, Failure, Verdict};
use crate::money::Money;
use crate::port::{ActivationId, Supplier};

/// An adapter and the simulator of its vendor. One value is one simulator with its own account.
#[async_trait]
pub trait SupplierFixture: Send + Sync + 'static {
    /// Starts a fresh simulator on loopback, plain HTTP/1.1, with an account that has sold nothing yet.
    async fn open() -> Self
    where
        Self: Sized;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// The adapter with the simulator's account, talking to this address (`http://127.0.0.1:4711`, no slash at the end)
    /// in place of the vendor's. Give it time limits of 3 s: some cases wait for them, and a machine that stands still
    /// for a moment must not run into them.
    fn supplier(&self, base_url: &str) -> Arc<dyn Supplier>;

    /// The secret that the adapter signs in with. It must be seen nowhere; make it long and unlike anything else.
    fn secret(&self) -> String;

    /// What the adapter shows of itself and its configuration by `Debug`; empty if it has none.
    fn shown(&self) -> String;

    /// What is sold: country and service by the market's ids and codes. No SMS arrive at its numbers by themselves.
    fn product(&self) -> (u16, String);

    /// The smallest step of the vendor's amounts in the currency's smallest unit: 10,000 for US cents.
    fn step_minor(&self) -> i64;

    /// More activations than two pages of the vendor's lists hold; 3 if they have no pages. Small pages keep the suite quick.
    fn many(&self) -> usize;

    /// Sets the price of the product.
    async fn set_price(&self, price: Money);

    /// Sets how many numbers the product has left.
    async fn set_stock(&self, count: u32);

    /// Sets the account's money.
    async fn set_balance(&self, balance: Money);

    /// Lets an SMS arrive at an open activation.
    async fn deliver(&self, id: &ActivationId, text: &str);

    /// Ends an open activation at the vendor, as if its window were over.
    async fn end(&self, id: &ActivationId);

    /// Every activation that was sold since the start, oldest first.
    async fn sold(&self) -> Vec<Sold>;

    /// How the vendor says this in answer to the first request of this call; `None` if its protocol cannot say it.
    /// Take it from its documentation, to the letter.
    fn answer(&self, call: Call, say: Say<'_>) -> Option<Answer>;

    /// What the vendor's protocol lacks, of [`Needs::More`] and what follows it there.
    fn lacks() -> &'static [Needs]
    where
        Self: Sized;

    /// The cases that cannot be run against this vendor.
    fn excuses() -> &'static [Excuse]
    where
        Self: Sized;
}

/// An activation as the simulator's books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The vendor's name for it.
    pub id: ActivationId,
    /// International digits without plus.
    pub phone: String,
    /// What is charged for it: the price, or nothing once it is refunded. The vendor's history must say the same.
    pub charged: Money,
    /// Whether it is open.
    pub is_open: bool,
}

/// A call of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`Supplier::offers`].
    Offers,
    /// [`Supplier::balance`].
    Balance,
    /// [`Supplier::buy`].
    Buy,
    /// [`Supplier::poll`], of one activation.
    Poll,
    /// [`Supplier::active`].
    Active,
    /// [`Supplier::history`].
    History,
    /// [`Supplier::more`].
    More,
    /// [`Supplier::cancel`].
    Cancel,
    /// [`Supplier::finish`].
    Finish,
}

/// What a vendor may say, in words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say<'a> {
    /// Your key is wrong.
    Unauthorised,
    /// Too many requests.
    RateLimited,
    /// Something broke here.
    Broken,
    /// A refusal in its usual form, with a word that its documentation does not have.
    Undocumented,
    /// To a cancel: too early.
    TooEarly,
    /// To a poll or a request for the history: this activation is in a state that its documentation does not have. No SMS
    /// is there.
    Status(&'a Sold),
    /// To a purchase: this number is sold, and this was charged.
    SoldFor(&'a Sold, Money),
    /// To a cancel, a finish or a request for more: answered in its usual form, as to a step that was taken, but this
    /// activation is as it was before: open, and not waiting for another SMS if it has one.
    StillOpen(&'a Sold),
    /// To a request for the balance: what stands in the place of the amount, to the letter. Some of these have quotation
    /// marks, as text in JSON has them; put them in as they are.
    NoAmount(&'a str),
}

/// An answer of the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What a case needs beyond the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A supplier that lists what is open.
    ActiveList,
    /// A supplier that lists what was bought.
    History,
    /// A supplier that takes several ids in one poll.
    Batch,
    /// A supplier that refuses a reference that was used.
    Reference,
    /// A supplier that wants to be told of the end.
    Finish,
    /// An answer to [`Say::Unauthorised`].
    Unauthorised,
    /// An answer to [`Say::RateLimited`].
    RateLimited,
    /// An answer to [`Say::Broken`].
    Broken,
    /// An answer to [`Say::Undocumented`].
    Undocumented,
    /// An answer to [`Say::TooEarly`].
    TooEarly,
    /// An answer to [`Say::Status`].
    Status,
    /// An answer to [`Say::Status`] for the history.
    PastStatus,
    /// An answer to [`Say::SoldFor`].
    Cost,
    /// An answer to [`Say::StillOpen`] for a cancel.
    StillOpen,
    /// An answer to [`Say::StillOpen`] for a finish or a request for more, of those that the vendor has.
    StillOpenAfterSms,
    /// An answer to [`Say::NoAmount`].
    NoAmount,
    /// A way to ask for another SMS.
    More,
    /// All SMS of an activation can be read, not the last one alone.
    EverySms,
    /// Texts of SMS can be read, not their codes alone.
    Text,
    /// A cancel that came after an SMS is refused with a word of its own.
    SmsArrived,
    /// Steps are answered with words, not with an HTTP status alone.
    Word,
    /// Refusals have a body, so that a page with the same status is told from them.
    ErrorBody,
}

/// One case of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, which says what is shown.
    pub name: &'static str,
    /// The number of the rule; 0 for what is said at the port's types.
    pub rule: u8,
    /// What the supplier must be able to do.
    pub needs: Needs,
    run: for<'a> fn(&'a mut World) -> BoxFuture<'a, Result<(), Failure>>,
}

/// Runs one case by its name against a fresh simulator.
///
/// # Errors
///
/// What the adapter did wrong; also if there is no such case, if the vendor lacks what the case needs and is not excused,
/// and if it is excused without need.
pub async fn case<F: SupplierFixture>(name: &str) -> Result<Verdict, Failure> {
    let case =
        CASES.iter().find(|case| case.name == name).ok_or_else(|| Failure::new(format!("there is no case {name}")))?;
    let fixture = F::open().await;
    let excuse = F::excuses().iter().find(|excuse| excuse.case == name);
    let info = fixture.supplier(line::NOWHERE).describe();
    let able = world::is_able(&fixture, &info, F::lacks(), case.needs);
    match (excuse, able) {
        (Some(excuse), false) => Ok(Verdict::Excused(*excuse)),
        (Some(_), true) => Err(Failure::new(format!("{name} is excused, but the vendor has what the case needs"))),
        (None, false) => Err(Failure::new(format!(
            "{name} needs {:?}, which the vendor does not have: excuse it by name with a reason",
            case.needs
        ))),
        (None, true) => {
            let mut world = World::open(Box::new(fixture), F::lacks()).await?;
            (case.run)(&mut world).await.map(|()| Verdict::Passed).map_err(|failure| failure.within(name))
        }
    }
}
