//! The objects on the wire. Those of `/v1` and `/v2` are closed, as the published API has them: no member is ever added.

use serde_json::{Map, Value, json};

use super::shape::{about, boolean, closed, int32, int64, list, named, one_of, optional, or_null, text, time};
use crate::answer::Code;
use crate::sandbox::SECONDS_MAX;

/// All components, by name. What differs between the surfaces ends in `V1` or `V2`.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    let mut put = |name: &str, schema: Value| {
        all.insert(name.to_owned(), schema);
    };
    put("Refusal", refusal());
    put("Country", country());
    put("Service", service());
    put("Operator", operator());
    put("Money", money());
    put("Fx", fx());
    put("MetaFx", closed([("fx", named("Fx"))]));
    put("MetaPageV1", page(None));
    put("MetaPageV2", page(Some(named("Fx"))));
    put("ExchangeRate", exchange_rate());
    put("BalanceV1", closed([("currency", one_of(&["IDR"])), ("balance", rupiah())]));
    put("BalanceV2", closed([("balance", named("Money"))]));
    put("ActiveOrder", active_order());
    put("OrderId", closed([("id", int32())]));
    put("Finished", closed([("order_id", int32()), ("status", one_of(&["COMPLETED"]))]));
    put("Resent", resent());
    put("Webhook", webhook());
    put("WebhookChange", webhook_change());
    put("WebhookTest", closed([("status_code", int32())]));
    put("AccountEvent", account_event());
    put("Explanation", explanation());
    put("DeletionPreview", deletion_preview());
    put("Deletion", closed([("forfeit", about(boolean(), "Must be true: what is available is given up."))]));
    put("SandboxSms", closed([("phone", text()), ("text", text())]));
    put("SandboxAdvance", sandbox_advance());
    for (version, amount, limit) in [("V1", rupiah(), int64()), ("V2", named("Money"), decimal())] {
        let mut put = |name: &str, schema: Value| put(&format!("{name}{version}"), schema);
        put("Product", product(amount.clone()));
        put("Order", order(amount.clone()));
        put("CreatedOrder", created_order(amount.clone()));
        put("Created", created(version));
        put("Create", create(limit.clone()));
        put("Cancelled", cancelled(amount.clone()));
        put("Reactivate", reactivate(limit));
        put("ReactivateOptions", closed([("cost", amount)]));
    }
    Value::Object(all)
}

fn explanation() -> Value {
    let step = closed([
        ("time", time()),
        ("sequence", about(int64(), "The order's number of the event; the last one's where a step has none.")),
        ("event", about(or_null(text()), "What could be seen, such as order.otp_received.")),
        ("state", about(text(), "The state after it, finer than the five statuses.")),
        ("rule", about(text(), "Why, in a sentence.")),
        ("transfer", about(or_null(text()), "What moved, such as hold 208 IDR.")),
    ]);
    let action = closed([
        ("action", one_of(&["finish", "resend", "cancel"])),
        ("allowed", boolean()),
        ("from", about(or_null(time()), "From when it will be, if time alone is missing.")),
        ("reason", text()),
    ]);
    let next = or_null(closed([("what", text()), ("at", or_null(time()))]));
    let next = about(next, "What happens to it by itself, and when if that is known; null once it has ended.");
    closed([
        ("order", named("OrderV1")),
        ("state", about(text(), "Where it stands, finer than the five statuses.")),
        ("steps", json!({"type": "array", "items": step})),
        ("next", next),
        ("allowed", json!({"type": "array", "items": action})),
    ])
}

fn deletion_preview() -> Value {
    let order = closed([
        ("order_id", int32()),
        ("status", status()),
        ("held", about(int64(), "What it holds; nothing once its SMS is paid for.")),
        ("becomes", one_of(&["completed", "cancelled", "looked_up"])),
        ("from", about(or_null(time()), "From when on it can be cancelled, if that is later than now.")),
    ]);
    let stays = closed([("what", text()), ("why", text())]);
    closed([
        ("currency", text()),
        ("available", about(int64(), "Is forfeited at once.")),
        ("held", about(int64(), "Is paid if an SMS comes, and forfeited otherwise.")),
        ("debt", about(int64(), "Owed, zero or below; it stays in the books.")),
        (
            "orders",
            json!({"type": "array", "items": order, "description": "Open orders, newest first, at most 1,000."}),
        ),
        ("stays", json!({"type": "array", "items": stays})),
    ])
}

fn sandbox_advance() -> Value {
    let mut seconds = int64();
    seconds["minimum"] = json!(1);
    seconds["maximum"] = json!(SECONDS_MAX);
    closed([("seconds", seconds)])
}

fn refusal() -> Value {
    let codes = Code::ALL.map(Code::word);
    let mut error = closed([
        ("code", one_of(&codes)),
        ("message", about(text(), "Text for people; branch on the code.")),
        ("details", json!({"type": "object", "description": "Data to act on; left out when empty."})),
    ]);
    error["required"] = json!(["code", "message"]);
    closed([("success", json!({"const": false})), ("error", error)])
}

/// Whole rupiah.
fn rupiah() -> Value {
    about(int64(), "Whole rupiah.")
}

/// A price limit of `/v2`.
fn decimal() -> Value {
    about(text(), "Dollars as decimal text with up to four decimals, above zero, such as \"0.25\".")
}

fn money() -> Value {
    closed([
        ("amount", about(text(), "Dollars as decimal text: two decimals for balances, four for prices.")),
        ("currency", one_of(&["USD"])),
        ("canonical_amount", about(int64(), "The exact amount of the ledger, in whole rupiah.")),
        ("canonical_currency", one_of(&["IDR"])),
    ])
}

fn fx() -> Value {
    closed([
        ("pair", one_of(&["USD/IDR"])),
        ("rate", about(int64(), "Rupiah per dollar; the same for all amounts of one answer.")),
        ("rate_as_of", or_null(time())),
    ])
}

fn page(fx: Option<Value>) -> Value {
    let page = [
        ("page", int64()),
        ("limit", about(int64(), "After it was cut to its bounds.")),
        ("count", about(int64(), "Items in this page; fewer than `limit` means it is the last.")),
    ];
    let mut page = closed(page);
    if let Some(fx) = fx {
        page["properties"]["fx"] = fx;
        page["required"] = json!(["page", "limit", "count", "fx"]);
    }
    page
}

fn exchange_rate() -> Value {
    closed([("pair", text()), ("base_currency", text()), ("quote_currency", text()), ("rate", int64())])
}

fn country() -> Value {
    closed([
        ("id", int32()),
        ("code", about(or_null(text()), "ISO 3166-1, two letters, lower case.")),
        ("name", text()),
        ("dial_code", about(or_null(text()), "Digits without plus.")),
        ("emoji", or_null(text())),
        ("active", about(boolean(), "Whether anything is sold there now.")),
    ])
}

fn service() -> Value {
    closed([
        ("id", int32()),
        ("code", about(text(), "Name for addresses, such as whatsapp.")),
        ("name", text()),
        ("active", boolean()),
    ])
}

fn operator() -> Value {
    closed([
        ("operator_id", or_null(int32())),
        ("code", text()),
        ("name", or_null(text())),
        ("local_name", or_null(text())),
    ])
}

fn product(amount: Value) -> Value {
    closed([
        ("id", about(int32(), "Stable: one price tier of one service in one country. For `product_id`.")),
        ("name", or_null(text())),
        ("country_id", or_null(int32())),
        ("platform_id", or_null(int32())),
        ("available", about(int32(), "About how many there are.")),
        ("price", amount),
        ("active", boolean()),
        ("catalog_product_id", about(or_null(int32()), "The pair of country and service. For routed orders.")),
        ("operator_id", or_null(int32())),
        ("operator_name", or_null(text())),
    ])
}

fn status() -> Value {
    one_of(&["ACTIVE", "OTP_RECEIVED", "COMPLETED", "CANCELED", "EXPIRED"])
}

/// Puts the flags and times that every view of an order has behind its own members.
fn with_flags(mut order: Value) -> Value {
    let flags = closed([
        ("can_finish", boolean()),
        ("can_resend", boolean()),
        ("can_cancel", boolean()),
        ("can_replace", boolean()),
        ("can_reactivate", boolean()),
        ("resend_available_at", or_null(time())),
        ("cancel_available_at", or_null(time())),
        ("replace_available_at", or_null(time())),
    ]);
    for member in ["properties", "required"] {
        match (&mut order[member], &flags[member]) {
            (Value::Object(own), Value::Object(more)) => own.extend(more.clone()),
            (Value::Array(own), Value::Array(more)) => own.extend(more.iter().cloned()),
            _ => {}
        }
    }
    order
}

fn code() -> Value {
    about(or_null(text()), "The last code that was recognised; null after the order's end.")
}

fn message() -> Value {
    about(or_null(text()), "The newest SMS; null after the order's end.")
}

fn revision() -> Value {
    about(int64(), "Grows with every new SMS.")
}

fn phone() -> Value {
    about(or_null(text()), "With plus; null before there is a number and after the order's end.")
}

fn order(amount: Value) -> Value {
    with_flags(closed([
        ("id", int32()),
        ("status", status()),
        ("created_at", or_null(time())),
        ("product_id", int32()),
        ("catalog_product_id", or_null(int32())),
        ("operator_id", or_null(int32())),
        ("operator_name", or_null(text())),
        ("phone_number", phone()),
        ("amount", amount),
        ("otp_code", code()),
        ("otp_message", message()),
        ("sms_revision", revision()),
        ("otp_received_at", about(or_null(time()), "When the first SMS came.")),
        ("expires_at", or_null(time())),
        ("canceled_at", or_null(time())),
        ("failed_reason", or_null(text())),
    ]))
}

fn active_order() -> Value {
    with_flags(closed([
        ("id", int32()),
        ("status", status()),
        ("operator_id", or_null(int32())),
        ("operator_name", or_null(text())),
        ("otp_code", code()),
        ("otp_message", message()),
        ("sms_revision", revision()),
        ("otp_received_at", or_null(time())),
        ("expires_at", or_null(time())),
        ("failed_reason", or_null(text())),
    ]))
}

fn created_order(amount: Value) -> Value {
    with_flags(closed([
        ("id", int32()),
        ("status", status()),
        ("product_id", int32()),
        ("catalog_product_id", or_null(int32())),
        ("operator_id", or_null(int32())),
        ("operator_name", or_null(text())),
        ("phone_number", phone()),
        ("amount", amount),
        ("otp_code", or_null(text())),
        ("otp_received_at", or_null(time())),
        ("expires_at", or_null(time())),
        ("failed_reason", or_null(text())),
    ]))
}

fn created(version: &str) -> Value {
    closed([
        ("orders", list(&format!("CreatedOrder{version}"))),
        ("failed_count", about(int32(), "How many of `quantity` came to nothing; why is in `failures` beside `data`.")),
    ])
}

fn create(limit: Value) -> Value {
    let routed = |schema: Value| about(schema, "With `catalog_product_id` only.");
    optional([
        ("product_id", about(or_null(int32()), "Exactly this tier. Either this or `catalog_product_id`.")),
        ("catalog_product_id", about(or_null(int32()), "The best present offer for this pair.")),
        ("max_price", or_null(limit.clone())),
        ("min_price", or_null(limit)),
        ("prefer_provider", routed(or_null(text()))),
        (
            "policy",
            json!({"type": ["string", "null"], "enum": ["cheapest", "best_success", null], "default": "cheapest"}),
        ),
        ("operator_id", routed(or_null(int32()))),
        ("quantity", json!({"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": 1})),
    ])
}

fn cancelled(amount: Value) -> Value {
    closed([
        ("order_id", int32()),
        ("status", one_of(&["CANCELED"])),
        ("refund_amount", amount.clone()),
        ("new_balance", amount),
    ])
}

fn reactivate(limit: Value) -> Value {
    let mut body = optional([("id", int32()), ("max_price", or_null(limit))]);
    body["required"] = json!(["id"]);
    body
}

fn resent() -> Value {
    closed([
        ("order_id", int32()),
        ("status", status()),
        ("resent", about(boolean(), "Whether the supplier took the request.")),
    ])
}

fn webhook() -> Value {
    closed([
        ("webhook_url", or_null(text())),
        ("webhook_secret", or_null(text())),
        ("webhook_disabled_at", or_null(time())),
        ("webhook_disabled_reason", or_null(text())),
        ("webhook_consecutive_failures", int32()),
    ])
}

fn webhook_change() -> Value {
    optional([
        ("webhook_url", json!({"type": ["string", "null"], "maxLength": 2048})),
        ("webhook_secret", json!({"type": ["string", "null"], "maxLength": 256})),
    ])
}

fn account_event() -> Value {
    closed([
        ("event", about(text(), "Such as order.otp_received; also the message's `event`.")),
        ("number", about(int64(), "The account's number of the event, without gaps; also the message's `id`.")),
        ("order_id", int32()),
        ("sequence", about(int64(), "The order's number of the event, without gaps.")),
        ("timestamp", time()),
        (
            "order",
            json!({
                "oneOf": [named("OrderV1"), {"type": "null"}],
                "description": "The order when the message was sent.",
            }),
        ),
    ])
}
