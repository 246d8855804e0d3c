//! The operators' routes.

use serde_json::{Value, json};

use super::shape::{Operation, about, boolean, closed, int32, int64, named, one_of, optional, or_null, text, time};

const TAG: &str = "operators";

/// What a server with an operators' token serves besides.
pub(super) fn routes() -> Vec<Operation> {
    vec![
        operation("get", "/admin/queues", "What waits for an operator")
            .remark(
                "The first page of each queue: `unclear` (purchases whose call had no clear answer, five minutes or older), \
                 `stuck` (purchases that a supplier would not settle), `exceptions` (books that do not add up), `differences` \
                 (what a supplier's history or balance shows and the books do not). With `queue` one of them, and with `after` \
                 its next page. No row says whose it is.",
            )
            .parameter("query", "queue", one_of(&["unclear", "stuck", "exceptions", "differences"]), false)
            .parameter("query", "after", about(text(), "The `next` of the page before."), false)
            .parameter("query", "limit", about(int32(), "1 to 100; 100 if left out."), false)
            .data(queues(), None)
            .refuses(&[422]),
        operation("get", "/admin/cases/{id}", "What an audit of a case finds now")
            .remark("Reads the account's books once more and changes nothing. `null` for a case of all accounts together.")
            .parameter("path", "id", about(text(), "The `case` of an exception."), true)
            .data(json!({"anyOf": [named("AccountAudit"), {"type": "null"}]}), None)
            .refuses(&[404]),
        operation("post", "/admin/cases/{id}/lift", "Allow new orders of a case's account again")
            .remark("The next audit judges afresh.")
            .parameter("path", "id", about(text(), "The `case` of an exception."), true)
            .body("OperatorReason")
            .data(closed([("case", text()), ("lifted", boolean())]), None)
            .refuses(&[404, 413, 422]),
        operation("post", "/admin/differences/{id}/settle", "Settle a difference between a supplier and the books")
            .remark(
                "`book`: the books follow the supplier, between `float:` and `loss:` of it. `note`: nothing is booked, because \
                 the supplier is to put it right or the money was paid in. It is not found again. No customer is touched.",
            )
            .parameter("path", "id", about(text(), "The `case` of a difference."), true)
            .body("Settlement")
            .data(closed([("case", text()), ("settled", one_of(&["booked", "noted"]))]), None)
            .refuses(&[404, 413, 422]),
        operation("post", "/admin/suppliers/{name}/compare", "Compare a supplier with the books now")
            .remark("Its history of the last days and its balance. It is done daily without being asked for; this may take minutes.")
            .parameter("path", "name", about(text(), "The supplier's name in the settings."), true)
            .data(comparison(), None)
            .refuses(&[404]),
        operation("post", "/admin/adjust", "Book an adjustment")
            .remark(
                "On the customer's statement with its reason, which stays in the books for good: write nothing personal \
                 there. Never below zero (409 INSUFFICIENT_BALANCE with what is available). Above the limit of the settings \
                 `second` must name somebody else. The same `reference` again books nothing; with other content it is \
                 422 IDEMPOTENCY_KEY_REUSED.",
            )
            .body("Adjustment")
            .data(closed([("booked", boolean()), ("available", int64()), ("currency", text())]), None)
            .refuses(&[404, 409, 413, 422]),
        operation("post", "/admin/wind-down", "Begin or end the wind-down")
            .remark(
                "While it is on, no node takes new deposits and orders: /v1 and /v2 answer 409 CONFLICT with the cause \
                 wind_down, /stubs NO_NUMBERS. Open orders, cancels, refunds and finishes go on.",
            )
            .body("WindDownChange")
            .data(closed([("changed", boolean()), ("wind_down", wind_down())]), None)
            .refuses(&[413, 422]),
        operation("get", "/admin/liabilities", "What is owed to customers")
            .data(closed([("currencies", list_of(liability())), ("wind_down", wind_down())]), None),
        operation("get", "/admin/audit", "What operators did, newest first")
            .parameter("query", "before", about(int64(), "Only what is older: the `at_us` of an entry."), false)
            .parameter("query", "limit", about(int32(), "1 to 100; 100 if left out."), false)
            .data(closed([("entries", list_of(named("AuditEntry")))]), None)
            .refuses(&[422]),
        operation("get", "/admin/alarms", "Every cause that was ever alarmed")
            .remark("What was wrong, when last, and how often. A cause is alarmed once an hour at most.")
            .data(closed([("alarms", list_of(alarm()))]), None),
    ]
}

fn operation(method: &'static str, path: &str, summary: &str) -> Operation {
    Operation::new(method, path, TAG, summary).secured_by("operators").refuses(&[401, 429, 503])
}

fn list_of(schema: Value) -> Value {
    json!({"type": "array", "items": schema})
}

/// Adds the components that these routes use.
pub(super) fn add_schemas(all: &mut Value) {
    all["Settlement"] = closed([("how", one_of(&["book", "note"])), ("actor", text()), ("reason", text())]);
    all["OperatorReason"] = closed([("actor", text()), ("reason", text())]);
    let mut adjustment = optional([
        ("customer", about(text(), "The customer's name in the settings.")),
        ("amount", about(int64(), "In the smallest unit of the ledger's currency; below zero it is taken.")),
        ("reason", text()),
        ("actor", text()),
        ("second", or_null(text())),
        ("reference", about(text(), "Your name for it: the same again is the same adjustment.")),
    ]);
    adjustment["required"] = json!(["customer", "amount", "reason", "actor", "reference"]);
    all["Adjustment"] = adjustment;
    all["WindDownChange"] = closed([("set", one_of(&["begin", "end"])), ("actor", text()), ("reason", text())]);
    all["Finding"] = closed([
        ("rule", text()),
        ("order_id", or_null(int64())),
        ("transfer", or_null(int64())),
        ("expected", int64()),
        ("found", int64()),
    ]);
    all["Minor"] = closed([("minor", int64()), ("currency", text())]);
    all["AccountAudit"] = closed([
        ("transfers", int64()),
        ("is_partial", boolean()),
        ("available", named("Minor")),
        ("held", named("Minor")),
        ("debt", named("Minor")),
        ("findings", list_of(named("Finding"))),
    ]);
    all["AuditEntry"] = closed([
        ("at", time()),
        ("at_us", int64()),
        ("action", text()),
        ("actor", text()),
        ("second", or_null(text())),
        ("subject", or_null(text())),
        ("amount", json!({"anyOf": [named("Minor"), {"type": "null"}]})),
        ("reason", text()),
    ]);
}

fn queues() -> Value {
    let page = |row: Value| closed([("rows", list_of(row)), ("next", or_null(text()))]);
    let unclear = closed([
        ("order_id", int64()),
        ("supplier", text()),
        ("country_id", int32()),
        ("service", text()),
        ("held", named("Minor")),
        ("since", time()),
        ("age_seconds", int64()),
        ("look_ups", int64()),
        ("given_up_at", time()),
        ("action", text()),
    ]);
    let stuck = closed([
        ("supplier", text()),
        ("activation", text()),
        ("country_id", int32()),
        ("service", text()),
        ("cost", json!({"anyOf": [named("Minor"), {"type": "null"}]})),
        ("since", time()),
        ("age_seconds", int64()),
        ("state", text()),
        ("action", text()),
    ]);
    let exceptions = closed([
        ("case", text()),
        ("since", time()),
        ("age_seconds", int64()),
        ("seen_at", time()),
        ("stops_orders", boolean()),
        ("findings", list_of(named("Finding"))),
        ("action", text()),
    ]);
    let what = ["unknown_here", "kept_there", "other_amount", "returned_there", "unknown_there", "balance"];
    let differences = closed([
        ("case", text()),
        ("supplier", text()),
        ("activation", or_null(text())),
        ("what", one_of(&what)),
        ("taken", json!({"anyOf": [named("Minor"), {"type": "null"}]})),
        ("since", time()),
        ("age_seconds", int64()),
        ("action", text()),
    ]);
    optional([
        ("unclear", page(unclear)),
        ("stuck", page(stuck)),
        ("exceptions", page(exceptions)),
        ("differences", page(differences)),
    ])
}

fn alarm() -> Value {
    closed([
        ("cause", text()),
        ("about", or_null(text())),
        ("text", text()),
        ("at", time()),
        ("count", int64()),
        ("is_waiting", about(boolean(), "Whether the last one has still to be told.")),
    ])
}

fn comparison() -> Value {
    closed([
        ("supplier", text()),
        ("listed", or_null(int64())),
        ("compared", int64()),
        ("found", int64()),
        ("gone", int64()),
        ("left_out", boolean()),
        ("balance", json!({"anyOf": [named("Minor"), {"type": "null"}]})),
    ])
}

fn liability() -> Value {
    closed([("currency", text()), ("available", int64()), ("held", int64()), ("debt", int64()), ("owed", int64())])
}

fn wind_down() -> Value {
    let begun = closed([("since", time()), ("actor", text()), ("reason", text())]);
    json!({"anyOf": [begun, {"type": "null"}]})
}
