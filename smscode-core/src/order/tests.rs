//! The pure rules of orders as tables of values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod content;
#[cfg(feature = "conformance")]
mod golden;
mod rules;
mod supply;
mod table;

use std::collections::BTreeMap;

use super::content::{Link, Message, seal_link, seal_message, seal_phone, wrap};
use super::decide::{Input, State};
use super::record::{Call, MessageRecord, OrderId, OrderRecord, StepRecord};
use crate::account::AccountId;
use crate::money::Currency;
use crate::port::{EpochId, EpochKey};
use crate::privacy::OrderKey;
use crate::time::Timestamp;

const ACCOUNT: AccountId = AccountId::from_bytes([0xa1; 16]);
const ORDER: OrderId = OrderId(1_234_567);
const EPOCH: EpochId = EpochId(1_800_000_000);
const PHONE: &str = "6281234567890";
const TEXT: &str = "Your code is 415127";
const CODE: &str = "415127";
const ACTIVATION: &str = "act-778899";
const REFERENCE: &str = "00112233445566778899aabbccddeeff";

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn epoch_key() -> EpochKey {
    EpochKey::new([0xe0; 32])
}

fn epochs() -> BTreeMap<EpochId, EpochKey> {
    [(EPOCH, epoch_key())].into()
}

fn order_key() -> OrderKey {
    OrderKey(zeroize::Zeroizing::new([0x0c; 32]))
}

/// An order in this state, placed at 0, with a number since 5, an SMS at 60 where the state has one, window to 1205.
fn order(state: State) -> OrderRecord {
    let key = order_key();
    let has_number = state.listens();
    let has_sms = state == State::Received;
    let link = Link { reference: REFERENCE.into(), activation: has_number.then(|| ACTIVATION.into()) };
    let message = Message { text: TEXT.into(), code: Some(CODE.into()) };
    let messages = has_sms.then(|| MessageRecord {
        revision: 1,
        at: at(60),
        sealed: seal_message(&key, [3; 12], 1, &message).unwrap(),
        dedupe: "00aa11bb22cc33dd".into(),
    });
    OrderRecord {
        v: 1,
        state,
        created_at: at(0),
        product: 11,
        umbrella: 7,
        country: 6,
        service: "wa".into(),
        price_minor: 2_080,
        currency: Currency::Idr,
        supplier: "alpha".into(),
        routed: true,
        tried: vec!["beta".into()],
        due_at: Some(at(1_200)),
        call: (state == State::Calling).then(|| Call {
            attempt: 1,
            sent_by: "n0de".into(),
            send_until: at(20),
            over_at: at(50),
        }),
        look_ups: u32::from(state == State::Unclear),
        key: wrap((EPOCH, &epoch_key()), [1; 12], ACCOUNT, ORDER, &key),
        link: seal_link(&key, [2; 12], &link),
        phone: has_number.then(|| seal_phone(&key, [4; 12], PHONE).unwrap()),
        phone_claims: if has_number {
            super::phone::phone_claims(&[], (&epochs(), EPOCH), PHONE, 7, at(0))
        } else {
            vec![]
        },
        messages: messages.into_iter().collect(),
        revision: u64::from(has_sms),
        first_sms_at: has_sms.then(|| at(60)),
        last_sms_at: has_sms.then(|| at(60)),
        expires_at: has_number.then(|| at(1_205)),
        unasked_since: None,
        cancel_at: has_number.then(|| at(125)),
        cancel_scheduled: false,
        resend_at: None,
        awaiting_more: false,
        abandoned: false,
        ended_at: None,
        reason: None,
        claim: Some("c1a1".into()),
        sequence: 1,
        steps: vec![StepRecord {
            at: at(0),
            input: Input::Place,
            state: State::Calling,
            event: Some("order.placed".into()),
            money: Some("hold".into()),
            note: None,
        }],
    }
}
