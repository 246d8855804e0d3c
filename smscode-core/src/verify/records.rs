//! Every record and every remembered answer: whether it can be read, and stands where it should.

use std::collections::BTreeSet;

use super::Subject;
use super::cursor::Cursor;
use super::finding::{Findings, Report};
use crate::account::record::{ACCOUNT, AccountRecord};
use crate::catalogue::record::{IdRecord, PRODUCT, UMBRELLA};
use crate::order::record::{CLAIM, ClaimRecord, ORDER, OrderRecord, read_order_key};
use crate::order::supply::{SUPPLY, SupplyRecord};
use crate::store::copy::{Export, Section, StoredRow};
use crate::store::{Body, BodyError, Key, Record, StoreError, Term};
use crate::token::record::{TOKEN, TOKEN_CLAIM, TokenClaim, TokenRecord};

pub(super) async fn check(
    export: &mut dyn Export,
    report: &mut Report,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut records = Cursor::of(Section::Records);
    while let Some(row) = records.next(export).await? {
        let StoredRow::Record(key, record) = row else { continue };
        report.records += 1;
        report.places.add(&key, &record.terms);
        check_record(&key, &record, findings);
    }
    let mut operations = Cursor::of(Section::Operations);
    while let Some(row) = operations.next(export).await? {
        let StoredRow::Operation(_, operation) = row else { continue };
        if let Err(error) = json(&operation.receipt.outcome) {
            let subject = Subject::Record(crate::store::Kind::of("operation"), crate::store::Owner::NONE);
            findings.add("unreadable", subject, error.to_string());
        }
    }
    Ok(())
}

/// One record: whether it is what its kind is, and its terms are those that follow from it.
pub(super) fn check_record(key: &Key, record: &Record, findings: &mut Findings) {
    let subject = || match read_order_key(key).filter(|_| key.kind == ORDER) {
        Some((account, order)) => Subject::Order(account.0, order.0),
        None => Subject::Record(key.kind.clone(), key.owner),
    };
    match terms(key, &record.body) {
        Err(error) => findings.add("unreadable", subject(), error.to_string()),
        Ok(None) => {}
        Ok(Some(wanted)) => {
            let (found, wanted): (BTreeSet<&Term>, BTreeSet<&Term>) =
                (record.terms.iter().collect(), wanted.iter().collect());
            if found != wanted {
                let names = |terms: BTreeSet<&Term>| -> Vec<String> {
                    terms.into_iter().map(|term| term.index.as_str().to_owned()).collect()
                };
                let missing = names(wanted.difference(&found).copied().collect()).join(", ");
                let extra = names(found.difference(&wanted).copied().collect()).join(", ");
                findings.add("terms", subject(), format!("missing in [{missing}], too much in [{extra}]"));
            }
        }
    }
}

/// The terms that follow from a record; `None` for kinds of which that is not known.
fn terms(key: &Key, body: &Body) -> Result<Option<Vec<Term>>, BodyError> {
    json(body)?;
    let kind = &key.kind;
    if *kind == ORDER {
        let order: OrderRecord = body.read()?;
        let (account, id) =
            read_order_key(key).ok_or_else(|| BodyError::Unreadable("its key is not an order's".to_owned()))?;
        return Ok(Some(order.terms(account, id)));
    }
    if *kind == SUPPLY {
        return body.read::<SupplyRecord>().map(|supply| Some(supply.terms()));
    }
    let plain = if *kind == ACCOUNT {
        body.read::<AccountRecord>().map(drop)
    } else if *kind == CLAIM {
        body.read::<ClaimRecord>().map(drop)
    } else if *kind == TOKEN {
        body.read::<TokenRecord>().map(drop)
    } else if *kind == TOKEN_CLAIM {
        body.read::<TokenClaim>().map(drop)
    } else if *kind == PRODUCT || *kind == UMBRELLA {
        body.read::<IdRecord>().map(drop)
    } else {
        return Ok(None);
    };
    plain.map(|()| None)
}

/// Whether it is a document that every store can keep.
pub(super) fn json(body: &Body) -> Result<(), BodyError> {
    let text = std::str::from_utf8(body.as_bytes()).map_err(|_| BodyError::Unreadable("it is no text".to_owned()))?;
    Body::from_text(text).map(drop)
}
