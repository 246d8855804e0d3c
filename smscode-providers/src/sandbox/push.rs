//! Pushes: the simulator tells an address of each SMS, as suppliers of this protocol do. Without a signature, more than once
//! if so configured, and without waiting for the purchase's reply to be read.

use std::sync::Arc;

use super::answer::Object;
use super::model::{Arrival, Model};
use super::serve::{Shared, lock};
use crate::http::{self, Api, ClientError, SignIn};
use crate::secret::ApiKey;

/// The longest that nothing is looked for: SMS that are due wake it before.
const LOOK_MS: i64 = 60_000;
/// A receiver that answers nothing is given up after this, in ms (HeroSMS and DaisySMS: 3 s).
const PUSH_LIMIT_MS: u32 = 3_000;
/// What a receiver answers is not read further than this.
const ANSWER_LIMIT: usize = 4 * 1024;

/// Where and how SMS are told.
#[derive(Clone, Debug)]
pub struct Pushes {
    /// The whole address, which is a secret.
    pub url: ApiKey,
    /// How often each is sent.
    pub times: u32,
}

/// The receiver of pushes.
pub(super) fn receiver(pushes: &Pushes) -> Result<Api, ClientError> {
    // the address holds the secret, so the sign-in has nothing to add; a header that nobody reads is harmless
    Ok(Api::new(http::client()?, pushes.url.reveal(), SignIn::Header("x-from"), ApiKey::new("simulator")))
}

/// Tells of SMS for ever, each so many times.
pub(super) async fn tell(shared: Arc<Shared>, api: Api, times: u32) {
    loop {
        let (bodies, next) = {
            let now = shared.clock.now();
            let mut model = lock(&shared.model);
            model.advance(now);
            let arrivals = model.take_arrivals();
            let bodies: Vec<String> = arrivals.iter().filter_map(|arrival| body(&model, *arrival)).collect();
            (bodies, model.next_due().unwrap_or(now.plus_ms(LOOK_MS)))
        };
        for body in bodies {
            for _ in 0..times {
                // one that is not taken is not sent again: whoever listens asks by itself, too
                let request = api.post("").json(body.clone()).timeout_ms(PUSH_LIMIT_MS).body_limit(ANSWER_LIMIT);
                let _taken_or_not = request.send().await;
            }
        }
        tokio::select! {
            biased;
            () = shared.changed.notified() => {}
            () = shared.clock.sleep_until(next) => {}
        }
    }
}

/// As the original sends it: JSON, the id as a number.
fn body(model: &Model, arrival: Arrival) -> Option<String> {
    let activation = model.find(arrival.id)?;
    let message = activation.messages.get(arrival.message)?;
    let object = Object::default()
        .raw("activationId", &activation.id.to_string())
        .text("service", &activation.service)
        .text("text", &message.text);
    let object = match &message.code {
        Some(code) => object.text("code", code),
        None => object.raw("code", "null"),
    };
    Some(object.raw("country", &activation.country.to_string()).text("receivedAt", &message.at.plain()).end())
}
