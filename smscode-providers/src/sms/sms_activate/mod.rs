//! The SMS-Activate protocol (`/stubs/handler_api.php`): one adapter, and its dialects as data.
//!
//! Replies are read tolerantly but closed: the body decides first, the HTTP status second, the content type never, and
//! what is not understood is never taken for a no. Money is read from literal text; a cost with more decimals than its
//! currency is rounded up, a balance down.

mod activation;
mod config;
mod dialects;
mod outcome;
mod prices;
mod push;
mod reply;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use smscode_core::money::Money;
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Capabilities,
    FinishOutcome, MoreOutcome, Offer, Past, Supplier, SupplierInfo,
};
use smscode_core::time::Timestamp;

pub use config::{ConfigError, SmsActivateConfig};
pub use dialects::{
    ALL, ActiveList, Dialect, GRIZZLYSMS, HEROSMS, HttpStatus, PriceList, Purchase, SMS_ACTIVATE, SMSCODE, SMSHUB,
    StatusCall, dialect,
};
pub use push::pushed;
pub use words::Meaning;

use activation::{Frame, Row};
use reply::Reply;

use crate::http::{Answer, Api, Client, Failure, SignIn};
use crate::read;

/// A word or one activation is short; this much holds an SMS and an error page that we only look at.
const SMALL_BODY: usize = 64 * 1024;
/// A list of some thousand open activations.
const LIST_BODY: usize = 4 * 1024 * 1024;
/// An unfiltered price list: 200 countries times 800 services at 60 bytes are 10 MB.
const PRICES_BODY: usize = 32 * 1024 * 1024;
/// Pages of the active list; with pages of 100 more than an account of this protocol may have open.
const PAGE_LIMIT: u16 = 50;
/// Rows asked for on a page of the history: the most that the original gives. HeroSMS gives as many as it likes.
const HISTORY_PAGE: &str = "100";
/// Pages of one history: 100,000 activations of the original's pages.
const HISTORY_PAGE_LIMIT: usize = 1_000;
/// Ids per poll where the dialect has a list. Those that it lacks are asked about one by one.
const POLL_BATCH: u32 = 200;
/// After so many single statuses without one usable answer a poll gives up: the supplier is down.
const GIVE_UP_AFTER: usize = 4;
/// Single statuses of one poll under way at once, whatever the dialect allows: purchases and cancels go first.
const POLL_CONCURRENCY: u32 = 8;

/// A supplier that speaks the protocol.
#[derive(Debug)]
pub struct SmsActivate {
    config: SmsActivateConfig,
    api: Api,
}

impl SmsActivate {
    /// A supplier with this account. The client comes from [`crate::http::client`], or from the host: then it must
    /// follow no redirect and retry nothing (see [`Client`]).
    pub fn new(config: SmsActivateConfig, client: impl Into<Client>) -> Result<Self, ConfigError> {
        config.check()?;
        let api = Api::new(client, &config.base_url, SignIn::Query("api_key"), config.api_key.clone());
        Ok(Self { config, api })
    }

    fn frame(&self) -> Frame<'_> {
        Frame { dialect: &self.config.dialect, currency: self.config.currency }
    }

    async fn send(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
        limit: usize,
        timeout_ms: u32,
    ) -> Result<Answer, Failure> {
        let request = self.api.get("").query(&[("action", action)]).query(parameters);
        request.timeout_ms(timeout_ms).body_limit(limit).send().await
    }

    async fn read(&self, action: &str, parameters: &[(&str, &str)], limit: usize) -> Result<Answer, CallError> {
        Ok(self.send(action, parameters, limit, self.config.read_timeout_ms).await?)
    }

    async fn step(&self, id: &ActivationId, status: &str) -> Result<Answer, Failure> {
        let parameters = [("id", id.0.as_str()), ("status", status)];
        self.send("setStatus", &parameters, SMALL_BODY, self.config.read_timeout_ms).await
    }

    async fn state(&self, id: &ActivationId) -> Result<ActivationState, CallError> {
        let action = match self.config.dialect.status {
            StatusCall::V1 => "getStatus",
            StatusCall::V2 => "getStatusV2",
        };
        outcome::state(self.frame(), &self.read(action, &[("id", &id.0)], SMALL_BODY).await?)
    }

    /// All rows of the active list. Pages overlap by a row: where the first row of a page is not known yet, rows before it
    /// have gone while the list was read and moved others up between two pages, so the page before it is read again. A page
    /// that is the one before it once more comes from a vendor that has no pages.
    async fn rows(&self, list: ActiveList) -> Result<BTreeMap<ActivationId, Row>, CallError> {
        let size = list.page.unwrap_or_default();
        let (mut all, mut page, mut before) = (BTreeMap::new(), 0_u16, Vec::new());
        for _ in 0..PAGE_LIMIT {
            let (start, limit) = (page.saturating_mul(size.saturating_sub(1)).to_string(), size.to_string());
            let paging = [("start", start.as_str()), ("limit", limit.as_str())];
            let parameters = if list.page.is_some() { paging.as_slice() } else { &[] };
            let answer = self.read("getActiveActivations", parameters, LIST_BODY).await?;
            let rows = outcome::rows(self.frame(), &answer)?;
            let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
            let is_last = list.page.is_none() || ids.len() < usize::from(size) || ids == before;
            let joins = page == 0 || ids.first().is_some_and(|id| all.contains_key(id));
            all.extend(ids.iter().cloned().zip(rows));
            if !joins {
                page -= 1;
            } else if is_last {
                return Ok(all);
            } else {
                page += 1;
            }
            before = ids;
        }
        Err(CallError::Unusable("a list of open activations without an end".to_owned()))
    }

    /// All rows of the history. What is bought meanwhile moves rows from one page to the next, so some come twice; none
    /// leaves the list. How many a page has is the vendor's to say, so only a page without rows is the end.
    async fn past(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        let (start, end) = (from.seconds().to_string(), until.seconds().to_string());
        let (mut all, mut seen) = (BTreeMap::new(), 0_usize);
        for _ in 0..HISTORY_PAGE_LIMIT {
            let offset = seen.to_string();
            let parameters = [("start", &*start), ("end", &*end), ("offset", &*offset), ("limit", HISTORY_PAGE)];
            let answer = self.read("getHistory", &parameters, LIST_BODY).await?;
            let rows = outcome::past(self.frame(), &answer)?;
            if rows.is_empty() {
                return Ok(all.into_values().collect());
            }
            seen += rows.len();
            all.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        }
        Err(CallError::Unusable("a history without an end".to_owned()))
    }

    /// The states of ids that no list has told, by single calls, a few at a time.
    ///
    /// One that has no usable answer is `Waiting`, as long as others have one: a single bad row must not stop the rest.
    async fn states(&self, ids: Vec<ActivationId>) -> Result<BTreeMap<ActivationId, ActivationState>, CallError> {
        let width = self.config.dialect.concurrency.clamp(1, POLL_CONCURRENCY);
        let calls = ids.into_iter().map(|id| async move { (self.state(&id).await, id) });
        let mut answers = stream::iter(calls).buffered(width as usize);
        let (mut states, mut failed, mut usable) = (BTreeMap::new(), None, false);
        while let Some((answer, id)) = answers.next().await {
            match answer {
                Ok(state) => {
                    usable = true;
                    states.insert(id, state);
                }
                Err(error @ CallError::Unusable(_)) => {
                    states.insert(id, ActivationState::Waiting);
                    failed = Some(error);
                    if !usable && states.len() >= GIVE_UP_AFTER {
                        break;
                    }
                }
                // asking on makes it worse; what is known so far counts, the rest waits for the next poll
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        match failed {
            Some(error) if !usable => Err(error),
            _ => Ok(states),
        }
    }
}

#[async_trait]
impl Supplier for SmsActivate {
    fn describe(&self) -> SupplierInfo {
        let dialect = &self.config.dialect;
        SupplierInfo {
            name: self.config.name.clone(),
            currency: self.config.currency,
            capabilities: Capabilities {
                cancel_after_seconds: dialect.cancel_after_seconds,
                window_seconds: dialect.window_seconds,
                lists_active: dialect.active.is_some(),
                lists_history: dialect.history,
                reference_is_unique: dialect.order_id,
                poll_batch: if dialect.active.is_some() { POLL_BATCH } else { 1 },
                poll_floor_ms: dialect.poll_floor_ms,
                further_sms_free: dialect.further_sms_free,
                wants_finish: dialect.wants_finish,
                concurrency: dialect.concurrency,
                requests_a_second: dialect.requests_a_second,
            },
        }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        let action = match self.config.dialect.prices {
            PriceList::V1 => "getPrices",
            PriceList::V2 => "getPricesV2",
            PriceList::V3 => "getPricesV3",
        };
        let answer = self.read(action, &[], PRICES_BODY).await?;
        let text = answer.text();
        let reply = reply::read(&self.config.dialect, answer.status, &text);
        match &reply {
            Reply::Json(json) => prices::offers(self.frame(), *json)
                .ok_or_else(|| CallError::Unusable("a price list that we cannot read".to_owned())),
            _ => Err(reply::refusal(&self.config.dialect, &answer, &reply)),
        }
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let answer = self.read("getBalance", &[], SMALL_BODY).await?;
        let text = answer.text();
        let reply = reply::read(&self.config.dialect, answer.status, &text);
        match &reply {
            Reply::Word(word) if word.meaning == Meaning::Balance => word
                .detail
                .as_deref()
                .and_then(|literal| read::balance(literal, self.config.currency))
                .ok_or_else(|| CallError::Unusable("a balance that we cannot read".to_owned())),
            _ => Err(reply::refusal(&self.config.dialect, &answer, &reply)),
        }
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        let dialect = &self.config.dialect;
        if request.ceiling.currency != self.config.currency {
            return BuyOutcome::NotSent("the ceiling is in another currency than the account".to_owned());
        }
        let (country, ceiling) = (dialect.country_out(request.country).to_string(), request.ceiling.decimal());
        let mut parameters = vec![
            ("service", request.service.as_str()),
            ("country", country.as_str()),
            (dialect.ceiling_parameter, ceiling.as_str()),
        ];
        if dialect.order_id {
            parameters.push(("orderId", request.reference.as_str()));
        }
        let action = match dialect.purchase {
            Purchase::V1 => "getNumber",
            Purchase::V2 => "getNumberV2",
        };
        let answer = self.send(action, &parameters, SMALL_BODY, self.config.buy_timeout_ms).await;
        outcome::bought(self.frame(), &answer)
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let list = self.config.dialect.active.filter(|list| list.all_sms || ids.len() > 1);
        let mut known: BTreeMap<ActivationId, ActivationState> = match list {
            None => BTreeMap::new(),
            Some(list) => match self.rows(list).await {
                Ok(rows) => rows.into_iter().map(|(id, row)| (id, row.state)).collect(),
                // a list that cannot be read says nothing; the single calls may still work
                Err(CallError::Unusable(_) | CallError::Unsupported) => BTreeMap::new(),
                Err(error) => return Err(error),
            },
        };
        let missing: Vec<ActivationId> = ids.iter().filter(|id| !known.contains_key(*id)).cloned().collect();
        if !missing.is_empty() {
            known.extend(self.states(missing).await?);
        }
        Ok(ids.iter().map(|id| known.get(id).cloned().unwrap_or(ActivationState::Waiting)).collect())
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        let list = self.config.dialect.active.ok_or(CallError::Unsupported)?;
        let rows = self.rows(list).await?.into_values().map(Row::activation);
        // without its phone an activation cannot be given to anybody, and without it the list would be short of one
        rows.collect::<Option<_>>().ok_or_else(|| CallError::Unusable("an open activation without a phone".to_owned()))
    }

    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        if self.config.dialect.history { self.past(from, until).await } else { Err(CallError::Unsupported) }
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        outcome::more(self.frame(), &self.step(id, "3").await)
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        outcome::cancelled(self.frame(), &self.step(id, self.config.dialect.cancel_status).await)
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        let (outcome, look) = outcome::finished(self.frame(), &self.step(id, "6").await);
        if look && matches!(self.state(id).await, Ok(ActivationState::Ended | ActivationState::NotFound)) {
            return FinishOutcome::Finished;
        }
        outcome
    }
}
