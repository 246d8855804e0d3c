//! What may have been bought by a call that was given up: a watch without owner or order id, and the rule by which an
//! activation in the supplier's list is told to be ours.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::supply::coarse;
use crate::port::Activation;
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Watches.
pub const WATCH: Kind = Kind::of("supply_watch");
/// By supplier and the time at which they end.
pub const BY_WATCH: Kind = Kind::of("supply_watch_end");

/// A purchase that was given up is watched for so long: a supplier's list or a call that hangs may be hours behind.
pub const WATCH_SECONDS: i64 = 86_400;
/// So long after a purchase was given up its supplier's list is read each minute.
const OFTEN_SECONDS: i64 = 600;
/// How often it is read at first.
const OFTEN_MS: i64 = 60_000;
/// How often afterwards.
const SELDOM_MS: i64 = 300_000;

/// A purchase of which nobody knows whether it happened, and for which nobody waits any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRecord {
    /// Format.
    pub v: u8,
    /// At which supplier.
    pub supplier: String,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// The random name of the purchase, if the order's key was still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it ends, to the minute.
    pub until: Timestamp,
}

impl fmt::Debug for WatchRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchRecord({}, until {})", self.supplier, self.until)
    }
}

impl WatchRecord {
    /// The watch over a purchase that is given up now.
    pub(crate) fn new(
        supplier: &str,
        (country, service): (u16, &str),
        reference: Option<String>,
        now: Timestamp,
    ) -> Self {
        let until = coarse(now).plus_seconds(WATCH_SECONDS);
        Self { v: 1, supplier: supplier.to_owned(), country, service: service.to_owned(), reference, until }
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        vec![Term { index: BY_WATCH, at: [self.supplier.as_bytes(), &[0], &self.until.sort_bytes()].concat() }]
    }

    /// How long to wait between two readings of the supplier's list for this watch.
    pub(crate) const fn pause_ms(&self, now: Timestamp) -> i64 {
        let age_ms = WATCH_SECONDS * 1_000 - self.until.ms_since(now);
        if age_ms < OFTEN_SECONDS * 1_000 { OFTEN_MS } else { SELDOM_MS }
    }

    fn is_of_pair(&self, activation: &Activation) -> bool {
        activation.country == Some(self.country)
            && activation.service.as_deref().is_some_and(|service| service.eq_ignore_ascii_case(&self.service))
    }
}

/// The key of a watch: random, since nothing looks it up by name.
pub(crate) fn watch_key(id: [u8; 16]) -> Key {
    Key::free(WATCH, id)
}

/// Which activations of a supplier's list are what the watched purchases have bought: positions in the list and in the
/// watches. Each watch explains one activation at most, since each stands for one call. An activation that carries another
/// reference is somebody else's; one without a reference is taken if it is of a watched pair and no open order may be about
/// to get it (`pending`, codes in lower case).
pub(crate) fn orphans(
    list: &[Activation],
    watches: &[WatchRecord],
    known: impl Fn(&Activation) -> bool,
    pending: &BTreeSet<(u16, String)>,
) -> Vec<(usize, usize)> {
    let mut free: BTreeSet<usize> = (0..watches.len()).collect();
    let mut found = Vec::new();
    let unknown: Vec<(usize, &Activation)> = list.iter().enumerate().filter(|(_, one)| !known(one)).collect();
    // references first: they are certain, and must not lose their watch to a likeness
    for with_reference in [true, false] {
        for (at, one) in unknown.iter().filter(|(_, one)| one.reference.is_some() == with_reference) {
            let fits = |watch: &WatchRecord| match &one.reference {
                Some(reference) => watch.reference.as_ref() == Some(reference),
                None => {
                    watch.is_of_pair(one) && !pending.contains(&(watch.country, watch.service.to_ascii_lowercase()))
                }
            };
            let watch = free.iter().copied().find(|watch| watches.get(*watch).is_some_and(fits));
            if let Some(watch) = watch {
                free.remove(&watch);
                found.push((*at, watch));
            }
        }
    }
    found
}
