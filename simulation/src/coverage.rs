//! What was met how often, over all seeds.

use std::collections::BTreeMap;

use crate::plan::CallFault;

/// From so many seeds on a line that was never met is a failure. The rarest is met by about one seed of nine.
pub const JUDGED_FROM_SEEDS: u64 = 100;

/// The journeys of the specification that a run can meet, by their ids. The names of faults are added by
/// [`Coverage::declared`].
const JOURNEYS: &[(&str, &str)] = &[
    ("J5", "order, SMS, finish"),
    ("J6", "second SMS after asking for more"),
    ("U1", "sold out at every supplier"),
    ("U2", "price above what was sold"),
    ("U3", "two creates at once, money for one"),
    ("U4 found", "supplier timed out after charging, found"),
    ("U4 given up", "supplier timed out, never found"),
    ("U5", "sender gone between hold and answer"),
    ("U6 replay", "same key, same body"),
    ("U6 reused", "same key, other body"),
    ("U7", "bulk of which some fail"),
    ("U8", "number in use, wrong country, malformed"),
    ("U9", "cancel too early"),
    ("U9 scheduled", "asked for as soon as the supplier takes one"),
    ("U9 cancelled", "a scheduled cancel came to its end"),
    ("U9 lost", "a scheduled cancel lost to an SMS"),
    ("U10", "cancel, supplier accepts"),
    ("U11", "cancel undecided, then decided"),
    ("U12", "SMS after the end"),
    ("U13", "SMS and the window's end within seconds"),
    ("U14", "SMS doubled or out of order"),
    ("U15", "SMS without a code"),
    ("U17", "a supplier's push"),
    ("U17 twice", "at one node, or at two"),
    ("U17 late", "when it is known already"),
    ("U17 forged", "unknown, nameless, early, a flood"),
    ("U19", "ended by the supplier"),
    ("U20", "a supplier claws back what was settled"),
    ("U21", "supplier away with orders open"),
    ("U22", "finish twice, act after the end"),
    ("U23", "nobody polled over a window's end"),
    ("U24", "clocks differ by seconds"),
    ("U25", "an order ends while there is no exchange rate"),
    ("U28", "prices change with orders open"),
    ("D1", "deposit told twice"),
    ("O1", "two nodes on one order"),
    ("O2", "crash with orders open"),
    ("O4", "an operator's adjustment"),
    ("O4 by one alone", "refused above the limit"),
    ("O5", "books that were tampered with stop their account alone"),
    ("audit", "all books were audited, beside everything else"),
    ("wind-down", "an order is refused during one"),
    ("A1", "account deleted with orders open"),
    ("A1 consumed", "an order with its SMS ends with the account"),
    ("A1 unclear", "deleted while a purchase is not settled"),
    ("A1 paid", "an SMS after the deletion"),
    ("A1 run out", "released and forfeited at an order's end"),
    ("A1 given back", "cancelled without a reader, and forfeited"),
    ("A3", "a supplier's late cancel, after the deletion"),
    ("deleted", "an account"),
    ("delete as the SMS is read", "in the same milliseconds"),
    ("asks after the deletion", "every command of a customer who is gone"),
    ("orphan", "bought by a call that was given up, found and cancelled"),
    ("cancel as the SMS is read", "in the same milliseconds"),
    ("money", "a customer runs out of money"),
    ("leaves", "a customer goes away"),
    ("pries", "a customer asks for somebody else's order"),
];

/// What befalls nodes and the store.
const WORLD: &[(&str, &str)] = &[
    ("node: crash", "at some moment"),
    ("node: crash after Calling", "committed, not heard of"),
    ("node: crash before the first byte", ""),
    ("node: crash after the first byte", ""),
    ("node: pause", "at some moment"),
    ("node: pause after Calling", "committed, not heard of"),
    ("node: pause before the first byte", ""),
    ("node: pause after the first byte", ""),
    ("node: stop and start", ""),
    ("node: commit of a dead node", "took effect after its death"),
    ("store: refused", "no effect, for certain"),
    ("store: unknown, done", ""),
    ("store: unknown, not done", ""),
    ("store: unknown, done later", ""),
    ("store: slow", ""),
    ("store: answer late", ""),
    ("store: read fails", ""),
    ("store: stall", ""),
    ("store: conflict", ""),
    ("shop: away, refuses", ""),
    ("shop: away, hangs", ""),
    ("shop: dies for good", ""),
];

/// How often each situation and each fault was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    met: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub(crate) fn hit(&mut self, name: &'static str) {
        *self.met.entry(name).or_insert(0) += 1;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.met {
            *self.met.entry(name).or_insert(0) += count;
        }
    }

    /// Every line there is, with what it means.
    pub fn declared() -> impl Iterator<Item = (&'static str, &'static str)> {
        let calls = CallFault::ALL.iter().map(|fault| (fault.row().1, ""));
        JOURNEYS.iter().chain(WORLD).copied().chain(calls)
    }

    /// The declared lines that were never met.
    pub fn missing(&self) -> Vec<&'static str> {
        Self::declared().map(|(name, _)| name).filter(|name| !self.met.contains_key(name)).collect()
    }

    /// How often one line was met.
    pub fn count(&self, name: &str) -> u64 {
        self.met.get(name).copied().unwrap_or(0)
    }

    /// What was met and is not declared: a slip of this crate.
    pub fn undeclared(&self) -> Vec<&'static str> {
        let declared: Vec<&str> = Self::declared().map(|(name, _)| name).collect();
        self.met.keys().copied().filter(|name| !declared.contains(name)).collect()
    }

    /// The table, one line each.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (name, meaning) in Self::declared() {
            let note = if meaning.is_empty() { String::new() } else { format!("  {meaning}") };
            table.push_str(&format!("  {:>9}  {name}{note}\n", self.count(name)));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_declared_once() {
        let mut names: Vec<&str> = Coverage::declared().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(Coverage::default().missing().len(), count);
    }
}
