//! Every call is bounded in time and bytes, and follows no redirect.

use futures_util::future::join_all;

use super::line::{Line, Reply};
use super::world::World;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::ActivationId;

/// Makes every call at once with a reply that does not end by itself, and checks that the adapter gives each up.
async fn all_given_up(w: &World, reply: Reply, what: &str) -> Checked {
    let id = w.buy().await?.id;
    let (calls, before) = (w.calls(), w.line.given_up());
    let requests = w.line.count();
    w.line.break_all(reply.before());
    let told = join_all(calls.iter().map(|call| w.tell(*call, &id))).await;
    w.line.settled().await;
    w.line.mend();
    for told in told {
        told.is_no_answer(&what)?;
    }
    let (made, given_up) = (w.line.count() - requests, w.line.given_up() - before);
    holds(made >= calls.len(), "each call made a request")?;
    same(&given_up, &made, &format!("requests that the adapter gave up after {what}"))
}

pub(super) async fn rule_10_every_call_has_a_time_limit(w: &mut World) -> Checked {
    all_given_up(w, Reply::Held, "8 s without a reply").await
}

pub(super) async fn rule_10_the_limit_is_on_the_whole_reply(w: &mut World) -> Checked {
    all_given_up(w, Reply::Drip, "8 s of a byte now and then").await
}

pub(super) async fn rule_10_a_body_without_end_is_given_up(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    for call in w.calls() {
        let (requests, before) = (w.line.count(), w.line.given_up());
        w.line.break_all(Reply::Endless.before());
        let told = w.tell(call, &id).await;
        w.line.settled().await;
        w.line.mend();
        told.is_no_answer(&"a body of 64 MiB")?;
        same(
            &(w.line.given_up() - before),
            &(w.line.count() - requests),
            &format!("bodies of 64 MiB that {call:?} gave up"),
        )?;
    }
    w.buy().await.map(drop)
}

pub(super) async fn rule_10_no_redirect_is_followed(w: &mut World) -> Checked {
    let elsewhere = Line::start(w.fixture().address())?;
    let id = w.buy().await?.id;
    for status in [301, 302, 303, 307, 308] {
        for call in w.calls() {
            w.line.break_all(Reply::Redirect(status, elsewhere.url()).before());
            let told = w.tell(call, &id).await;
            w.line.mend();
            same(&elsewhere.count(), &0, &format!("requests that followed a redirect of {call:?} ({status})"))?;
            told.is_no_answer(&format!("a redirect with status {status}"))?;
        }
    }
    w.tell(super::Call::Poll, &ActivationId(id.0)).await.is_done()
}
