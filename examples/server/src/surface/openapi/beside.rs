//! The routes beside the published API.

use serde_json::{Value, json};

use super::published::delivered;
use super::shape::{Operation, about, boolean, closed, int32, int64, named, one_of, text, time};

/// What every server serves.
pub(super) fn routes() -> Vec<Operation> {
    let mut all = vec![stubs("get"), stubs("post"), events(), explain(), preview(), delete_account()];
    all.extend(operation());
    all.extend(documents());
    all
}

/// The market's older protocol.
fn stubs(method: &'static str) -> Operation {
    let actions = [
        "getBalance",
        "getNumber",
        "getNumberV2",
        "setStatus",
        "getStatus",
        "getStatusV2",
        "getFullSms",
        "getActiveActivations",
        "getHistory",
        "getPrices",
        "getNumbersStatus",
        "getCountries",
        "getServicesList",
        "getOperators",
        "getTopCountriesByService",
    ];
    let remark = "One address for programs that speak the SMS-Activate protocol. Query and form are one set of \
                  parameters; unknown ones are ignored. Answers are bare words (text/plain) or JSON, with HTTP 200 also \
                  for refusals; 503 and SERVER_ERROR mean that something is broken. Money is in rupiah. Without a \
                  country (or with `any`) the cheapest country in stock is taken. A used orderId answers \
                  ORDER_ALREADY_EXISTS. An SMS without a recognised code reads STATUS_OK:Нет кода; its text is in \
                  getFullSms and getStatusV2.";
    let parameters = [
        ("service", "The market's code, such as wa."),
        ("country", "The market's id; 0 is Russia."),
        ("operator", "Only `any`."),
        ("maxPrice", "The most that may be charged, in rupiah; rounded down. Also max_price."),
        ("orderId", "Your own id of a purchase: 1 to 128 letters, digits, - or _."),
        ("id", "The activation. Also activationId."),
        ("status", "Of setStatus: 1, 3 (another SMS), 6 (finish), 8 or -1 (cancel)."),
    ];
    let operation = Operation::new(method, "/stubs/handler_api.php", "older programs", "The SMS-Activate protocol")
        .remark(remark)
        .secured_by("key")
        .parameter("query", "action", one_of(&actions), true);
    parameters
        .into_iter()
        .fold(operation, |operation, (name, remark)| operation.parameter("query", name, about(text(), remark), false))
        .answer("200", "A word, or JSON where the action has it.", "text/plain", text())
        .answer("503", "SERVER_ERROR", "text/plain", text())
}

fn events() -> Operation {
    let stream = about(text(), "Server-sent events; the `data` of each is an AccountEvent.");
    Operation::new("get", "/events", "events", "What happens on the account, as it happens")
        .remark(
            "A message has `id` (the account's event number, without gaps), `event` (such as order.otp_received) and \
             `data` (an AccountEvent). A stream begins with what happens next, or after the event that `Last-Event-ID` \
             or `after` names, and ends after an hour at most: come back with the last id. At most 16 streams per account.",
        )
        .parameter("query", "after", about(int64(), "Begin after this event; 0 for all."), false)
        .parameter("header", "Last-Event-ID", about(int64(), "The same, and goes before it."), false)
        .answer("200", "The stream.", "text/event-stream", stream)
        .refuses(&[401, 422, 429, 500, 503])
}

fn explain() -> Operation {
    Operation::new("get", "/account/orders/{id}/explain", "account", "Why an order is as it is")
        .remark(
            "Its steps, oldest first, each with its rule and the transfer that went with it; what happens to it next by \
             itself; and what may be done with it now.",
        )
        .parameter("path", "id", int32(), true)
        .data(named("Explanation"), None)
        .refuses(&[401, 404, 429, 500, 503])
}

fn preview() -> Operation {
    Operation::new("get", "/account/deletion", "account", "What the deletion of the account would do now")
        .remark("What is given up, what becomes of each open order, and what stays. Nothing of it is promised: an SMS may come.")
        .data(named("DeletionPreview"), None)
        .refuses(&[401, 429, 500, 503])
}

fn delete_account() -> Operation {
    Operation::new("delete", "/account", "account", "Delete the account")
        .remark(
            "At once and for good: what is available is forfeited, every token is gone, and nothing can be read any more. \
             An order that has had its SMS ends; another one is cancelled as soon as its supplier allows it, and what it \
             gives back is forfeited too. `forfeit` must be true: /account/deletion tells how much it is. The same again \
             answers 401, as for every token that is none.",
        )
        .body("Deletion")
        .data(closed([("deleted", boolean())]), None)
        .refuses(&[401, 413, 422, 429, 500, 503])
}

fn operation() -> Vec<Operation> {
    let standing = one_of(&["selling", "probing", "resting", "out_of_funds", "drained"]);
    let suppliers = json!({"type": "object", "additionalProperties": standing});
    let ready = closed([("store", one_of(&["ok"])), ("recovered", boolean()), ("suppliers", suppliers)]);
    let not_ready = "503 while they cannot. Its details: `store` is ok, away, older or newer (than this program), with \
                     `code` and `reason` where it is not ok; `recovered`; `stopping`.";
    vec![
        Operation::new("get", "/healthz", "operation", "Whether the process is up").open().answer(
            "200",
            "It is.",
            "text/plain",
            text(),
        ),
        Operation::new("get", "/readyz", "operation", "Whether requests can be served")
            .remark(not_ready)
            .open()
            .data(ready, None)
            .refuses(&[503]),
        Operation::new("get", "/metrics", "operation", "Figures for Prometheus").open().answer(
            "200",
            "The figures.",
            "text/plain",
            text(),
        ),
    ]
}

fn documents() -> Vec<Operation> {
    let page = |path: &str, summary: &str, kind: &str| {
        Operation::new("get", path, "documents", summary).open().answer(
            "200",
            "The document.",
            kind,
            json!({"type": "string"}),
        )
    };
    vec![
        Operation::new("get", "/openapi.json", "documents", "This document").open().answer(
            "200",
            "The document.",
            "application/json",
            json!({"type": "object"}),
        ),
        page("/docs", "How to begin", "text/html"),
        page("/docs/reference", "This document for people", "text/html"),
        page("/docs/reference.js", "What draws it", "text/javascript"),
        page("/docs/docs.js", "Puts this server's address into examples", "text/javascript"),
        page("/docs/docs.css", "What it looks like", "text/css"),
    ]
}

/// What a sandbox serves besides.
pub(super) fn sandbox() -> Vec<Operation> {
    vec![inject(), advance()]
}

fn advance() -> Operation {
    Operation::new("post", "/sandbox/advance", "sandbox", "Let time pass at once")
        .remark(
            "Sandbox only. Everything that is due within these seconds happens in its order: polls, last checks, ends. \
             Answers when the time has passed, or after 20 s with what has passed by then: ask again for the rest.",
        )
        .open()
        .body("SandboxAdvance")
        .data(closed([("advanced_seconds", int64()), ("now", time())]), None)
        .refuses(&[404, 413, 422, 503])
}

fn inject() -> Operation {
    let envelope: Value = json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"const": true}, "data": delivered()},
    });
    Operation::new("post", "/sandbox/sms", "sandbox", "Let an SMS arrive at an open order's number")
        .remark("Sandbox only. `phone` with or without plus; an order of the service sbx_manual waits for such an SMS.")
        .open()
        .body("SandboxSms")
        .answer("202", "It was delivered.", "application/json", envelope)
        .refuses(&[404, 409, 413, 422])
}
