//! `getActiveActivations` and `getHistory`: lists of orders.

use serde::Serialize;
use serde_json::value::RawValue;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::order::OrderView;

use super::input::Parameters;
use super::reply::Reply;
use super::status::{Phase, newest_sms_at};
use super::{money, refuse};

/// Rows of the history in one reply, at most.
const HISTORY_MAX: usize = 100;
/// Rows of the history where the program names no number.
const HISTORY_DEFAULT: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    activation_id: String,
    service_code: &'a str,
    phone_number: &'a str,
    activation_cost: String,
    activation_status: &'static str,
    sms_code: Option<[&'a str; 1]>,
    sms_text: Option<[&'a str; 1]>,
    receive_sms_date: Option<&'a str>,
    activation_time: String,
    discount: &'static str,
    repeated: &'static str,
    country_code: String,
    country_name: &'static str,
    can_get_another_sms: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u16>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Active<'a> {
    status: &'static str,
    active_activations: &'a [Row<'a>],
    data: &'a [Row<'a>],
}

/// Everything open that has a number, newest first; `start` and `limit` cut a page out. A row has the newest SMS and
/// the last code, not the earlier ones: those are gone from the order's view.
pub(super) async fn active(platform: &Platform, account: AccountId, sent: &Parameters) -> Reply {
    let orders = match platform.open_orders(account).await {
        Ok(orders) => orders,
        Err(error) => return refuse::other(&error),
    };
    let with_number = orders.iter().filter(|order| order.phone.is_some());
    let start = sent.whole(&["start"]).unwrap_or(0);
    let limit = sent.whole(&["limit", "size", "length"]).unwrap_or(usize::MAX);
    let page: Vec<&OrderView> = with_number.skip(start).take(limit).collect();
    let mut times = Vec::with_capacity(page.len());
    for order in &page {
        times.push(newest_sms_at(platform, account, order).await);
    }
    let rows: Vec<Row<'_>> = page.iter().zip(&times).map(|(order, at)| row(platform, order, at.as_deref())).collect();
    Reply::json(&Active { status: "success", active_activations: &rows, data: &rows })
}

fn row<'a>(platform: &Platform, order: &'a OrderView, sms_at: Option<&'a str>) -> Row<'a> {
    let text = order.text.as_deref();
    Row {
        activation_id: order.id.0.to_string(),
        service_code: &order.service,
        phone_number: order.phone.as_deref().unwrap_or_default(),
        activation_cost: order.price.decimal(),
        activation_status: Phase::of(order).number(),
        // side by side with the texts: a text without a code has an empty one
        sms_code: text.map(|_| [order.code.as_deref().unwrap_or_default()]),
        sms_text: text.map(|text| [text]),
        receive_sms_date: sms_at,
        activation_time: order.created_at.plain(),
        discount: "0.00",
        repeated: "0",
        country_code: order.country.to_string(),
        country_name: platform.catalogue().country(order.country).map_or("", |country| country.name),
        can_get_another_sms: "1",
        currency: order.price.currency.iso_number(),
    }
}

#[derive(Serialize)]
struct Past<'a> {
    id: u32,
    date: String,
    phone: &'a str,
    sms: Option<&'a str>,
    cost: Box<RawValue>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u16>,
}

/// Orders, newest first, `offset` and `limit` over all of them; of those the ones placed between `start` and `end`.
/// Number and SMS of what has ended are gone; what was not paid for costs 0.
pub(super) async fn history(platform: &Platform, account: AccountId, sent: &Parameters) -> Reply {
    let limit = sent.whole(&["limit", "size", "length"]).unwrap_or(HISTORY_DEFAULT).clamp(1, HISTORY_MAX);
    let offset = sent.whole(&["offset"]).unwrap_or(0);
    let orders = match platform.orders(account, None, offset, limit).await {
        Ok(orders) => orders,
        Err(error) => return refuse::other(&error),
    };
    let bound = |name: &str| sent.text(&[name]).and_then(|text| text.parse::<i64>().ok());
    let (start, end) = (bound("start"), bound("end"));
    let within = orders.iter().filter(|order| {
        let placed = order.created_at.seconds();
        start.is_none_or(|start| placed >= start) && end.is_none_or(|end| placed <= end)
    });
    let rows: Vec<Past<'_>> = within.map(past).collect();
    Reply::json(&rows)
}

fn past(order: &OrderView) -> Past<'_> {
    let paid = order.first_sms_at.is_some();
    let mut cost = order.price;
    cost.minor = if paid { cost.minor } else { 0 };
    Past {
        id: order.id.0,
        date: order.created_at.plain(),
        phone: order.phone.as_deref().unwrap_or_default(),
        sms: order.text.as_deref(),
        cost: money::number(cost),
        status: Phase::of(order).number(),
        currency: cost.currency.iso_number(),
    }
}
