//! A poll answers each id at its place and gives every SMS.

use super::Call;
use super::world::World;
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, ActivationState, SupplierSms};

/// The SMS of an activation, which must be there.
#[track_caller]
fn sms(state: &ActivationState, wanted: usize) -> Result<&[SupplierSms], Failure> {
    same(&state.sms().len(), &wanted, &format!("SMS of an activation that is {}", state.word()))?;
    Ok(state.sms())
}

/// Whether this SMS carries the code, in its text or as the code that the vendor found.
fn carries(sms: &SupplierSms, code: &str) -> bool {
    sms.text.contains(code) || sms.code.as_deref() == Some(code)
}

pub(super) async fn rule_06_poll_keeps_the_order(w: &mut World) -> Checked {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(w.buy().await?.id);
    }
    let codes = ["104200", "204201", "304202"];
    let [first, second, third, fourth, fifth] = &ids[..] else { return holds(false, "five purchases") };
    for (id, code) in [first, third, fourth].into_iter().zip(codes) {
        w.fixture().deliver(id, &format!("Your code is {code}.")).await;
    }
    w.fixture().end(second).await;
    let unknown = ActivationId("90071992547409".into());
    let asked = [fourth, second, first, &unknown, fifth, third].map(Clone::clone);
    let states = w.supplier.poll(&asked).await?;
    same(&states.len(), &asked.len(), "states for ids")?;
    for (at, code) in [(0, codes[2]), (2, codes[0]), (5, codes[1])] {
        let right = states.get(at).is_some_and(|state| state.sms().iter().any(|sms| carries(sms, code)));
        holds(right, &format!("at place {at} the SMS with {code}, found {states:?}"))?;
    }
    let over = |at: usize| matches!(states.get(at), Some(ActivationState::Ended | ActivationState::NotFound));
    holds(over(1) && over(3), &format!("at places 1 and 3 what is over, found {states:?}"))?;
    same(&states.get(4), &Some(&ActivationState::Waiting), "the state at place 4")
}

pub(super) async fn rule_06_an_id_that_is_asked_twice_is_answered_twice(w: &mut World) -> Checked {
    let (one, two) = (w.buy().await?.id, w.buy().await?.id);
    w.fixture().deliver(&one, "Your code is 104200.").await;
    let states = w.supplier.poll(&[one.clone(), two, one]).await?;
    let counts: Vec<usize> = states.iter().map(|state| state.sms().len()).collect();
    same(&counts, &vec![1, 0, 1], "SMS by place")
}

pub(super) async fn rule_06_every_sms_is_given(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    let codes = ["100001", "200002", "300003"];
    for code in codes {
        w.fixture().deliver(&id, &format!("Your code is {code}.")).await;
    }
    let state = w.state(&id).await?;
    for (found, code) in sms(&state, 3)?.iter().zip(codes) {
        holds(carries(found, code), &format!("the SMS oldest first, {code} at its place"))?;
    }
    Ok(())
}

pub(super) async fn rule_06_equal_texts_are_as_many_sms(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    for _ in 0..2 {
        w.fixture().deliver(&id, "Your code is 100001.").await;
    }
    sms(&w.state(&id).await?, 2).map(drop)
}

pub(super) async fn rule_06_sms_are_given_each_time(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    same(&w.state(&id).await?, &ActivationState::Waiting, "the state before any SMS")?;
    w.fixture().deliver(&id, "Your code is 104200.").await;
    let first = w.state(&id).await?;
    let found = sms(&first, 1)?;
    holds(found.iter().all(|sms| carries(sms, "104200")), "the code that was delivered")?;
    // the same message looks the same, so that core does not take it for another one
    same(&w.state(&id).await?, &first, "the SMS at the second poll")
}

pub(super) async fn rule_06_codes_keep_their_zeros(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, "Your code: 004512").await;
    let state = w.state(&id).await?;
    let [found] = sms(&state, 1)? else { return holds(false, "one SMS") };
    holds(carries(found, "004512"), "leading zeros of a code")?;
    holds(found.code.as_deref().is_none_or(|code| code == "004512"), "a code is text, not a number")
}

pub(super) async fn rule_06_texts_come_as_they_were(w: &mut World) -> Checked {
    let texts = [
        "G-415127: your code; don't share it: \"415127\" \\ / {} [] <b>",
        "line one\nline two: 415127\ttab",
        "Ваш код подтверждения: 415127",
        "您的验证码是 415127，请勿泄露。",
        "رمز التحقق الخاص بك هو 415127",
        "\u{1f511} 415127 \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} e\u{301}",
        "415127 %s %00 &amp; &#39; +1 a=b&c=d",
    ];
    for text in texts {
        let id = w.buy().await?.id;
        w.fixture().deliver(&id, text).await;
        let state = w.state(&id).await?;
        let [found] = sms(&state, 1)? else { return holds(false, "one SMS") };
        same(&found.text.as_str(), &text, "the text of an SMS")?;
    }
    let long = format!("{} 415127", "длинное сообщение ".repeat(40));
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, &long).await;
    let state = w.state(&id).await?;
    same(&sms(&state, 1)?.first().map(|sms| sms.text.as_str()), &Some(long.as_str()), "the text of a long SMS")
}

pub(super) async fn rule_06_another_sms_can_be_asked_for(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, "Your code is 100001.").await;
    let first = w.state(&id).await?;
    w.tell(Call::More, &id).await.is_done()?;
    let between = w.state(&id).await?;
    let known = sms(&first, 1)?;
    holds(between.sms().iter().all(|sms| known.contains(sms)), "the SMS that was there is no new one")?;
    w.fixture().deliver(&id, "Your code is 200002.").await;
    let second = w.state(&id).await?;
    let last = second.sms().last().is_some_and(|sms| carries(sms, "200002"));
    holds(last, &format!("the second SMS is the last, found {second:?}"))
}
