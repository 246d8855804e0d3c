//! A supplier in the same process: sells at once, and every number has its SMS at the first poll.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use smscode_core::money::{Currency, Money};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Capabilities,
    FinishOutcome, MoreOutcome, Offer, Past, Supplier, SupplierInfo, SupplierSms,
};
use smscode_core::time::Timestamp;

/// The code in every SMS.
pub(crate) const CODE: &str = "415127";

pub(crate) const COUNTRY: u16 = 6;
pub(crate) const SERVICE: &str = "wa";

const COST: Money = Money::new(50_000, Currency::Usd);

pub(crate) struct InstantSupplier {
    pub(crate) callers: u32,
    pub(crate) wants_finish: bool,
    sold: AtomicU64,
}

impl InstantSupplier {
    pub(crate) fn new(callers: u32, wants_finish: bool) -> Self {
        Self { callers, wants_finish, sold: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Supplier for InstantSupplier {
    fn describe(&self) -> SupplierInfo {
        SupplierInfo {
            name: "instant".into(),
            currency: Currency::Usd,
            capabilities: Capabilities {
                cancel_after_seconds: 120,
                window_seconds: 1_200,
                lists_active: true,
                lists_history: false,
                reference_is_unique: false,
                // as the real client where the dialect has an active list
                poll_batch: 200,
                // the engine polls as soon as a number was bought
                poll_floor_ms: 0,
                further_sms_free: true,
                wants_finish: self.wants_finish,
                concurrency: self.callers,
                requests_a_second: 0,
            },
        }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        Ok(vec![Offer { country: COUNTRY, service: SERVICE.into(), cost: COST, count: 1_000_000 }])
    }

    async fn balance(&self) -> Result<Money, CallError> {
        Ok(COST)
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        let number = self.sold.fetch_add(1, Ordering::Relaxed);
        BuyOutcome::Accepted(Activation {
            id: ActivationId(format!("{}", 1_000_000_000 + number)),
            phone: format!("62812{number:08}"),
            cost: Some(COST),
            window_seconds: None,
            reference: None,
            country: Some(request.country),
            service: Some(request.service.clone()),
            state: ActivationState::Waiting,
        })
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let sms = SupplierSms {
            id: Some("1".into()),
            text: format!("Your WhatsApp code is {CODE}. Do not share it with anyone."),
            ..SupplierSms::default()
        };
        Ok(ids.iter().map(|_| ActivationState::Received(vec![sms.clone()])).collect())
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        Ok(Vec::new())
    }

    async fn history(&self, _from: Timestamp, _until: Timestamp) -> Result<Vec<Past>, CallError> {
        Err(CallError::Unsupported)
    }

    async fn more(&self, _id: &ActivationId) -> MoreOutcome {
        MoreOutcome::Waiting
    }

    async fn cancel(&self, _id: &ActivationId) -> CancelOutcome {
        CancelOutcome::SmsArrived
    }

    async fn finish(&self, _id: &ActivationId) -> FinishOutcome {
        FinishOutcome::Finished
    }
}
