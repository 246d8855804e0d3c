//! Activations out of replies: a purchase, a status, a row of a list.

use chrono::{DateTime, NaiveDateTime};
use smscode_core::money::{Currency, Money};
use smscode_core::port::{Activation, ActivationId, ActivationState, Charge, Past, SupplierSms};

use super::dialects::Dialect;
use crate::json::{Json, Members};
use crate::read;

/// The longest id of an activation.
const ID_LIMIT: usize = 64;
/// The most SMS of one activation: the last ones are kept.
const SMS_LIMIT: usize = 100;
/// Windows outside of these bounds are a mistake in the supplier's times.
const WINDOW_SECONDS: std::ops::RangeInclusive<i64> = 60..=86_400;
/// What the original says in place of a code where it found none.
const NO_CODE: &str = "Нет кода";

/// What is needed to understand amounts and countries.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) currency: Currency,
}

/// A row of the active list. A phone that cannot be read costs the row its phone, not its SMS.
pub(super) struct Row {
    pub(super) id: ActivationId,
    pub(super) state: ActivationState,
    phone: Option<String>,
    cost: Option<Money>,
    country: Option<u16>,
    service: Option<String>,
    reference: Option<String>,
}

impl Row {
    /// The whole activation, unless its phone could not be read.
    pub(super) fn activation(self) -> Option<Activation> {
        Some(Activation {
            id: self.id,
            phone: self.phone?,
            cost: self.cost,
            window_seconds: None,
            reference: self.reference,
            country: self.country,
            service: self.service,
            state: self.state,
        })
    }
}

/// `id:phone` of `ACCESS_NUMBER`, with colons or bars.
pub(super) fn number(detail: &str) -> Option<Activation> {
    let (id, phone) = detail.split_once([':', '|'])?;
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let id = if digits { activation_id(id)? } else { return None };
    Some(Activation::new(id, read::phone(phone)?))
}

/// The reply of `getNumberV2`.
pub(super) fn purchase(frame: Frame<'_>, json: Json<'_>) -> Option<Activation> {
    let members = json.object()?;
    let mut row = row_of(frame, &members)?;
    row.state = ActivationState::Waiting;
    let mut activation = row.activation()?;
    activation.window_seconds = window(&members);
    Some(activation)
}

/// A row of the list.
pub(super) fn row(frame: Frame<'_>, json: Json<'_>) -> Option<Row> {
    row_of(frame, &json.object()?)
}

/// A row of the history. 6 is finished and charged; 8 is cancelled and 10 refunded, whatever cost stands beside it; every
/// other status is open, or unknown.
pub(super) fn past(frame: Frame<'_>, json: Json<'_>) -> Option<Past> {
    let members = json.object()?;
    let charge = match members.first_scalar(&["status", "activationStatus"]).as_deref() {
        Some("6") => Charge::Kept(cost(frame, &members)),
        Some("8" | "10") => Charge::Returned,
        _ => Charge::Undecided,
    };
    Some(Past { id: activation_id(&members.first_scalar(&["id", "activationId"])?)?, charge })
}

fn row_of(frame: Frame<'_>, members: &Members<'_>) -> Option<Row> {
    let service = members.first_scalar(&["serviceCode", "service"]).map(|code| code.to_ascii_lowercase());
    let country = members.first_scalar(&["countryCode", "country"]).and_then(|id| id.parse().ok());
    Some(Row {
        id: activation_id(&members.first_scalar(&["activationId", "id"])?)?,
        phone: members.first_scalar(&["phoneNumber", "phone"]).and_then(|text| read::phone(&text)),
        cost: cost(frame, members),
        country: country.map(|id| frame.dialect.country_in(id)),
        service,
        reference: members.first_scalar(&["orderId"]),
        state: row_state(members),
    })
}

/// Ids are text: digits beyond 64 bits, letters, UUIDs; but no literal of a fraction.
fn activation_id(text: &str) -> Option<ActivationId> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (!text.is_empty() && text.len() <= ID_LIMIT && text.bytes().all(fine)).then(|| ActivationId(text.to_owned()))
}

/// What it cost, rounded up; `None` if it is stated in another currency or cannot be read.
fn cost(frame: Frame<'_>, members: &Members<'_>) -> Option<Money> {
    if let Some(stated) = members.first_scalar(&["currency"]) {
        let same =
            stated.parse().ok() == frame.currency.iso_number() || stated.eq_ignore_ascii_case(frame.currency.code());
        if !same {
            return None;
        }
    }
    let literal = members.first_scalar(&["activationCost", "cost"])?;
    read::cost(&literal, frame.currency)
}

/// The difference of two times of the supplier's clock. One of them alone is worth nothing: it has no zone.
fn window(members: &Members<'_>) -> Option<u32> {
    let begin = moment(&members.first_scalar(&["activationTime"])?)?;
    let end = moment(&members.first_scalar(&["activationEndTime", "activationEnd"])?)?;
    let seconds = end.checked_sub(begin)?;
    WINDOW_SECONDS.contains(&seconds).then(|| u32::try_from(seconds).ok())?
}

fn moment(text: &str) -> Option<i64> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp());
    zoned.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|at| at.and_utc().timestamp())).ok()
}

/// 6 finished, 8 cancelled, 10 refunded; all others, known or not, are open.
fn row_state(members: &Members<'_>) -> ActivationState {
    let sms = row_sms(members);
    match members.first_scalar(&["activationStatus", "status"]).as_deref() {
        Some("8" | "10") => ActivationState::Ended,
        _ if !sms.is_empty() => ActivationState::Received(sms),
        Some("6") => ActivationState::Ended,
        _ => ActivationState::Waiting,
    }
}

/// `smsCode`, `smsText` and times: a string, a list of strings side by side, or nothing.
fn row_sms(members: &Members<'_>) -> Vec<SupplierSms> {
    let column = |names: &[&str]| -> Vec<Option<String>> {
        let Some(json) = members.first(names) else {
            return Vec::new();
        };
        json.items().map_or_else(|| vec![json.scalar()], |rows| rows.into_iter().map(Json::scalar).collect())
    };
    let (codes, texts) = (column(&["smsCode"]), column(&["smsText"]));
    let times = column(&["smsDate", "receiveSmsDate"]);
    let at = |column: &[Option<String>], index: usize| column.get(index).cloned().flatten();
    let all = (0..codes.len().max(texts.len()))
        .filter_map(|index| sms(at(&texts, index), at(&codes, index), at(&times, index)));
    last(all.collect())
}

/// The reply of `getStatusV2`, in both of its forms. `None` if it is neither.
pub(super) fn status(json: Json<'_>) -> Option<ActivationState> {
    let members = json.object()?;
    if !["sms", "call", "data", "verificationType"].iter().any(|name| members.contains_key(*name)) {
        return None;
    }
    let found: Vec<SupplierSms> = ["sms", "data", "call"]
        .iter()
        .filter_map(|name| members.first(&[name]))
        .flat_map(|json| json.items().unwrap_or_else(|| vec![json]))
        .filter_map(|json| message(&json.object()?))
        .collect();
    Some(ActivationState::open(last(found)))
}

fn message(members: &Members<'_>) -> Option<SupplierSms> {
    let text = members.get("text").and_then(|json| json.scalar());
    let mut found = sms(text, members.first_scalar(&["code"]), members.first_scalar(&["dateTime", "date"]))?;
    found.id = members.first_scalar(&["id"]);
    found.sender = members.first_scalar(&["phoneFrom", "from"]).map(|sender| read::sms_text(&sender));
    Some(found)
}

/// What follows `STATUS_OK:`. A code, or with some clones the text; the original says in words that it found no code.
pub(super) fn status_ok(detail: Option<&str>) -> ActivationState {
    let said = detail.unwrap_or_default().to_owned();
    let code = (said != NO_CODE && !said.contains(char::is_whitespace)).then(|| said.clone());
    sms(Some(said), code, None).map_or(ActivationState::Waiting, |sms| ActivationState::Received(vec![sms]))
}

/// An SMS, if there is a text or at least a code.
fn sms(text: Option<String>, code: Option<String>, at: Option<String>) -> Option<SupplierSms> {
    let filled = |text: Option<String>| text.map(|text| read::sms_text(&text)).filter(|text| !text.trim().is_empty());
    let code = filled(code);
    let text = filled(text).or_else(|| code.clone())?;
    let code = code.filter(|code| code != NO_CODE).map(|code| code.trim().to_owned());
    let at = filled(at).filter(|at| !at.starts_with("0000-"));
    Some(SupplierSms { id: None, sender: None, text, code, at })
}

fn last(mut all: Vec<SupplierSms>) -> Vec<SupplierSms> {
    all.split_off(all.len().saturating_sub(SMS_LIMIT))
}
