//! What lies in the store's own files: planted markers.

use super::draft::{deposit, hold, owner, record};
use super::failure::{Checked, holds};
use super::find::find;
use super::world::World;
use crate::store::{Body, Expect};

fn body(marker: &str) -> Body {
    Body::from_stored(format!("{{\"text\":\"{marker}\"}}").as_bytes())
}

/// The search works: what was committed is found. Without this the next case would prove nothing.
pub(super) async fn bytes_committed_markers_are_found(w: &mut World) -> Checked {
    let key = record("order", 1, "marker-in-an-id-1001");
    let mut post = deposit(owner(1), "d", 5);
    post.subject = "marker-in-a-subject-1002".into();
    let draft = w
        .draft()
        .outcome(body("marker-in-an-outcome-1003"))
        .put(&key, Expect::Absent, 1, body("marker-in-a-record-1004"))
        .term("due", "marker-in-a-term-1005")
        .with(crate::store::Entry::Append { owner: owner(1), body: body("marker-in-an-event-1006") })
        .post(post);
    w.done(draft).await?;
    let raw = w.raw_bytes().await;
    for marker in [
        "marker-in-an-id-1001",
        "marker-in-a-subject-1002",
        "marker-in-an-outcome-1003",
        "marker-in-a-record-1004",
        "marker-in-a-term-1005",
        "marker-in-an-event-1006",
    ] {
        holds(find(&raw, marker.as_bytes()), &format!("{marker} was committed and must be found"))?;
    }
    Ok(())
}

pub(super) async fn bytes_refused_markers_are_not_found(w: &mut World) -> Checked {
    let key = record("order", 1, "marker-refused-id");
    for n in 0..5 {
        let mut post = deposit(owner(1), "marker-refused-transfer", 5);
        post.subject = "marker-refused-subject".into();
        let draft = w
            .draft()
            .outcome(body("marker-refused-outcome"))
            .put(&key, Expect::Absent, 1, body("marker-refused-record"))
            .term("due", "marker-refused-term")
            .with(crate::store::Entry::Append { owner: owner(1), body: body("marker-refused-event") })
            .count(&crate::store::CounterKey::of(owner(1), "marker-refused-counter"), 1, None)
            .post(post);
        w.refuses(draft.post(hold(owner(2), [n], 1)), "floor").await?;
        // a commit beside it, so that what is written reaches the files
        w.done(w.draft().outcome(body("marker-accepted-outcome")).append(owner(1), 1)).await?;
    }
    let raw = w.raw_bytes().await;
    holds(find(&raw, b"marker-accepted-outcome"), "the search finds what is there")?;
    holds(!find(&raw, b"marker-refused"), "no byte of a refused ChangeSet is kept")
}

pub(super) async fn bytes_markers_of_replays_and_losers_are_not_found(w: &mut World) -> Checked {
    let claim = record("claim", 1, "one");
    let drafts = (0..8)
        .map(|n| {
            let marker = format!("marker-of-caller-{n}-");
            w.draft().put(&claim, Expect::Absent, n, body(&marker)).outcome(body(&marker))
        })
        .collect();
    let answers = w.together(drafts).await;
    let raw = w.raw_bytes().await;
    for (n, answer) in answers.iter().enumerate() {
        let found = find(&raw, format!("marker-of-caller-{n}-").as_bytes());
        holds(found == answer.is_ok(), "the winner's bytes are there, the losers' are not")?;
    }
    Ok(())
}
