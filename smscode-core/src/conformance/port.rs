//! What is said at the methods of the port.

use super::draft::{deposit, free, number, owner, record};
use super::failure::{Checked, holds, same};
use super::world::World;
use crate::store::{CounterKey, Head, Key, Kind, LoadKey, Owner};

pub(super) async fn port_describe_names_the_store(w: &mut World) -> Checked {
    let info = w.store().describe().await?;
    holds(!info.name.is_empty() && info.format > 0, "a name and a format")?;
    w.done(w.draft().append(owner(1), 1)).await?;
    same(&w.store().describe().await?, &info, "it stays the same")
}

pub(super) async fn port_a_fresh_store_is_empty(w: &mut World) -> Checked {
    let view = w.load(&[LoadKey::Head(owner(1)), LoadKey::Counter(CounterKey::of(owner(1), "n"))]).await?;
    same(&view.head(owner(1)), &Head::default(), "the head of an account without a row")?;
    same(&view.counter(&CounterKey::of(owner(1), "n")), &0, "a counter never counted")?;
    same(&w.totals().await?.currencies.len(), &0, "currencies")
}

pub(super) async fn port_load_gives_what_is_there(w: &mut World) -> Checked {
    let (there, missing) = (record("order", 1, "a"), record("order", 1, "b"));
    let counter = CounterKey::of(owner(1), "n");
    let draft = w.draft().fresh(&there, 5).term("due", "x").count(&counter, 3, None).append(owner(1), 1);
    w.done(draft.post(deposit(owner(1), "d", 7))).await?;
    let keys = [
        LoadKey::Counter(CounterKey::of(owner(2), "n")),
        LoadKey::Record(missing.clone()),
        LoadKey::Head(owner(2)),
        LoadKey::Record(there.clone()),
        LoadKey::Head(owner(1)),
        LoadKey::Counter(counter.clone()),
        LoadKey::Record(there.clone()),
    ];
    let view = w.load(&keys).await?;
    same(&view.record(&there).map(|r| (r.version, r.body.clone())), &Some((5, number(5))), "the record")?;
    holds(view.record(&missing).is_none(), "a record that does not exist")?;
    let head = view.head(owner(1));
    same(&(head.available, head.last_event, head.last_transfer), &(7, 1, 1), "the head")?;
    same(&view.head(owner(2)), &Head::default(), "another account's head")?;
    same(&(view.counter(&counter), view.counter(&CounterKey::of(owner(2), "n"))), &(3, 0), "counters")
}

pub(super) async fn port_load_gives_only_what_was_asked_for(w: &mut World) -> Checked {
    let (a, b) = (record("order", 1, "a"), record("order", 1, "b"));
    w.done(w.draft().fresh(&a, 1).fresh(&b, 1).append(owner(1), 1)).await?;
    let view = w.load(&[LoadKey::Record(a.clone())]).await?;
    holds(view.record(&a).is_some() && view.record(&b).is_none(), "one record")?;
    same(&view.head(owner(1)), &Head::default(), "no head")?;
    w.load(&[]).await.map(drop)
}

pub(super) async fn port_keys_are_compared_in_all_parts(w: &mut World) -> Checked {
    // joined without care, these would be one
    let keys = [
        Key::owned(Kind::of("order"), owner(b'a'), "bc"),
        Key::owned(Kind::of("ordera"), owner(b'a'), "bc"),
        Key::owned(Kind::of("order"), owner(b'a'), "abc"),
        Key::owned(Kind::of("order"), Owner([b'b'; 16]), "c"),
        Key::owned(Kind::of("order"), Owner::NONE, [&[b'a'; 16][..], b"bc"].concat()),
        Key::owned(Kind::of("orderaaaaaaaaaaaaaaaa"), Owner::NONE, "bc"),
        Key::owned(Kind::of("order"), Owner::NONE, [&[0; 16][..], b"bc"].concat()),
        Key::owned(Kind::of("order"), Owner::NONE, "bc"),
    ];
    let draft = keys.iter().enumerate().fold(w.draft(), |draft, (n, key)| draft.fresh(key, n as u64).term("all", "x"));
    w.done(draft).await?;
    for (n, key) in keys.iter().enumerate() {
        same(&w.version(key).await?, &Some(n as u64), "the record of a key")?;
    }
    let mut sorted = keys.to_vec();
    sorted.sort();
    same(&w.keys("all").await?, &sorted, "keys in their order")?;
    // the same care with places and counters
    w.done(w.draft().fresh(&free("t", "b"), 1).term("ab", "c").fresh(&free("t", "a"), 1).term("a", "bc")).await?;
    same(&(w.keys("ab").await?, w.keys("a").await?), &(vec![free("t", "b")], vec![free("t", "a")]), "places")
}
