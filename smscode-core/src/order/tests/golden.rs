//! Golden files of the record bodies: what was written once can be read for ever, and a written form that moves is seen.
//! They are `tests/golden/*.json`.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::content::{open_all, open_link, unwrap};
use super::super::decide::{Input, State};
use super::super::draft::Draft;
use super::super::record::{ClaimRecord, EventRecord, OrderRecord};
use super::super::supply::{SupplyRecord, SupplyState};
use super::{ACCOUNT, ACTIVATION, CODE, ORDER, PHONE, REFERENCE, TEXT, at, epochs, order};
use crate::account::record::{AccountRecord, AccountStatus};
use crate::catalogue::record::IdRecord;
use crate::conformance::golden::check;
use crate::money::Currency;
use crate::store::Body;
use crate::token::record::{TokenClaim, TokenRecord};

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn kept(name: &str) -> String {
    std::fs::read_to_string(dir().join(format!("{name}.json"))).unwrap()
}

/// Compares the written form with the file, reads the file, and reads it once more with members of a later version.
fn golden<T>(name: &str, record: &T)
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let body = Body::write(record).unwrap();
    let written: serde_json::Value = body.read().unwrap();
    let pretty = format!("{}\n", serde_json::to_string_pretty(&written).unwrap());
    check(dir(), &format!("{name}.json"), pretty.as_bytes()).unwrap();
    let kept = kept(name);
    let read: T = Body::from_text(&kept).unwrap().read().unwrap();
    assert!(read == *record, "{name} reads as something else");
    let mut later: serde_json::Value = serde_json::from_str(&kept).unwrap();
    later["of_a_later_version"] = serde_json::json!({ "anything": [1, 2, 3] });
    let read: T = Body::write(&later).unwrap().read().unwrap();
    assert!(read == *record, "{name} does not tolerate further members");
}

#[test]
fn orders() {
    golden("order_calling", &order(State::Calling));
    let mut received = order(State::Received);
    received.awaiting_more = true;
    received.resend_at = Some(at(95));
    golden("order_received", &received);
    let mut draft = Draft::of(ACCOUNT, ORDER, 9, order(State::Received));
    draft.advance(Input::Finish, None, "customer", at(70)).unwrap();
    golden("order_completed", &draft.record);
    let mut draft = Draft::of(ACCOUNT, ORDER, 9, order(State::Active));
    draft.advance(Input::WindowOver, Some("window_over"), "engine", at(1_205)).unwrap();
    golden("order_expired", &draft.record);
}

#[test]
fn what_was_sealed_in_the_file_can_be_opened() {
    let kept = kept("order_received");
    let record: OrderRecord = Body::from_text(&kept).unwrap().read().unwrap();
    let key = unwrap(&epochs(), ACCOUNT, ORDER, &record).unwrap();
    let content = open_all(&key, &record);
    assert_eq!(
        (content.phone.as_deref(), content.text.as_deref(), content.code.as_deref()),
        (Some(PHONE), Some(TEXT), Some(CODE))
    );
    let link = open_link(&key, &record).unwrap();
    assert_eq!((link.reference.as_str(), link.activation.as_deref()), (REFERENCE, Some(ACTIVATION)));
    for secret in [PHONE, TEXT, CODE, ACTIVATION, REFERENCE] {
        assert!(!kept.contains(secret));
    }
}

#[test]
fn what_stands_beside_orders() {
    let claim = ClaimRecord { v: 1, fingerprint: "f1".into(), orders: vec![ORDER], created_at: at(0) };
    golden("order_claim", &claim);
    let event = EventRecord { v: 1, order: ORDER, sequence: 3, name: "order.otp_received".into() };
    golden("event", &event);
    let supply = SupplyRecord {
        v: 1,
        supplier: "alpha".into(),
        activation: ACTIVATION.into(),
        country: 6,
        service: "wa".into(),
        cost_minor: Some(100_000),
        currency: Currency::Usd,
        created_at: at(0),
        state: SupplyState::Finishing,
        due_at: Some(at(60)),
        tries: 1,
    };
    golden("supply", &supply);
    golden("product_id", &IdRecord { v: 1, id: 11 });
}

#[test]
fn accounts_and_tokens() {
    let account = AccountRecord::opened(at(0));
    golden("account", &account);
    let deleted = AccountRecord {
        status: AccountStatus::Deleted,
        deleted_at: Some(at(100)),
        due_at: Some(at(105)),
        ..AccountRecord::opened(at(0))
    };
    golden("account_deleted", &deleted);
    let token = TokenRecord { v: 1, name: "first".into(), created_at: at(0) };
    golden("token", &token);
    let owner = "a1".repeat(16);
    golden("token_claim", &TokenClaim { v: 1, owner });
}
