//! SMS in: append-only, one charge, later ones free, late ones destroyed.

use std::sync::atomic::Ordering;

use super::command::{Failed, Step};
use super::inner::Inner;
use crate::account::AccountId;
use crate::order::content::{self, Message};
use crate::order::decide::Input;
use crate::order::draft::{Draft, Stay};
use crate::order::record::{MESSAGES_MAX, MessageRecord, SEALED_MAX, TEXT_BYTES_MAX};
use crate::order::{OrderError, OrderId, code};
use crate::port::SupplierSms;
use crate::privacy::OrderKey;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The longest code that a supplier may have found; longer ones are something else.
const CODE_MAX: usize = 16;

/// How many SMS came.
#[derive(Clone, Copy, Default)]
struct Came {
    novel: usize,
    late: u64,
}

impl Inner {
    /// Takes the SMS of an order; how many of them were novel. The first that is recorded before an end decides the
    /// money, whoever else is deciding at the same time.
    pub(super) async fn receive(
        &self,
        account: AccountId,
        id: OrderId,
        sms: &[SupplierSms],
    ) -> Result<usize, StoreError> {
        if sms.is_empty() {
            return Ok(0);
        }
        let done = self
            .change_order::<Came, OrderError>(account, id, false, |draft, sight| {
                if draft.record.state.is_terminal() {
                    return Ok(late(draft, sms.len(), sight.now));
                }
                let Some(key) = content::unwrap(&self.epochs(), account, id, &draft.record) else {
                    return Ok(Step::Leave(Came::default())); // nothing can be shown, so nothing is charged
                };
                let mut came = Came::default();
                for one in sms {
                    came.novel += usize::from(self.append(draft, &key, one, sight.now)?);
                }
                Ok(if came.novel > 0 { Step::Write(came) } else { Step::Leave(came) })
            })
            .await;
        match done {
            Ok(came) => {
                self.count_late(came.late);
                Ok(came.novel)
            }
            Err(Failed::NotFound) => Ok(0),
            Err(Failed::Store(error)) => Err(error),
            Err(Failed::Rule(error)) => Err(StoreError::Corrupt { store: "core", what: error.to_string() }),
        }
    }

    fn append(&self, draft: &mut Draft, key: &OrderKey, sms: &SupplierSms, now: Timestamp) -> Result<bool, OrderError> {
        let dedupe = content::dedupe(key, sms);
        if draft.record.messages.iter().any(|known| content::is_same(&known.dedupe, &dedupe)) {
            return Ok(false);
        }
        if draft.record.messages.len() >= MESSAGES_MAX {
            tracing::warn!("an order has more SMS than are kept");
            return Ok(false);
        }
        let message = Message { text: cut(&sms.text), code: code_of(sms) };
        let revision = draft.record.revision + 1;
        let sealing = || OrderError::Unavailable("the SMS could not be sealed".into());
        let sealed = content::seal_message(key, self.nonce(), revision, &message).ok_or_else(sealing)?;
        let kept: usize = draft.record.messages.iter().map(|message| message.sealed.len()).sum();
        if kept + sealed.len() > SEALED_MAX {
            tracing::warn!("an order has longer SMS than are kept");
            return Ok(false);
        }
        if let Err(Stay::Done | Stay::Late | Stay::Refused(_)) = draft.advance(Input::Sms, None, "engine", now) {
            return Ok(false);
        }
        let record = &mut draft.record;
        record.revision = revision;
        record.messages.push(MessageRecord { revision, at: now, sealed, dedupe });
        record.first_sms_at.get_or_insert(now);
        record.last_sms_at = Some(now);
        record.awaiting_more = false;
        // the pause is for requests that nothing came of; programs of this market ask again after every code
        record.resend_at = None;
        Ok(true)
    }

    /// Counts SMS that came for something that has ended. They are destroyed: nothing else is kept of them.
    pub(super) fn count_late(&self, late: u64) {
        if late > 0 {
            tracing::info!(late, "SMS came after the end and are destroyed");
            self.late_sms.fetch_add(late, Ordering::Relaxed);
        }
    }
}

/// An SMS for an order that has ended: an event and a step without content, and nothing else. A supplier repeats the SMS of an order
/// at every read, so as many as had come before its end are not late.
fn late(draft: &mut Draft, found: usize, now: Timestamp) -> Step<Came> {
    let late = (found as u64).saturating_sub(draft.record.revision);
    if late == 0 || draft.late_sms(now).is_err() {
        return Step::Leave(Came::default());
    }
    Step::Write(Came { novel: 0, late })
}

/// Our own reading of the text first; a supplier's code where the text gives none, which is so where the protocol
/// carries the code alone.
fn code_of(sms: &SupplierSms) -> Option<String> {
    let given = sms.code.as_deref().map(str::trim).filter(|given| is_code(given));
    if given == Some(sms.text.trim()) {
        return given.map(str::to_owned);
    }
    code::extract(&sms.text).or_else(|| given.map(str::to_owned))
}

fn is_code(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (3..=CODE_MAX).contains(&text.len()) && text.bytes().all(fine) && text.bytes().any(|b| b.is_ascii_digit())
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{code_of, cut};
    use crate::port::SupplierSms;

    #[test]
    fn reads_the_text_first_and_believes_the_supplier_second() {
        let cases = [
            ("Your code is 415127", None, Some("415127")),
            ("415127", Some("415127"), Some("415127")),
            ("004512", Some("004512"), Some("004512")),
            ("Welcome!", Some("777123"), Some("777123")),
            ("Welcome!", Some("no code"), None),
            ("Welcome!", Some(""), None),
            ("Welcome!", None, None),
        ];
        for (text, given, expected) in cases {
            let sms = SupplierSms { text: text.into(), code: given.map(str::to_owned), ..SupplierSms::default() };
            assert_eq!(code_of(&sms).as_deref(), expected, "{text} {given:?}");
        }
    }

    #[test]
    fn cuts_at_a_character() {
        let long = "ក".repeat(2_000);
        assert_eq!(cut(&long).len(), 3_000);
        assert!(cut(&"é".repeat(1_501)).len() <= 3_000);
    }
}
