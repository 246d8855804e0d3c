//! Rule 11: entry kinds are closed, record kinds are data.

use super::draft::{deposit, free, hold, number, owner, record};
use super::failure::{Checked, same};
use super::world::{World, keys_of};
use crate::store::{CounterKey, Expect, Index, Key, Kind, Owner};

const INVENTED: [&str; 8] = ["host_loyalty_card", "a", "_", "0", "select", "host_", "zz9_plural_z_alpha", "records"];

pub(super) async fn rule_11_an_invented_kind_needs_no_adapter_code(w: &mut World) -> Checked {
    for kind in INVENTED {
        for of in [Owner::NONE, owner(1)] {
            let key = Key::owned(Kind::read(kind), of, "id");
            w.done(w.draft().fresh(&key, 1)).await?;
            w.done(w.draft().ensure(&key, Expect::Version(1))).await?;
            w.refuses(w.draft().fresh(&key, 2), "expectation").await?;
            w.done(w.draft().over(&key, 1, 3)).await?;
            same(&w.record(&key).await?.map(|r| (r.version, r.body)), &Some((3, number(3))), "the record")?;
        }
        let rows = w.all(&Index::Kind(Kind::read(kind))).await?;
        same(&rows.len(), &2, "records of the kind")?;
        w.done(w.draft().with(crate::store::Entry::DeleteOwned { kind: Kind::read(kind), owner: owner(1) })).await?;
        let rows = w.all(&Index::Kind(Kind::read(kind))).await?;
        same(&keys_of(&rows), &vec![Key::free(Kind::read(kind), "id")], "records after the family went")?;
    }
    Ok(())
}

pub(super) async fn rule_11_an_invented_index_needs_no_adapter_code(w: &mut World) -> Checked {
    for (n, name) in INVENTED.into_iter().enumerate() {
        let draft = w.draft().fresh(&free("thing", [n as u8]), 1).term(name, "x").term(name, "y");
        w.done(draft).await?;
        let rows = w.all(&Index::Term(Kind::read(name))).await?;
        same(&rows.len(), &2, "places in the index")?;
    }
    Ok(())
}

pub(super) async fn rule_11_kinds_are_apart(w: &mut World) -> Checked {
    let keys: Vec<Key> = INVENTED.iter().map(|kind| Key::owned(Kind::read(kind), owner(1), "same")).collect();
    let draft = keys.iter().enumerate().fold(w.draft(), |draft, (n, key)| draft.fresh(key, n as u64));
    w.done(draft).await?;
    w.done(w.draft().delete(&keys[3], 3)).await?;
    for (n, key) in keys.iter().enumerate() {
        same(&w.version(key).await?, &(n != 3).then_some(n as u64), "a record of a kind")?;
    }
    Ok(())
}

pub(super) async fn rule_11_an_index_may_be_named_like_a_kind(w: &mut World) -> Checked {
    let (a, b) = (record("order", 1, "a"), record("session", 1, "b"));
    w.done(w.draft().fresh(&a, 1).fresh(&b, 1).term("order", "x")).await?;
    same(&w.keys_of_kind("order").await?, &vec![a], "records of the kind")?;
    same(&w.keys("order").await?, &vec![b], "records in the index")
}

pub(super) async fn rule_11_every_kind_of_entry_in_one(w: &mut World) -> Checked {
    let (old, gone, gate) = (record("order", 1, "old"), record("order", 1, "gone"), free("gate", ""));
    let sessions = record("session", 1, "s");
    w.done(w.draft().fresh(&old, 1).fresh(&gone, 1).fresh(&gate, 1).fresh(&sessions, 1)).await?;
    let draft = w
        .draft()
        .append(owner(1), 1)
        .post(deposit(owner(1), "d", 10))
        .count(&CounterKey::of(owner(1), "n"), 2, Some(2))
        .ensure(&gate, Expect::Version(1))
        .delete_owned("session", owner(1))
        .delete(&gone, 1)
        .over(&old, 1, 2)
        .post(hold(owner(1), "h", 4))
        .append(owner(1), 2);
    let receipt = w.done(draft).await?;
    same(&(receipt.events, receipt.counters), &(vec![1, 2], vec![2]), "events and counters")?;
    same(
        &receipt.transfers.iter().map(|t| (t.moved, t.number)).collect::<Vec<_>>(),
        &vec![(10, 1), (4, 2)],
        "transfers",
    )?;
    same(&w.keys_of_kind("order").await?, &vec![old], "records")?;
    same(&w.keys_of_kind("session").await?.len(), &0, "sessions")?;
    same(&w.money(owner(1)).await?, &(6, 4, 0), "the money")
}
