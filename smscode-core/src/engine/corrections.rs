//! What a supplier takes, or gives back, after a purchase was settled: an entry between house accounts and nothing else.

use super::command::{Failed, Verdict};
use super::inner::Inner;
use crate::ledger::CorrectionError;
use crate::money::Money;
use crate::privacy::keyed_hash;
use crate::store::limits::AMOUNT_MAX;
use crate::store::{Amount, Entry, House, Place, Post, Refusal, StoreError, TransferId, TransferKind};

/// Longest reference of a correction.
const REFERENCE_MAX: usize = 100;

impl Inner {
    pub(super) async fn correct_supplier(
        &self,
        supplier: &str,
        taken: Money,
        reference: &str,
    ) -> Result<bool, CorrectionError> {
        let slot = self.suppliers.get(supplier).ok_or_else(|| CorrectionError::UnknownSupplier(supplier.to_owned()))?;
        if taken.currency != slot.info.currency {
            return Err(CorrectionError::Amount("another currency than the supplier's"));
        }
        let amount = taken.minor.checked_abs().filter(|amount| (1..=AMOUNT_MAX).contains(amount));
        let amount = amount.ok_or(CorrectionError::Amount("zero, or too large"))?;
        if reference.is_empty() || reference.len() > REFERENCE_MAX {
            return Err(CorrectionError::Reference);
        }
        // the reference may name an activation, so it is kept as a keyed hash alone
        let hash = keyed_hash(&self.keys.index, &[b"correction", supplier.as_bytes(), reference.as_bytes()]);
        let post = correction(supplier, Money::new(taken.minor.signum() * amount, taken.currency), &hash, "operator");
        let booked = self
            .decide_coarsely::<bool, CorrectionError>(&[], |_, _| {
                Ok(Verdict::Commit(vec![Entry::Post(post.clone())], true))
            })
            .await;
        match booked {
            Ok(booked) => Ok(booked),
            Err(Failed::Store(StoreError::Refused(Refusal::TransferExists { .. }))) => Ok(false),
            Err(Failed::Store(error)) => Err(CorrectionError::Unavailable(error.to_string())),
            Err(Failed::Rule(error)) => Err(error),
            Err(Failed::NotFound) => Err(CorrectionError::UnknownSupplier(supplier.to_owned())),
        }
    }
}

/// The entry of what a supplier has taken (above zero) or given back (below) beyond our books, by a keyed hash that exists
/// once.
pub(super) fn correction(supplier: &str, taken: Money, hash: &[u8; 32], actor: &str) -> Post {
    let (float, loss) = (Place::House(House::float(supplier)), Place::House(House::loss(supplier)));
    let (debit, credit, reason) = match taken.minor > 0 {
        true => (float, loss, "taken_later"),
        false => (loss, float, "given_back_later"),
    };
    Post {
        id: TransferId([b"supply/", &hash[..16]].concat()),
        kind: TransferKind::Cost,
        subject: format!("supplier:{supplier}"),
        reason: reason.to_owned(),
        actor: actor.to_owned(),
        debit,
        credit,
        currency: taken.currency,
        amount: Amount::Exact(taken.minor.saturating_abs()),
    }
}
