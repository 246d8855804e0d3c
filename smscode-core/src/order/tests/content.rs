//! Sealing and telling SMS apart.

use super::super::content::{Message, dedupe, is_same, open_all, open_link, phone_hash, seal_message, unwrap, wrap};
use super::super::decide::State;
use super::super::record::{MessageRecord, OrderId};
use super::{ACCOUNT, ACTIVATION, CODE, EPOCH, ORDER, PHONE, REFERENCE, TEXT, at, epoch_key, epochs, order, order_key};
use crate::account::AccountId;
use crate::port::{EpochId, EpochKey, SupplierSms};
use crate::privacy::OrderKey;

#[test]
fn a_key_opens_for_its_epoch_order_and_account_alone() {
    let record = order(State::Received);
    let key = unwrap(&epochs(), ACCOUNT, ORDER, &record).unwrap();
    assert_eq!(*key.0, *order_key().0);
    let link = open_link(&key, &record).unwrap();
    assert_eq!((link.reference.as_str(), link.activation.as_deref()), (REFERENCE, Some(ACTIVATION)));
    let wrong_key = [(EPOCH, EpochKey::new([0xe1; 32]))].into();
    let other_epoch = [(EpochId(EPOCH.0 + 600), epoch_key())].into();
    assert!(unwrap(&wrong_key, ACCOUNT, ORDER, &record).is_none());
    assert!(unwrap(&other_epoch, ACCOUNT, ORDER, &record).is_none());
    assert!(unwrap(&[].into(), ACCOUNT, ORDER, &record).is_none());
    assert!(unwrap(&epochs(), ACCOUNT, OrderId(1), &record).is_none(), "moved into another order");
    assert!(unwrap(&epochs(), AccountId::from_bytes([9; 16]), ORDER, &record).is_none(), "moved to another account");
}

#[test]
fn sealed_fields_cannot_change_places() {
    let key = order_key();
    let mut record = order(State::Received);
    let (phone, link) = (record.phone.clone(), record.link.clone());
    (record.phone, record.link) = (link, phone);
    let content = open_all(&key, &record);
    assert!(content.phone.is_none() && open_link(&key, &record).is_none());
    // an SMS under another revision is none
    let mut record = order(State::Received);
    record.messages[0].revision = 2;
    let content = open_all(&key, &record);
    assert!(content.text.is_none() && content.code.is_none() && content.phone.as_deref() == Some(PHONE));
    // another order's key opens nothing
    let other = OrderKey(zeroize::Zeroizing::new([0x0d; 32]));
    let content = open_all(&other, &order(State::Received));
    assert!(content.text.is_none() && content.phone.is_none());
}

#[test]
fn the_text_is_the_newest_and_the_code_the_last_recognised() {
    let key = order_key();
    let mut record = order(State::Received);
    let content = open_all(&key, &record);
    assert_eq!((content.text.as_deref(), content.code.as_deref()), (Some(TEXT), Some(CODE)));
    let second = Message { text: "Welcome!".into(), code: None };
    record.messages.push(MessageRecord {
        revision: 2,
        at: at(70),
        sealed: seal_message(&key, [9; 12], 2, &second).unwrap(),
        dedupe: String::new(),
    });
    let content = open_all(&key, &record);
    assert_eq!((content.text.as_deref(), content.code.as_deref()), (Some("Welcome!"), Some(CODE)));
}

#[test]
fn re_wrapping_changes_the_epoch_alone() {
    let next = (EpochId(EPOCH.0 + 3_600), EpochKey::new([7; 32]));
    let mut record = order(State::Received);
    let before = record.clone();
    record.key = wrap((next.0, &next.1), [8; 12], ACCOUNT, ORDER, &order_key());
    assert_eq!(record.messages, before.messages);
    assert!(unwrap(&epochs(), ACCOUNT, ORDER, &record).is_none());
    let key = unwrap(&[next].into(), ACCOUNT, ORDER, &record).unwrap();
    assert_eq!(open_all(&key, &record).text.as_deref(), Some(TEXT));
}

#[test]
fn what_tells_one_sms_from_another() {
    let sms = |id: Option<&str>, sender: Option<&str>, at: Option<&str>, text: &str| SupplierSms {
        id: id.map(str::to_owned),
        sender: sender.map(str::to_owned),
        at: at.map(str::to_owned),
        text: text.into(),
        code: None,
    };
    let cases = [
        ("same id, whatever else", sms(Some("1"), None, None, "a"), sms(Some("1"), Some("x"), Some("t"), "b"), true),
        ("other id, same text", sms(Some("1"), None, None, "a"), sms(Some("2"), None, None, "a"), false),
        ("no id, same text", sms(None, None, None, "a"), sms(None, None, None, "a"), true),
        ("no id, other text", sms(None, None, None, "a"), sms(None, None, None, "b"), false),
        ("no id, other time", sms(None, None, Some("1"), "a"), sms(None, None, Some("2"), "a"), false),
        ("no id, other sender", sms(None, Some("1"), None, "a"), sms(None, Some("2"), None, "a"), false),
        ("parts do not run together", sms(None, Some("ab"), None, "c"), sms(None, Some("a"), None, "bc"), false),
        ("one call says no time", sms(None, Some("1"), Some("1"), "a"), sms(None, Some("1"), None, "a"), true),
        ("one call says no sender", sms(None, Some("1"), Some("1"), "a"), sms(None, None, Some("1"), "a"), true),
        ("an id is no text", sms(Some("a"), None, None, ""), sms(None, None, None, "a"), false),
    ];
    let key = order_key();
    for (name, one, other, same) in cases {
        assert_eq!(is_same(&dedupe(&key, &one), &dedupe(&key, &other)), same, "{name}");
    }
    let other = OrderKey(zeroize::Zeroizing::new([1; 32]));
    let one = sms(Some("1"), None, None, "a");
    assert_ne!(dedupe(&key, &one), dedupe(&other, &one), "keyed by the order");
}

#[test]
fn hashes_of_numbers_are_keyed_by_the_epoch() {
    assert_ne!(phone_hash(&epoch_key(), PHONE), phone_hash(&EpochKey::new([1; 32]), PHONE));
    assert_eq!(phone_hash(&epoch_key(), PHONE), phone_hash(&epoch_key(), PHONE));
    assert!(!phone_hash(&epoch_key(), PHONE).contains("81234"));
}
