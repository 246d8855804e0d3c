//! Rule 2, terms and families: what is replaced or deleted is gone from every list.

use super::draft::{free, owner, record};
use super::failure::{Checked, holds, same};
use super::world::World;
use crate::store::{Expect, Index, Kind, Owner, Row};

pub(super) async fn rule_02_put_replaces_all_terms(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    w.done(w.draft().fresh(&key, 1).term("due", "1").term("due", "2").term("phone", "p")).await?;
    same(&w.keys("due").await?.len(), &2, "two places in one index")?;
    w.done(w.draft().over(&key, 1, 2).term("due", "2").term("state", "open")).await?;
    same(&w.keys("due").await?.len(), &1, "the place that stayed")?;
    same(&w.keys("phone").await?.len(), &0, "the place that is gone")?;
    same(&w.keys("state").await?.len(), &1, "the place that is new")?;
    w.done(w.draft().over(&key, 2, 3)).await?;
    for index in ["due", "phone", "state"] {
        same(&w.keys(index).await?.len(), &0, "terms after a put without terms")?;
    }
    Ok(())
}

pub(super) async fn rule_02_only_terms_change(w: &mut World) -> Checked {
    // same body, same version: the terms alone differ
    let key = record("order", 1, "a");
    w.done(w.draft().fresh(&key, 1).term("due", "1")).await?;
    w.done(w.draft().over(&key, 1, 1).term("due", "9")).await?;
    let rows = w.all(&Index::Term(Kind::of("due"))).await?;
    let places: Vec<_> = rows.iter().map(|row| row.cursor().position).collect();
    same(&places, &vec![b"9".to_vec()], "places")
}

pub(super) async fn rule_02_delete_removes_terms(w: &mut World) -> Checked {
    let (a, b) = (record("order", 1, "a"), record("order", 1, "b"));
    w.done(w.draft().fresh(&a, 1).term("due", "x").fresh(&b, 1).term("due", "x")).await?;
    w.done(w.draft().delete(&a, 1)).await?;
    same(&w.keys("due").await?, &vec![b], "an equal term of another record stays")
}

pub(super) async fn rule_02_equal_terms_of_two_records(w: &mut World) -> Checked {
    let keys = [free("order", "a"), record("order", 1, ""), record("order", 1, "a"), record("zorder", 1, "")];
    for key in keys.iter().rev() {
        w.done(w.draft().fresh(key, 1).term("due", "same")).await?;
    }
    same(&w.keys("due").await?, &keys.to_vec(), "rows of one position in key order")?;
    w.done(w.draft().over(&keys[1], 1, 2).term("due", "other")).await?;
    let rest = [keys[1].clone(), keys[0].clone(), keys[2].clone(), keys[3].clone()];
    same(&w.keys("due").await?, &rest.to_vec(), "one of them moved")
}

pub(super) async fn rule_02_a_term_given_twice_is_one_place(w: &mut World) -> Checked {
    let key = free("thing", "a");
    w.done(w.draft().fresh(&key, 1).term("due", "x").term("due", "x")).await?;
    same(&w.keys("due").await?, &vec![key.clone()], "rows")?;
    w.done(w.draft().delete(&key, 1)).await?;
    same(&w.keys("due").await?.len(), &0, "rows after the delete")
}

pub(super) async fn rule_02_a_row_of_a_list_is_the_record(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    w.done(w.draft().fresh(&key, 4).term("due", "x").term("phone", "y")).await?;
    let loaded = w.record(&key).await?;
    for index in [Index::Term(Kind::of("due")), Index::Term(Kind::of("phone")), Index::Kind(Kind::of("order"))] {
        let found = w.all(&index).await?.into_iter().next().and_then(|row| match row {
            Row::Record { record, .. } => Some(record),
            Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
        });
        holds(found.is_some() && found == loaded, "a row has version, body and terms as a load has them")?;
    }
    same(&loaded.map(|r| r.terms.len()), &Some(2), "terms of the record")
}

pub(super) async fn rule_02_delete_owned_removes_records_and_terms(w: &mut World) -> Checked {
    let sessions: Vec<_> = [vec![], vec![0], b"a".to_vec(), vec![0xff], vec![0xff; 128]]
        .into_iter()
        .map(|id| record("session", 7, id))
        .collect();
    let draft = sessions.iter().fold(w.draft(), |draft, key| draft.fresh(key, 1).term("token", key.id.clone()));
    w.done(draft).await?;
    w.done(w.draft().delete_owned("session", owner(7))).await?;
    for key in &sessions {
        same(&w.version(key).await?, &None, "a record of the family")?;
    }
    same(&w.keys_of_kind("session").await?.len(), &0, "records of the kind")?;
    same(&w.keys("token").await?.len(), &0, "terms of the family")
}

pub(super) async fn rule_02_delete_owned_spares_the_neighbours(w: &mut World) -> Checked {
    let near = |last: u8| {
        let mut bytes = [7; 16];
        bytes[15] = last;
        Owner(bytes)
    };
    let kind = || Kind::of("session");
    let mut spared = vec![
        crate::store::Key::owned(kind(), near(6), vec![0xff; 128]),
        crate::store::Key::owned(kind(), near(8), vec![]),
        free("session", vec![7; 16]),
        record("sessio", 7, "a"),
        record("session_", 7, "a"),
        record("sessions", 7, ""),
        record("order", 7, "a"),
    ];
    spared.sort();
    let draft = spared.iter().fold(w.draft(), |draft, key| draft.fresh(key, 1).term("token", "t"));
    w.done(draft.fresh(&record("session", 7, "gone"), 1).term("token", "t")).await?;
    w.done(w.draft().delete_owned("session", owner(7))).await?;
    same(&w.keys("token").await?, &spared, "what stays")
}

pub(super) async fn rule_02_delete_owned_at_the_last_owner(w: &mut World) -> Checked {
    w.done(w.draft().fresh(&record("session", 0xff, vec![0xff; 128]), 1).fresh(&free("sessionz", ""), 1)).await?;
    w.done(w.draft().delete_owned("session", owner(0xff))).await?;
    same(&w.keys_of_kind("session").await?.len(), &0, "the family of the last owner")?;
    same(&w.keys_of_kind("sessionz").await?.len(), &1, "the kind behind it")
}

pub(super) async fn rule_02_delete_owned_of_nothing(w: &mut World) -> Checked {
    w.done(w.draft().delete_owned("session", owner(1)).append(owner(1), 1)).await?;
    same(&w.head(owner(1)).await?.last_event, &1, "the rest of the ChangeSet")
}

pub(super) async fn rule_02_delete_owned_keeps_what_is_put_beside_it(w: &mut World) -> Checked {
    let (old, new) = (record("session", 1, "old"), record("session", 1, "new"));
    w.done(w.draft().fresh(&old, 1).term("token", "o").fresh(&record("session", 1, "x"), 1)).await?;
    // signed in anew: every session goes, this one comes; wherever the entry stands
    w.done(w.draft().fresh(&new, 2).term("token", "n").delete_owned("session", owner(1))).await?;
    same(&w.keys_of_kind("session").await?, &vec![new.clone()], "the family")?;
    w.done(w.draft().delete_owned("session", owner(1)).over(&new, 2, 3).term("token", "m")).await?;
    same(&w.keys_of_kind("session").await?, &vec![new.clone()], "the family")?;
    same(&w.keys("token").await?, &vec![new.clone()], "its term")?;
    same(&w.version(&new).await?, &Some(3), "its version")
}

pub(super) async fn rule_02_delete_owned_beside_a_delete_and_an_ensure(w: &mut World) -> Checked {
    let (a, b) = (record("session", 1, "a"), record("session", 1, "b"));
    w.done(w.draft().fresh(&a, 1).fresh(&b, 1)).await?;
    let stale = w.draft().delete_owned("session", owner(1)).ensure(&b, Expect::Absent);
    w.refuses(stale, "expectation").await?;
    w.done(w.draft().delete_owned("session", owner(1)).delete(&a, 1).ensure(&b, Expect::Version(1))).await?;
    same(&w.keys_of_kind("session").await?.len(), &0, "the family")
}

pub(super) async fn rule_02_a_family_that_comes_back_has_only_its_new_terms(w: &mut World) -> Checked {
    let key = record("session", 1, "s");
    w.done(w.draft().fresh(&key, 1).term("token", "old").term("due", "old")).await?;
    w.done(w.draft().delete_owned("session", owner(1))).await?;
    // a place that was left behind would be seen again with the record
    w.done(w.draft().fresh(&key, 2).term("token", "new")).await?;
    let rows = w.all(&Index::Term(Kind::of("token"))).await?;
    let places: Vec<_> = rows.iter().map(|row| row.cursor().position).collect();
    same(&places, &vec![b"new".to_vec()], "places of the new record")?;
    same(&w.keys("due").await?.len(), &0, "places of the old one")
}
