//! What is sealed in an order: its link to the supplier, its number, its SMS.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::record::{OrderId, OrderRecord, WrappedKey};
use crate::account::AccountId;
use crate::port::{EpochId, EpochKey, SupplierSms};
use crate::privacy::{NONCE_BYTES, OrderKey, Sealed, keyed_hash, open, seal};

/// The epoch keys that exist, by epoch.
pub(crate) type Epochs = BTreeMap<EpochId, EpochKey>;

/// What links an order with the supplier's side.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// Random name of the purchase; also the key of the supplier-side record.
    pub(crate) reference: String,
    /// The supplier's name for it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<String>,
}

/// Text and code of an SMS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
}

/// The opened content of an order; empty after its end or when its key is gone.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) phone: Option<String>,
    /// The last code that was recognised.
    pub(crate) code: Option<String>,
    /// The newest SMS.
    pub(crate) text: Option<String>,
}

const LINK: &[u8] = b"link";
const PHONE: &[u8] = b"phone";

/// Wraps an order's key for one order.
pub(crate) fn wrap(
    epoch: (EpochId, &EpochKey),
    nonce: [u8; NONCE_BYTES],
    account: AccountId,
    id: OrderId,
    key: &OrderKey,
) -> Option<WrappedKey> {
    let wrapped = seal(epoch.1.bytes(), nonce, &purpose(account, id), &*key.0)?;
    Some(WrappedKey { epoch: epoch.0.0, wrapped })
}

/// The order's key, if it and its epoch's are still there.
pub(crate) fn unwrap(epochs: &Epochs, account: AccountId, id: OrderId, record: &OrderRecord) -> Option<OrderKey> {
    let wrapped = record.key.as_ref()?;
    let epoch = epochs.get(&EpochId(wrapped.epoch))?;
    let bytes = open(epoch.bytes(), &purpose(account, id), &wrapped.wrapped)?;
    Some(OrderKey(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
}

fn purpose(account: AccountId, id: OrderId) -> Vec<u8> {
    [b"order".as_slice(), &account.bytes(), &id.0.to_be_bytes()].concat()
}

/// Seals the link.
pub(crate) fn seal_link(key: &OrderKey, nonce: [u8; NONCE_BYTES], link: &Link) -> Option<Sealed> {
    seal(&key.0, nonce, LINK, &serde_json::to_vec(link).ok()?)
}

/// Seals the number.
pub(crate) fn seal_phone(key: &OrderKey, nonce: [u8; NONCE_BYTES], phone: &str) -> Option<Sealed> {
    seal(&key.0, nonce, PHONE, phone.as_bytes())
}

/// Seals an SMS.
pub(crate) fn seal_message(
    key: &OrderKey,
    nonce: [u8; NONCE_BYTES],
    revision: u64,
    message: &Message,
) -> Option<Sealed> {
    seal(&key.0, nonce, &message_purpose(revision), &serde_json::to_vec(message).ok()?)
}

fn message_purpose(revision: u64) -> Vec<u8> {
    [b"message".as_slice(), &revision.to_be_bytes()].concat()
}

fn open_json<T: DeserializeOwned>(key: &OrderKey, purpose: &[u8], sealed: &Sealed) -> Option<T> {
    serde_json::from_slice(&open(&key.0, purpose, sealed)?).ok()
}

/// Opens the link alone: what polling needs.
pub(crate) fn open_link(key: &OrderKey, record: &OrderRecord) -> Option<Link> {
    open_json(key, LINK, record.link.as_ref()?)
}

/// Opens everything. The code is the last that was recognised, the text that of the newest SMS.
pub(crate) fn open_all(key: &OrderKey, record: &OrderRecord) -> Content {
    let phone = record.phone.as_ref().and_then(|sealed| open(&key.0, PHONE, sealed));
    let messages: Vec<Message> = record
        .messages
        .iter()
        .filter_map(|message| open_json(key, &message_purpose(message.revision), &message.sealed))
        .collect();
    Content {
        phone: phone.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
        code: messages.iter().rev().find_map(|message| message.code.clone()),
        text: messages.last().map(|message| message.text.clone()),
    }
}

/// What tells an SMS from others of its order: the supplier's id for it; else its text, sender and time, as keyed hashes.
/// What the supplier does not say is `-`.
pub(crate) fn dedupe(key: &OrderKey, sms: &SupplierSms) -> String {
    let hash = |name: &[u8], text: &str| hex(&keyed_hash(&key.0, &[name, text.as_bytes()])[..8]);
    let part = |name: &[u8], text: &Option<String>| text.as_ref().map_or_else(|| "-".into(), |text| hash(name, text));
    match &sms.id {
        Some(id) => hash(b"id", id),
        None => [hash(b"text", &sms.text), part(b"sender", &sms.sender), part(b"at", &sms.at)].join("."),
    }
}

/// Whether two of these are one SMS. A supplier's calls differ in what they say of it, so what one does not say fits
/// everything; one that says neither sender nor time repeats the same SMS at every poll.
pub(crate) fn is_same(known: &str, found: &str) -> bool {
    let (known, found): (Vec<&str>, Vec<&str>) = (known.split('.').collect(), found.split('.').collect());
    known.len() == found.len() && known.iter().zip(&found).all(|(a, b)| a == b || *a == "-" || *b == "-")
}

/// The keyed hash of a number in an epoch.
pub(crate) fn phone_hash(epoch: &EpochKey, phone: &str) -> String {
    hex(&keyed_hash(epoch.bytes(), &[b"phone", phone.as_bytes()])[..16])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}
