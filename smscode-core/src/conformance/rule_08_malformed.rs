//! Rule 8, continued: what makes no sense is refused as malformed.

use super::draft::{Draft, available, debt, deposit, free, held, owner, record, transfer};
use super::failure::Checked;
use super::world::World;
use crate::store::{Amount, Bucket, CounterKey, Entry, Expect, House, Key, Kind, Owner, Place, TransferKind};

async fn malformed(w: &World, draft: Draft) -> Checked {
    w.refuses(draft, "malformed").await.map(drop)
}

pub(super) async fn rule_08_malformed_kinds(w: &mut World) -> Checked {
    for kind in ["", "Order", "order-1", "order 1", "ордер", "order\0", "order.x", "a/b"] {
        let key = Key::owned(Kind::read(kind), owner(1), "a");
        malformed(w, w.draft().fresh(&key, 1)).await?;
        malformed(w, w.draft().ensure(&key, Expect::Absent)).await?;
        let kind = Kind::read(kind);
        malformed(w, w.draft().with(Entry::DeleteOwned { kind: kind.clone(), owner: owner(1) })).await?;
        let term = crate::store::Term { index: kind, at: b"x".to_vec() };
        let put = Entry::Put {
            key: record("order", 1, "a"),
            expect: Expect::Absent,
            version: 1,
            body: super::draft::number(1),
            terms: vec![term],
        };
        malformed(w, w.draft().with(put)).await?;
    }
    Ok(())
}

pub(super) async fn rule_08_malformed_twice_written(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    malformed(w, w.draft().fresh(&key, 1).fresh(&key, 2)).await?;
    w.done(w.draft().fresh(&key, 1)).await?;
    malformed(w, w.draft().over(&key, 1, 2).delete(&key, 1)).await?;
    malformed(w, w.draft().delete(&key, 1).delete(&key, 1)).await?;
    // a condition beside a write is fine
    w.done(w.draft().ensure(&key, Expect::Version(1)).over(&key, 1, 2)).await.map(drop)
}

pub(super) async fn rule_08_malformed_without_owner(w: &mut World) -> Checked {
    let nobody = Owner::NONE;
    malformed(w, w.draft().append(nobody, 1)).await?;
    malformed(w, w.draft().with(Entry::DeleteOwned { kind: Kind::of("session"), owner: nobody })).await?;
    malformed(w, w.draft().post(deposit(nobody, "d", 1))).await?;
    // records and counters of nobody are fine
    w.done(w.draft().fresh(&free("thing", "a"), 1).count(&CounterKey::of(nobody, "n"), 1, None)).await.map(drop)
}

pub(super) async fn rule_08_malformed_transfers(w: &mut World) -> Checked {
    let (a, b) = (owner(1), owner(2));
    w.done(w.draft().post(deposit(a, "d", 100)).post(deposit(b, "e", 100))).await?;
    let house = |name: &str| Place::House(House(name.into()));
    let post = |debit: Place, credit: Place, amount| transfer("x", TransferKind::Adjust, debit, credit, amount);
    let cases = [
        ("between two customers", post(available(a), available(b), Amount::Exact(1))),
        ("rest of another customer", post(available(a), house("x"), Amount::UpTo(1, available(b)))),
        ("to itself", post(available(a), available(a), Amount::Exact(1))),
        ("to itself, house", post(house("x"), house("x"), Amount::Exact(1))),
        ("all to itself", post(available(a), available(a), Amount::All)),
        ("all of a house account", post(house("x"), available(a), Amount::All)),
        ("up to of a house account", post(house("x"), available(a), Amount::UpTo(5, debt(a)))),
        ("rest is the debit", post(available(a), house("x"), Amount::UpTo(5, available(a)))),
        ("rest is the credit", post(available(a), house("x"), Amount::UpTo(5, house("x")))),
        ("exactly nothing", post(available(a), house("x"), Amount::Exact(0))),
        ("up to nothing", post(available(a), house("x"), Amount::UpTo(0, debt(a)))),
        ("two currencies of nobody", post(Place::Customer(Owner::NONE, Bucket::Held), house("x"), Amount::All)),
    ];
    for (what, post) in cases {
        malformed(w, w.draft().post(post)).await.map_err(|failure| failure.within(what))?;
    }
    w.done(w.draft().post(post(available(a), held(a), Amount::Exact(1)))).await.map(drop)
}

pub(super) async fn rule_08_malformed_text_with_nul(w: &mut World) -> Checked {
    // not every store can keep U+0000 in a text
    let nul = "a\0b";
    let mut posts =
        [deposit(owner(1), "1", 1), deposit(owner(1), "2", 1), deposit(owner(1), "3", 1), deposit(owner(1), "4", 1)];
    posts[0].subject = nul.into();
    posts[1].reason = nul.into();
    posts[2].actor = nul.into();
    posts[3].debit = Place::House(House(nul.into()));
    for post in posts {
        malformed(w, w.draft().post(post)).await?;
    }
    let rest = Amount::UpTo(1, Place::House(House(nul.into())));
    let post = transfer("5", TransferKind::Adjust, available(owner(1)), held(owner(1)), rest);
    malformed(w, w.draft().post(post)).await?;
    malformed(w, w.draft().count(&CounterKey::of(owner(1), nul), 1, None)).await?;
    let period = CounterKey { period: nul.into(), ..CounterKey::of(owner(1), "n") };
    malformed(w, w.draft().count(&period, 1, None)).await
}
