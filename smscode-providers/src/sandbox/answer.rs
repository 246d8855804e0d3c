//! What the simulator says, in the words and types of the style it imitates.

use smscode_core::money::Money;

use super::model::{Activation, Refusal, Stage};

/// Whose server is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Style {
    /// The original, as existing programs expect it: HTTP 200 for all, bare words, both lists.
    #[default]
    Plain,
    /// HeroSMS: real HTTP statuses with an error in JSON, `text/html` for all, an object where a list should be.
    HeroSms,
    /// GrizzlySMS: a bare array as list, prices of the third kind, end and earliest cancel in the purchase.
    Grizzly,
    /// SMSHub: the core four, prices and counts.
    SmsHub,
}

impl Style {
    /// Whether it has this action.
    pub(super) fn has(self, action: &str) -> bool {
        let core = ["getBalance", "getNumber", "getStatus", "setStatus"];
        let own: &[&str] = match self {
            Self::Plain => &[
                "getNumberV2",
                "getStatusV2",
                "getPrices",
                "getPricesV2",
                "getPricesV3",
                "getNumbersStatus",
                "getActiveActivations",
                "getHistory",
                "getCountries",
                "getServicesList",
            ],
            Self::HeroSms => &[
                "getNumberV2",
                "getStatusV2",
                "getPrices",
                "getNumbersStatus",
                "getActiveActivations",
                "getHistory",
                "getCountries",
                "getServicesList",
                "finishActivation",
                "cancelActivation",
            ],
            Self::Grizzly => &[
                "getNumberV2",
                "getStatusV2",
                "getPrices",
                "getPricesV2",
                "getPricesV3",
                "getActiveActivations",
                "getCountries",
                "getServicesList",
            ],
            Self::SmsHub => &["getPrices", "getNumbersStatus"],
        };
        core.contains(&action) || own.contains(&action)
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// A JSON object, written member by member: numbers as literal text, so that no float is made of an amount.
#[derive(Default)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn raw(mut self, name: &str, literal: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(literal);
        self
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, &quoted(value))
    }

    pub(super) fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// A bare word, or a word with its fields.
pub(super) fn word(style: Style, body: &str) -> Answer {
    let content_type = if style == Style::HeroSms { "text/html; charset=UTF-8" } else { "text/plain; charset=utf-8" };
    Answer { status: 200, content_type, body: body.to_owned() }
}

pub(super) fn json(style: Style, body: String) -> Answer {
    let content_type = if style == Style::HeroSms { "text/html; charset=UTF-8" } else { "application/json" };
    Answer { status: 200, content_type, body }
}

/// An error: a bare word, or at HeroSMS a status with an object.
pub(super) fn error(style: Style, status: u16, title: &str, info: Option<String>) -> Answer {
    if style != Style::HeroSms {
        return word(style, title);
    }
    let object = Object::default().text("title", title).text("details", "the simulator refuses");
    let object = match info {
        Some(info) => object.raw("info", &info),
        None => object,
    };
    Answer { status, ..json(style, object.end()) }
}

/// A refusal of the model.
pub(super) fn refused(style: Style, refusal: Refusal) -> Answer {
    let hero = style == Style::HeroSms;
    match refusal {
        Refusal::BadService if hero => {
            error(style, 422, "UNPROCESSABLE_ENTITY", Some(Object::default().text("field", "service").end()))
        }
        Refusal::BadCountry if hero => {
            error(style, 422, "UNPROCESSABLE_ENTITY", Some(Object::default().text("field", "country").end()))
        }
        Refusal::BadService if style == Style::SmsHub => word(style, "WRONG_SERVICE"),
        Refusal::BadService => word(style, "BAD_SERVICE"),
        Refusal::BadCountry if style == Style::Grizzly => word(style, "BAD_COUNTRY"),
        Refusal::BadCountry => word(style, "WRONG_COUNTRY"),
        Refusal::NoNumbers => error(style, 404, "NO_NUMBERS", None),
        Refusal::NoBalance => error(style, 402, "NO_BALANCE", None),
        Refusal::PriceAboveCeiling(price) if hero => {
            error(style, 400, "WRONG_MAX_PRICE", Some(Object::default().raw("min", &price.decimal()).end()))
        }
        Refusal::PriceAboveCeiling(price) => word(style, &format!("WRONG_MAX_PRICE:{}", price.decimal())),
        Refusal::ChannelsLimit { open, limit } => {
            let info = Object::default().raw("current_threads", &open.to_string());
            error(style, 403, "CHANNELS_LIMIT", Some(info.raw("max_allowed", &limit.to_string()).end()))
        }
        Refusal::ReferenceUsed => error(style, 409, "ORDER_ALREADY_EXISTS", None),
        Refusal::NoActivation if hero => error(style, 404, "NOT_FOUND", None),
        Refusal::NoActivation => word(style, "NO_ACTIVATION"),
        Refusal::BadStatus => error(style, 400, "BAD_STATUS", None),
        Refusal::TooEarly { after_seconds } => {
            let info = Object::default().raw("minActivationTime", &after_seconds.to_string());
            error(style, 409, "EARLY_CANCEL_DENIED", Some(info.end()))
        }
        Refusal::SmsArrived if hero => error(style, 409, "OTP_RECEIVED", None),
        Refusal::SmsArrived => word(style, "BAD_STATUS"),
    }
}

/// The reply of `getNumberV2`.
pub(super) fn sold(style: Style, sold: &Activation) -> Answer {
    let id = sold.id.to_string();
    let country = sold.country.to_string();
    let mut object = match style {
        Style::HeroSms => Object::default().text("activationId", &id),
        _ => Object::default().raw("activationId", &id),
    };
    object = object.text("phoneNumber", &sold.written()).raw("activationCost", &sold.cost.decimal());
    if let Some(currency) = sold.cost.currency.iso_number() {
        object = object.raw("currency", &currency.to_string());
    }
    object = match style {
        Style::HeroSms => object
            .raw("countryCode", &country)
            .raw("canGetAnotherSms", "true")
            .text("activationEndTime", &sold.ends_at.plain())
            .text("serviceCode", &sold.service),
        Style::Grizzly => object
            .text("countryCode", &country)
            .raw("canGetAnotherSms", "1")
            .text("activationEnd", &sold.ends_at.plain())
            .text("activationCancel", &sold.cancel_from.plain()),
        Style::Plain | Style::SmsHub => object.text("countryCode", &country).text("canGetAnotherSms", "1"),
    };
    object = object.text("activationTime", &sold.bought_at.plain()).text("activationOperator", "any");
    if let Some(reference) = sold.reference.as_deref().filter(|_| style == Style::Plain) {
        object = object.text("orderId", reference);
    }
    json(style, object.end())
}

/// The reply of `getStatus`.
pub(super) fn status(style: Style, activation: &Activation) -> Answer {
    let code = activation.messages.last().map(|message| message.code.as_deref());
    let text = match (activation.stage, code) {
        (Stage::Waiting, _) | (Stage::Received, None) => "STATUS_WAIT_CODE".to_owned(),
        (Stage::Received, Some(code)) => format!("STATUS_OK:{}", code.unwrap_or("Нет кода")),
        (Stage::Retrying, Some(Some(code))) => format!("STATUS_WAIT_RETRY:{code}"),
        (Stage::Retrying, _) => "STATUS_WAIT_RETRY".to_owned(),
        (Stage::Finished | Stage::Cancelled, _) => "STATUS_CANCEL".to_owned(),
    };
    word(style, &text)
}

/// The reply of `getStatusV2`.
pub(super) fn status_v2(style: Style, activation: &Activation) -> Answer {
    if !activation.stage.is_open() {
        return word(style, "STATUS_CANCEL");
    }
    let sms = activation.messages.last().map(|message| {
        let code = message.code.as_deref().map_or("null".to_owned(), quoted);
        Object::default().text("dateTime", &message.at.plain()).raw("code", &code).text("text", &message.text).end()
    });
    let object = Object::default().raw("verificationType", "0").raw("sms", sms.as_deref().unwrap_or("null"));
    json(style, object.raw("call", "null").end())
}

/// The reply of `getActiveActivations`; `rows` are those of the page that was asked for.
pub(super) fn active(style: Style, rows: &[&Activation]) -> Answer {
    let list = array(&rows.iter().map(|activation| row(style, activation)).collect::<Vec<_>>());
    let object = Object::default().text("status", "success");
    let body = match style {
        Style::Grizzly => list,
        Style::HeroSms => {
            let count = rows.len().to_string();
            let artefact =
                Object::default().raw("affected_rows", &count).raw("num_rows", &count).raw("rows", "[]").end();
            object.raw("data", &list).raw("activeActivations", &artefact).end()
        }
        Style::Plain | Style::SmsHub => object.raw("activeActivations", &list).raw("data", &list).end(),
    };
    json(style, body)
}

/// A page of the history. What runs costs nothing yet; what was cancelled, or given back later, shows what it would have
/// cost, as the original did.
pub(super) fn history(style: Style, rows: &[&Activation]) -> Answer {
    let rows: Vec<String> = rows.iter().map(|activation| past(style, activation)).collect();
    json(style, array(&rows))
}

fn past(style: Style, activation: &Activation) -> String {
    let taken = activation.taken.minor > 0;
    let (status, cost) = match activation.stage {
        Stage::Waiting => ("4", "0".to_owned()),
        Stage::Received => ("2", "0".to_owned()),
        Stage::Retrying => ("3", "0".to_owned()),
        Stage::Finished | Stage::Cancelled if taken => ("6", activation.taken.decimal()),
        Stage::Finished => ("10", activation.cost.decimal()),
        Stage::Cancelled => ("8", activation.cost.decimal()),
    };
    let id = activation.id.to_string();
    let object = match style {
        Style::HeroSms => Object::default().text("id", &id),
        Style::Plain | Style::Grizzly | Style::SmsHub => Object::default().raw("id", &id),
    };
    let codes: Vec<String> =
        activation.messages.iter().filter_map(|message| message.code.as_deref().map(quoted)).collect();
    let object = object.text("date", &activation.bought_at.plain()).text("phone", &activation.phone);
    let object = match codes.is_empty() {
        true => object.raw("sms", "null"),
        // a text that holds JSON
        false => object.text("sms", &array(&codes)),
    };
    let object = object.raw("cost", &cost).text("status", status);
    match activation.cost.currency.iso_number() {
        Some(currency) => object.raw("currency", &currency.to_string()).end(),
        None => object.end(),
    }
}

fn row(style: Style, activation: &Activation) -> String {
    let stage = match activation.stage {
        Stage::Waiting => "4",
        Stage::Received => "2",
        Stage::Retrying => "3",
        Stage::Finished => "6",
        Stage::Cancelled => "8",
    };
    let mut object = Object::default()
        .text("activationId", &activation.id.to_string())
        .text("serviceCode", &activation.service)
        .text("phoneNumber", &activation.written())
        .text("activationStatus", stage)
        .text("activationTime", &activation.bought_at.plain())
        .text("countryCode", &activation.country.to_string())
        .text("canGetAnotherSms", "1");
    if let Some(currency) = activation.cost.currency.iso_number() {
        object = object.raw("currency", &currency.to_string());
    }
    if let Some(reference) = activation.reference.as_deref().filter(|_| style == Style::Plain) {
        object = object.text("orderId", reference);
    }
    let code = |code: &Option<String>| code.as_deref().map_or("null".to_owned(), quoted);
    let messages = &activation.messages;
    if style != Style::Plain {
        object = object.raw("activationCost", &activation.cost.decimal());
        let Some(last) = messages.last() else {
            return object.raw("smsCode", "null").raw("smsText", "null").end();
        };
        return object
            .raw("smsCode", &code(&last.code))
            .text("smsText", &last.text)
            .text("receiveSmsDate", &last.at.plain())
            .end();
    }
    object = object.text("activationCost", &activation.cost.decimal());
    if messages.is_empty() {
        return object.raw("smsCode", "null").raw("smsText", "null").end();
    }
    let column = |of: &dyn Fn(&super::model::Message) -> String| array(&messages.iter().map(of).collect::<Vec<_>>());
    object
        .raw("smsCode", &column(&|message| code(&message.code)))
        .raw("smsText", &column(&|message| quoted(&message.text)))
        .raw("smsDate", &column(&|message| quoted(&message.at.plain())))
        .end()
}

/// A leaf of a price list.
pub(super) fn price_leaf(action: &str, price: Money, count: u32) -> String {
    let (price, count) = (price.decimal(), count.to_string());
    match action {
        "getPricesV2" => Object::default().raw(&price, &count).end(),
        "getPricesV3" => {
            let provider = Object::default().raw("price", &format!("[{price}]")).raw("count", &count);
            let providers = Object::default().raw("17", &provider.raw("provider_id", "17").end()).end();
            Object::default().raw("price", &price).raw("count", &count).raw("providers", &providers).end()
        }
        _ => Object::default().raw("cost", &price).raw("count", &count).raw("physicalCount", &count).end(),
    }
}
