//! The sums of the store, added up again.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use super::finding::Findings;
use crate::money::Currency;
use crate::store::{CurrencyTotals, Head, House, Place, Totals, Transfer};

/// Everything there is, added up.
#[derive(Default)]
pub(super) struct Sums {
    heads: Totals,
    lines: BTreeMap<Currency, Line>,
}

#[derive(Default)]
struct Line {
    house: BTreeMap<House, i128>,
    transfers: u64,
    open_holds: i128,
}

/// What a transfer takes from places and gives to them.
fn moves(transfer: &Transfer) -> [(&Place, i128); 3] {
    let amount = i128::from(transfer.amount);
    let (rest, from_rest) = match &transfer.rest {
        Some((place, amount)) => (place, i128::from(*amount)),
        None => (&transfer.debit, 0),
    };
    [(&transfer.debit, from_rest - amount), (rest, -from_rest), (&transfer.credit, amount)]
}

impl Sums {
    pub(super) fn add_head(&mut self, head: &Head) {
        self.heads.add_head(head);
    }

    pub(super) fn add_transfer(&mut self, transfer: &Transfer) {
        let line = self.lines.entry(transfer.currency).or_default();
        line.transfers += 1;
        line.open_holds += i128::from(transfer.kind.opens());
        for (place, by) in moves(transfer) {
            if let Place::House(house) = place {
                *line.house.entry(house.clone()).or_insert(0) += by;
            }
        }
    }

    /// Compares with what the store says.
    pub(super) fn check(&self, totals: &Totals, findings: &mut Findings) {
        let currencies: BTreeSet<Currency> = totals.currencies.keys().chain(self.lines.keys()).copied().collect();
        let (no_totals, no_line) = (CurrencyTotals::default(), Line::default());
        for currency in currencies {
            let subject = || Subject::Currency(currency);
            let said = totals.currencies.get(&currency).unwrap_or(&no_totals);
            let heads = self.heads.currencies.get(&currency).unwrap_or(&no_totals);
            let line = self.lines.get(&currency).unwrap_or(&no_line);
            findings.same("customers", subject, "available together", said.available, heads.available);
            findings.same("customers", subject, "held together", said.held, heads.held);
            findings.same("customers", subject, "owed together", said.debt, heads.debt);
            findings.same("transfers", subject, "transfers", said.transfers, line.transfers);
            findings.same("open_holds", subject, "open holds", i128::from(said.open_holds), line.open_holds);
            let houses: BTreeSet<&House> = said.house.keys().chain(line.house.keys()).collect();
            for house in houses {
                let added = line.house.get(house).copied().unwrap_or(0);
                findings.same("house", subject, &format!("{} holds", house.0), said.house(house), added);
            }
            findings.same("not_zero", subject, "all accounts together hold", said.sum(), 0);
        }
    }
}
