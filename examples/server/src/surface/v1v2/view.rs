//! Orders on the wire: exactly the members of the published API, none missing, none beside them.

use serde::Serialize;
use smscode_core::order::{OrderView, Status};

use super::money::{PRICE, Pricing, Shown};

/// An order in the list and by its number: 24 members.
#[derive(Debug, Serialize)]
pub(super) struct Order<'a> {
    id: u32,
    status: &'static str,
    created_at: String,
    product_id: u32,
    catalog_product_id: u32,
    operator_id: Option<i32>,
    operator_name: Option<&'static str>,
    phone_number: Option<String>,
    amount: Shown,
    otp_code: Option<&'a str>,
    otp_message: Option<&'a str>,
    sms_revision: u64,
    otp_received_at: Option<String>,
    expires_at: Option<String>,
    canceled_at: Option<String>,
    failed_reason: Option<&'a str>,
    #[serde(flatten)]
    flags: Flags,
}

impl<'a> Order<'a> {
    /// As this answer shows it.
    pub(super) fn of(order: &'a OrderView, pricing: &Pricing) -> Self {
        let canceled = order.status == Status::Canceled;
        Self {
            id: order.id.0,
            status: order.status.word(),
            created_at: order.created_at.rfc3339(),
            product_id: order.product,
            catalog_product_id: order.umbrella,
            operator_id: None,
            operator_name: None,
            phone_number: phone(order),
            amount: pricing.show(order.price, PRICE),
            otp_code: order.code.as_deref(),
            otp_message: order.text.as_deref(),
            sms_revision: order.revision,
            otp_received_at: order.first_sms_at.map(|at| at.rfc3339()),
            expires_at: order.expires_at.map(|at| at.rfc3339()),
            canceled_at: order.ended_at.filter(|_| canceled).map(|at| at.rfc3339()),
            failed_reason: order.failed_reason.as_deref(),
            flags: Flags::of(order),
        }
    }
}

/// An order in the list of active ones: 18 members, no money, no number.
#[derive(Debug, Serialize)]
pub(super) struct Active<'a> {
    id: u32,
    status: &'static str,
    operator_id: Option<i32>,
    operator_name: Option<&'static str>,
    otp_code: Option<&'a str>,
    otp_message: Option<&'a str>,
    sms_revision: u64,
    otp_received_at: Option<String>,
    expires_at: Option<String>,
    failed_reason: Option<&'a str>,
    #[serde(flatten)]
    flags: Flags,
}

impl<'a> Active<'a> {
    /// Of an open order.
    pub(super) fn of(order: &'a OrderView) -> Self {
        Self {
            id: order.id.0,
            status: order.status.word(),
            operator_id: None,
            operator_name: None,
            otp_code: order.code.as_deref(),
            otp_message: order.text.as_deref(),
            sms_revision: order.revision,
            otp_received_at: order.first_sms_at.map(|at| at.rfc3339()),
            expires_at: order.expires_at.map(|at| at.rfc3339()),
            failed_reason: order.failed_reason.as_deref(),
            flags: Flags::of(order),
        }
    }
}

/// An order in the answer to its creation: 20 members. In a replay it shows what is known now.
#[derive(Debug, Serialize)]
pub(super) struct Created<'a> {
    id: u32,
    status: &'static str,
    product_id: u32,
    catalog_product_id: u32,
    operator_id: Option<i32>,
    operator_name: Option<&'static str>,
    phone_number: Option<String>,
    amount: Shown,
    otp_code: Option<&'a str>,
    otp_received_at: Option<String>,
    expires_at: Option<String>,
    failed_reason: Option<&'a str>,
    #[serde(flatten)]
    flags: Flags,
}

impl<'a> Created<'a> {
    /// As this answer shows it.
    pub(super) fn of(order: &'a OrderView, pricing: &Pricing) -> Self {
        Self {
            id: order.id.0,
            status: order.status.word(),
            product_id: order.product,
            catalog_product_id: order.umbrella,
            operator_id: None,
            operator_name: None,
            phone_number: phone(order),
            amount: pricing.show(order.price, PRICE),
            otp_code: order.code.as_deref(),
            otp_received_at: order.first_sms_at.map(|at| at.rfc3339()),
            expires_at: order.expires_at.map(|at| at.rfc3339()),
            failed_reason: order.failed_reason.as_deref(),
            flags: Flags::of(order),
        }
    }
}

/// The five flags and three times that every view has.
#[derive(Clone, Debug, Serialize)]
struct Flags {
    can_finish: bool,
    can_resend: bool,
    can_cancel: bool,
    can_replace: bool,
    can_reactivate: bool,
    resend_available_at: Option<String>,
    cancel_available_at: Option<String>,
    replace_available_at: Option<String>,
}

impl Flags {
    fn of(order: &OrderView) -> Self {
        let actions = order.actions;
        let cancel_at = actions.cancel_at.map(|at| at.rfc3339());
        Self {
            can_finish: actions.finish,
            can_resend: actions.resend,
            can_cancel: actions.cancel,
            can_replace: actions.replace,
            can_reactivate: actions.reactivate,
            resend_available_at: actions.resend_at.map(|at| at.rfc3339()),
            replace_available_at: cancel_at.clone(),
            cancel_available_at: cancel_at,
        }
    }
}

/// International form with a plus.
fn phone(order: &OrderView) -> Option<String> {
    order.phone.as_ref().map(|digits| format!("+{digits}"))
}
