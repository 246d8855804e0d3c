//! Four outcomes of a purchase: what the network makes of it.

use super::line::{Fault, Reply, pages, shapes};
use super::world::{World, unclear};
use crate::conformance::failure::{Checked, holds, same};

/// Checks that a purchase with each of these faults is unclear, and that the number is bought exactly if it was passed on.
async fn all_unclear(w: &World, faults: impl IntoIterator<Item = Fault>) -> Checked {
    let mut sold = w.sold().await.len();
    for fault in faults {
        sold += usize::from(fault.passed_on);
        w.line.break_next(fault.clone());
        let outcome = w.supplier.buy(&w.request()).await;
        w.line.mend();
        unclear(&outcome, &fault.to_string())?;
        w.line.settled().await;
        w.sold_so_far(&w.sold().await, sold)?;
    }
    // and the next one goes well
    w.buy().await.map(drop)
}

fn both(replies: Vec<Reply>) -> Vec<Fault> {
    replies.into_iter().flat_map(|reply| [reply.clone().before(), reply.after()]).collect()
}

pub(super) async fn rule_01_a_lost_request_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, [Reply::Closed.before()]).await
}

pub(super) async fn rule_01_a_lost_reply_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, [Reply::Closed.after()]).await
}

pub(super) async fn rule_01_no_reply_in_time_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, [Reply::Held.after(), Reply::Held.before()]).await
}

pub(super) async fn rule_01_a_page_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, both(pages())).await
}

pub(super) async fn rule_01_a_404_page_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, both(vec![Reply::body(404, "<html><body>404 Not Found</body></html>")])).await
}

pub(super) async fn rule_01_half_a_reply_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, [Reply::Cut.after(), Reply::Short.after()]).await
}

pub(super) async fn rule_01_another_shape_leaves_it_unknown(w: &mut World) -> Checked {
    all_unclear(w, both(shapes())).await
}

pub(super) async fn rule_01_nothing_said_leaves_it_unknown(w: &mut World) -> Checked {
    let empty = [200, 201, 204, 500, 502, 503].map(|status| Reply::body(status, ""));
    all_unclear(w, both(empty.to_vec())).await
}

pub(super) async fn rule_01_what_is_unknown_can_be_looked_up(w: &mut World) -> Checked {
    let request = w.request();
    w.line.break_next(Reply::Closed.after());
    unclear(&w.supplier.buy(&request).await, "a lost reply")?;
    let (sold, found) = (w.sold().await, w.supplier.active().await?);
    let ids = |found: &[crate::port::Activation]| found.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    same(&ids(&found), &sold.into_iter().map(|sold| sold.id).collect(), "what the list has")?;
    let recognised = |one: &crate::port::Activation| match &one.reference {
        Some(reference) => *reference == request.reference,
        None => one.country == Some(request.country) && one.service.as_ref() == Some(&request.service),
    };
    holds(found.iter().all(recognised), "a row has our reference, or else country and service")
}
