//! The published API: the same 18 routes twice.

use serde_json::{Value, json};

use super::shape::{Operation, about, closed, int32, int64, list, named, one_of, text};

/// The routes of one surface: `v1` or `v2`.
pub(super) fn routes(surface: &'static str) -> Vec<Operation> {
    let of = Surface { surface };
    let mut all = of.catalogue();
    all.extend(of.orders());
    all.extend(of.actions());
    all.extend(of.reactivation());
    all.extend(of.webhook());
    all
}

struct Surface {
    surface: &'static str,
}

impl Surface {
    fn is_v2(&self) -> bool {
        self.surface == "v2"
    }

    /// The surface's own schema of this kind.
    fn own(&self, name: &str) -> String {
        format!("{name}{}", self.surface.to_uppercase())
    }

    /// The `meta` of answers with money.
    fn fx(&self) -> Option<&'static str> {
        self.is_v2().then_some("MetaFx")
    }

    fn route(&self, method: &'static str, path: &str, summary: &str) -> Operation {
        Operation::new(method, format!("/{}{path}", self.surface), self.surface, summary).refuses(&[401, 429, 500, 503])
    }

    fn catalogue(&self) -> Vec<Operation> {
        let id = |operation: Operation, name: &str, required| operation.parameter("query", name, int32(), required);
        let countries = self.route("get", "/catalog/countries", "All countries, sold in or not");
        let services = self.route("get", "/catalog/services", "Services; with a country those in stock there");
        let operators =
            self.route("get", "/catalog/operators", "Operators to choose from; an empty list means no choice");
        let products = self.route("get", "/catalog/products", "What is in stock, with prices");
        let products = ["country_id", "platform_id", "operator_id"]
            .into_iter()
            .fold(products, |operation, name| id(operation, name, false));
        let sorts = ["price_asc", "price_desc", "available_asc", "available_desc", "name_asc", "name_desc"];
        let page = if self.is_v2() { "MetaPageV2" } else { "MetaPageV1" };
        let rate = self.route("get", "/catalog/exchange-rate", "Rupiah per dollar").parameter(
            "query",
            "pair",
            json!({"type": "string", "default": "USD/IDR"}),
            false,
        );
        let rate = if self.is_v2() {
            rate.data(named("Fx"), None)
        } else {
            rate.data(named("ExchangeRate"), None).refuses(&[404])
        };
        vec![
            countries.data(list("Country"), None),
            id(services, "country_id", false).data(list("Service"), None).refuses(&[422]),
            id(id(operators, "country_id", true), "platform_id", true).data(list("Operator"), None).refuses(&[422]),
            products
                .parameter("query", "limit", about(int64(), "1 to 10000, default 1000; cut to that."), false)
                .parameter("query", "page", about(int64(), "From 1."), false)
                .parameter("query", "sort", one_of(&sorts), false)
                .data(list(&self.own("Product")), Some(page))
                .refuses(&[422]),
            rate,
        ]
    }

    fn orders(&self) -> Vec<Operation> {
        let path_id = |operation: Operation| operation.parameter("path", "id", int32(), true);
        let balance = self.route("get", "/balance", "What can be spent");
        let list_orders = self.route("get", "/orders", "Orders, newest first");
        let create = self.route("post", "/orders/create", "Rent one number or up to 100");
        vec![
            balance.data(named(&self.own("Balance")), self.fx()),
            list_orders
                .parameter("query", "limit", about(int64(), "1 to 100, default 20; cut to that."), false)
                .parameter("query", "offset", int64(), false)
                .parameter("query", "status", about(text(), "One status, in any case."), false)
                .data(list(&self.own("Order")), self.fx())
                .refuses(&[422]),
            self.route("get", "/orders/active", "Everything open, without money and numbers")
                .data(list("ActiveOrder"), None),
            path_id(self.route("get", "/orders/{id}", "An order; may be polled once a second"))
                .data(named(&self.own("Order")), self.fx())
                .refuses(&[404]),
            keyed(create)
                .remark(
                    "The price is held before a supplier is asked and paid when the first SMS comes. Send the same \
                     idempotency-key again after any failure: nothing is bought twice. Unknown members are refused.",
                )
                .body(&self.own("Create"))
                .data(named(&self.own("Created")), self.fx())
                .refuses(&[409, 413, 422]),
        ]
    }

    fn actions(&self) -> Vec<Operation> {
        let action = |path: &str, summary: &str, data: Value, meta| {
            self.route("post", path, summary).body("OrderId").data(data, meta).refuses(&[404, 409, 413, 422])
        };
        let cancelled = named(&self.own("Cancelled"));
        vec![
            action("/orders/cancel", "Give the number back for a refund, while no SMS has come", cancelled, self.fx()),
            action("/orders/finish", "End an order after its SMS", named("Finished"), None),
            action("/orders/resend", "Ask for another SMS on the same number", named("Resent"), None),
        ]
    }

    fn reactivation(&self) -> Vec<Operation> {
        let not_built = "No number supports this yet: answers 409.";
        vec![
            keyed(self.route("post", "/orders/reactivate", "Rent the number of a completed order again"))
                .remark(not_built)
                .body(&self.own("Reactivate"))
                .data(named(&self.own("Created")), self.fx())
                .refuses(&[404, 409, 413, 422]),
            self.route("get", "/orders/{id}/reactivate-options", "What renting it again would cost")
                .remark(not_built)
                .parameter("path", "id", int32(), true)
                .data(named(&self.own("ReactivateOptions")), self.fx())
                .refuses(&[404, 409, 422]),
        ]
    }

    fn webhook(&self) -> Vec<Operation> {
        let not_built = "Webhooks are not delivered yet: setting one answers 503, clearing works.";
        vec![
            self.route("get", "/webhook", "The webhook's configuration").data(named("Webhook"), None).refuses(&[404]),
            self.route("patch", "/webhook", "Change the webhook's configuration")
                .remark(not_built)
                .body("WebhookChange")
                .data(named("Webhook"), None)
                .refuses(&[404, 413, 422]),
            self.route("post", "/webhook/test", "Send a test event")
                .remark("Has no body. Answers 422 while no webhook is set.")
                .data(named("WebhookTest"), None)
                .refuses(&[422]),
        ]
    }
}

/// With the header for the caller's key.
fn keyed(operation: Operation) -> Operation {
    let key = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"});
    operation.parameter("header", "idempotency-key", key, false)
}

/// `data` of the sandbox's answer; here because it is in the same envelope.
pub(super) fn delivered() -> Value {
    closed([("delivered", json!({"const": true})), ("note", text())])
}
