//! Adds everything up again and looks whether it fits: every balance, every number, every order with its money.
//!
//! [`verify`] reads an export, so what it says is true of one moment, also of a store that is being worked with. It needs
//! memory for one part of each sort of row and a line for each order of one account.
//!
//! | code | what does not fit |
//! |---|---|
//! | `unreadable` | a record, an event or a remembered answer cannot be read |
//! | `terms` | a record stands at other places in indexes than it should |
//! | `places` | an index does not list what the records say; looked at only on request |
//! | `no_account` | money or events of somebody who is no account |
//! | `number`, `event_number` | the number of a transfer or an event is missing, or there twice |
//! | `available_after`, `held_after`, `debt_after` | a balance after a transfer is not the one before and what it moved |
//! | `currency` | a transfer in another currency than its account |
//! | `below_floor` | less than nothing is available or held, or a debt is above zero |
//! | `head_available`, `head_held`, `head_debt`, `head_number`, `head_event` | an account's head is not what its newest transfer and event say |
//! | `places_of_its_kind`, `kind_of_an_order` | a transfer between other places than its kind moves, or of a kind that orders do not have |
//! | `an_order_has_a_hold`, `held_twice`, `hold_is_the_price` | an order without its hold, with two, or with one that is not its price |
//! | `closed_without_a_hold`, `closed_as_held`, `closed_twice` | a hold that is not closed once, by its amount |
//! | `closed_as_the_order_says`, `an_ended_order_is_closed` | a hold that is not closed as its order says |
//! | `forfeited_as_released` | a forfeit of an order that is not what was released just before |
//! | `no_order` | a transfer of an order that does not exist |
//! | `held_is_what_open_orders_hold`, `a_hold_belongs_to_an_open_order`, `an_open_order_holds` | what is held is not what open orders hold |
//! | `sequence` | an order has had another number of events than it says |
//! | `open_orders` | the counter of an account's open orders is wrong |
//! | `house`, `transfers`, `open_holds`, `customers` | a sum of the store is not the sum of its transfers or accounts |
//! | `not_zero` | all accounts of a currency together have something |

mod account;
mod cursor;
mod finding;
mod places;
mod records;
mod sums;
#[cfg(test)]
mod tests;

use crate::account::record::ACCOUNT;
use crate::order::record::ORDER;
use crate::store::copy::{Export, Section, StoredRow};
use crate::store::{Owner, StoreError};

use account::Books;
use cursor::Cursor;
use finding::Findings;
use sums::Sums;

pub use finding::{Finding, Report, Subject};
pub use places::{Places, verify_places};

/// Looks through everything that an export has.
///
/// # Errors
///
/// Those of the store; a row that the store itself cannot read ends it as `Corrupt`.
pub async fn verify(export: &mut dyn Export) -> Result<Report, StoreError> {
    let mut findings = Findings::default();
    let mut report = Report::default();
    records::check(export, &mut report, &mut findings).await?;
    let mut sums = Sums::default();
    accounts(export, &mut report, &mut sums, &mut findings).await?;
    let mut between = Cursor::of(Section::HouseTransfers);
    while let Some(row) = between.next(export).await? {
        if let StoredRow::Transfer(transfer) = row {
            report.transfers += 1;
            sums.add_transfer(&transfer);
        }
    }
    sums.check(export.totals(), &mut findings);
    report.totals = export.totals().clone();
    (report.findings, report.found) = findings.end();
    Ok(report)
}

/// Everything that belongs to accounts, one account after another.
async fn accounts(
    export: &mut dyn Export,
    report: &mut Report,
    sums: &mut Sums,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut cursors = [
        Cursor::of_kind(ACCOUNT),
        Cursor::of(Section::Heads),
        Cursor::of_kind(ORDER),
        Cursor::of(Section::Counters),
        Cursor::of(Section::Transfers),
        Cursor::of(Section::Events),
    ];
    loop {
        let mut next: Option<Owner> = None;
        for cursor in &mut cursors {
            let owner = cursor.owner(export).await?;
            next = [next, owner].into_iter().flatten().min();
        }
        let Some(owner) = next else { return Ok(()) };
        let mut books = Books::of(owner);
        for cursor in &mut cursors {
            while cursor.owner(export).await? == Some(owner) {
                let Some(row) = cursor.next(export).await? else { break };
                match &row {
                    StoredRow::Transfer(transfer) => {
                        report.transfers += 1;
                        sums.add_transfer(transfer);
                    }
                    StoredRow::Head(_, head) => sums.add_head(head),
                    StoredRow::Event(_) => report.events += 1,
                    StoredRow::Record(key, _) if key.kind == ORDER => report.orders += 1,
                    StoredRow::Record(..) => report.accounts += 1,
                    StoredRow::Counter(..)
                    | StoredRow::Operation(..)
                    | StoredRow::Tally { .. }
                    | StoredRow::House(..) => {}
                }
                books.add(&row, findings);
            }
        }
        books.end(findings);
    }
}
