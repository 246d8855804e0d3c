//! Rule 5: a ChangeSet that is sent again.

use super::draft::{NOON, deposit, forfeit, free, hold, number, owner, record};
use super::failure::{Checked, holds, same};
use super::world::{World, same_picture};
use crate::store::{Body, CounterKey, Receipt};

const H48_S: i64 = 48 * 3_600;

pub(super) async fn rule_05_sent_again_the_outcome_comes_back(w: &mut World) -> Checked {
    let draft = w
        .draft()
        .outcome(number(42))
        .fresh(&record("order", 1, "a"), 1)
        .count(&CounterKey::of(owner(1), "n"), 3, None)
        .post(deposit(owner(1), "d", 9))
        .append(owner(1), 1);
    let set = draft.seal();
    let first = w.commit(&set).await?;
    holds(!first.replayed, "the first time it is no replay")?;
    let before = w.picture().await?;
    for _ in 0..3 {
        let again = w.commit(&set).await?;
        holds(again.replayed, "it is said that it was read back")?;
        let wanted = Receipt { replayed: true, ..first.clone() };
        same(&again, &wanted, "the stored receipt")?;
    }
    same_picture(&w.picture().await?, &before, "what is seen after replays")
}

pub(super) async fn rule_05_other_content_is_refused(w: &mut World) -> Checked {
    let draft = w.draft().count(&CounterKey::of(owner(1), "n"), 1, None);
    w.done(draft.clone()).await?;
    w.refuses(draft.clone().count(&CounterKey::of(owner(1), "n"), 1, None), "operation_reused").await?;
    w.refuses(draft.clone().outcome(number(1)), "operation_reused").await?;
    w.refuses(draft.clone().at(NOON.plus_ms(1)), "operation_reused").await?;
    let again = w.commit(&draft.seal()).await?;
    holds(again.replayed, "the first one is still known")?;
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &1, "the counter")
}

pub(super) async fn rule_05_operation_ids_are_compared_whole(w: &mut World) -> Checked {
    let first = crate::store::OperationId([7; 16]);
    w.done(super::draft::Draft::of(first).append(owner(1), 1)).await?;
    for at in [0, 7, 15] {
        let mut id = first;
        id.0[at] ^= 0x80;
        w.done(super::draft::Draft::of(id).append(owner(1), 1)).await?;
    }
    same(&w.head(owner(1)).await?.last_event, &4, "events")
}

pub(super) async fn rule_05_each_outcome_is_kept_apart(w: &mut World) -> Checked {
    let sets: Vec<_> = (0..30).map(|n| w.draft().outcome(number(n)).append(owner(1), n).seal()).collect();
    for set in &sets {
        w.commit(set).await?;
    }
    for (n, set) in sets.iter().enumerate().rev() {
        let again = w.commit(set).await?;
        same(&again.outcome, &number(n as u64), "the outcome")?;
        same(&again.events, &vec![n as u64 + 1], "the event")?;
    }
    Ok(())
}

pub(super) async fn rule_05_a_large_outcome_is_kept(w: &mut World) -> Checked {
    let text = format!("{{\"items\":\"{}\"}}", "ж".repeat(30_000));
    let set = (0..500).fold(w.draft().outcome(Body::from_text(&text)?), |d, n| d.append(owner(1), n)).seal();
    let first = w.commit(&set).await?;
    let again = w.commit(&set).await?;
    holds(again.outcome.as_bytes() == text.as_bytes(), "the outcome byte for byte")?;
    same(&again.events, &first.events, "500 numbers")
}

pub(super) async fn rule_05_a_replay_after_everything_has_changed(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    let set = w.draft().fresh(&key, 1).term("due", "x").post(deposit(owner(1), "d", 5)).seal();
    let first = w.commit(&set).await?;
    w.done(w.draft().delete(&key, 1).post(forfeit(owner(1), "f"))).await?;
    let again = w.commit(&set).await?;
    same(&(again.replayed, &again.transfers), &(true, &first.transfers), "the receipt")?;
    same(&w.version(&key).await?, &None, "the record stays deleted")?;
    same(&w.money(owner(1)).await?, &(0, 0, 0), "the money stays where it is")
}

pub(super) async fn rule_05_a_refusal_is_not_remembered(w: &mut World) -> Checked {
    let set = w.draft().post(hold(owner(1), "h", 5)).seal();
    for _ in 0..2 {
        super::world::is_answered(&w.commit(&set).await, "floor", "the answer")?;
    }
    w.done(w.draft().post(deposit(owner(1), "d", 5))).await?;
    let receipt = w.commit(&set).await?;
    holds(!receipt.replayed, "judged anew, it is accepted")
}

pub(super) async fn rule_05_ids_are_kept_48_hours(w: &mut World) -> Checked {
    let draft = w.draft().append(owner(1), 1);
    let set = draft.clone().seal();
    w.commit(&set).await?;
    // other commits, up to 48 hours later by their header
    for hours in [1, 24, 47, 48] {
        w.done(w.draft().at(NOON.plus_seconds(hours * 3_600)).append(owner(2), 1)).await?;
    }
    let again = w.commit(&set).await?;
    holds(again.replayed, "after exactly 48 hours it is still known")?;
    w.refuses(draft.at(NOON.plus_seconds(H48_S)).append(owner(1), 2), "operation_reused").await?;
    same(&w.head(owner(1)).await?.last_event, &1, "events")
}

pub(super) async fn rule_05_ids_are_forgotten_after_48_hours(w: &mut World) -> Checked {
    let draft = w.draft().append(owner(1), 1);
    let set = draft.clone().seal();
    w.commit(&set).await?;
    let late = NOON.plus_seconds(H48_S + 1);
    let other = draft.at(late).append(owner(1), 2);
    let receipt = w.done(other.clone()).await?;
    same(&receipt.events, &vec![2, 3], "an id that is too old names something new")?;
    let again = w.commit(&other.seal()).await?;
    holds(again.replayed, "the new meaning of the id is remembered from now on")?;
    w.done(w.draft().at(late.plus_seconds(60)).append(owner(2), 1)).await?;
    w.done(w.draft().at(late.plus_seconds(120)).append(owner(2), 1)).await?;
    same(&w.head(owner(1)).await?.last_event, &3, "events")
}

pub(super) async fn rule_05_what_is_forgotten_gives_its_room_back(w: &mut World) -> Checked {
    let marker = "outcome-of-long-ago-5150";
    let sets: Vec<_> = (0..20_u64)
        .map(|n| w.draft().outcome(Body::from_stored(format!("\"{marker}-{n}\"").as_bytes())).seal())
        .collect();
    for set in &sets {
        w.commit(set).await?;
    }
    holds(super::find(&w.raw_bytes().await, marker.as_bytes()), "outcomes are kept")?;
    let late = NOON.plus_seconds(H48_S + 1);
    for n in 0..4 {
        w.done(w.draft().at(late.plus_seconds(n)).append(owner(1), 1)).await?;
    }
    // sent again they are new: nothing of them is left
    for set in &sets {
        let receipt = w.commit(set).await?;
        holds(!receipt.replayed, "an id older than 48 hours is forgotten by the commits after that")?;
    }
    Ok(())
}

pub(super) async fn rule_05_an_id_used_anew_outlives_its_first_meaning(w: &mut World) -> Checked {
    let draft = w.draft();
    w.done(draft.clone().append(owner(1), 1)).await?;
    let late = NOON.plus_seconds(H48_S + 3_600);
    let anew = draft.at(late).append(owner(1), 2).seal();
    let first = w.commit(&anew).await?;
    holds(!first.replayed, "a new meaning")?;
    for hours in 1..=3 {
        w.done(w.draft().at(late.plus_seconds(hours * 3_600)).append(owner(2), 1)).await?;
        holds(w.commit(&anew).await?.replayed, "cleaning up after the first meaning leaves the second")?;
    }
    same(&w.head(owner(1)).await?.last_event, &2, "events")
}

pub(super) async fn rule_05_a_clock_that_is_behind_loses_nothing(w: &mut World) -> Checked {
    // headers of two nodes, one a day behind the other
    let sets: Vec<_> = [0, -86_400, 10, -86_390]
        .into_iter()
        .map(|s| w.draft().at(NOON.plus_seconds(s)).append(owner(1), 1).fresh(&free("t", s.to_string()), 1).seal())
        .collect();
    for set in &sets {
        holds(!w.commit(set).await?.replayed, "the first time")?;
    }
    for set in &sets {
        holds(w.commit(set).await?.replayed, "the second time")?;
    }
    same(&w.head(owner(1)).await?.last_event, &4, "events")
}
