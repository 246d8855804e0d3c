//! Rule 7, lists: order, ranges, pages and cursors.

use super::draft::{deposit, free, owner, record};
use super::failure::{Checked, holds, same};
use super::world::{World, keys_of};
use crate::store::{Cursor, Index, Key, Kind, Owner, Range, Row, kind_position};

fn due() -> Index {
    Index::Term(Kind::of("due"))
}

fn positions(rows: &[Row]) -> Vec<Vec<u8>> {
    rows.iter().map(|row| row.cursor().position).collect()
}

/// Places of every awkward sort, ascending.
fn places() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0],
        vec![0, 0],
        vec![0, 1],
        vec![0, 0xff],
        vec![1],
        b"a".to_vec(),
        b"a\0".to_vec(),
        b"a\xff".to_vec(),
        b"a\xff\xff".to_vec(),
        b"b".to_vec(),
        vec![0x7f],
        vec![0x80],
        vec![0xff],
        vec![0xff, 0],
        vec![0xff, 0xff],
        vec![0xff; 128],
    ]
}

/// One record per place, put in another order.
async fn with_places(w: &World) -> Checked {
    let draft = places()
        .iter()
        .enumerate()
        .rev()
        .fold(w.draft(), |draft, (n, at)| draft.fresh(&record("order", 1, [n as u8]), 1).term("due", at.clone()));
    // neighbours of the index that are none of its business
    let draft = draft
        .fresh(&free("x", "1"), 1)
        .term("du", vec![0xff; 128])
        .fresh(&free("x", "2"), 1)
        .term("due2", "")
        .fresh(&free("x", "3"), 1)
        .term("due_", "");
    w.done(draft).await.map(drop)
}

pub(super) async fn rule_07_scan_terms_ascend_by_bytes(w: &mut World) -> Checked {
    with_places(w).await?;
    for limit in [1, 2, 3, 7, 17, 18, 1_000] {
        let rows = w.list(&due(), &Range::all(), limit).await?;
        same(&positions(&rows), &places(), "places, page by page")?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_ranges_include_from_and_exclude_until(w: &mut World) -> Checked {
    with_places(w).await?;
    let all = places();
    let mut bounds = all.clone();
    bounds.extend([vec![0, 0, 0], b"a\0\0".to_vec(), b"zz".to_vec(), vec![0xff, 0xff, 0xff]]);
    for from in &bounds {
        for until in bounds.iter().map(Some).chain([None]) {
            let range = Range { from: from.clone(), until: until.cloned() };
            let wanted: Vec<_> =
                all.iter().filter(|at| *at >= from && until.is_none_or(|until| *at < until)).cloned().collect();
            let rows = w.list(&due(), &range, 5).await?;
            same(&positions(&rows), &wanted, &format!("places of {range:?}"))?;
        }
    }
    Ok(())
}

pub(super) async fn rule_07_scan_by_prefix(w: &mut World) -> Checked {
    with_places(w).await?;
    let prefixes: [&[u8]; 9] = [b"", b"\0", b"a", b"a\xff", b"\xff", b"\xff\xff", b"\xff\xff\xff", b"b", b"c"];
    for prefix in prefixes {
        let wanted: Vec<_> = places().into_iter().filter(|at| at.starts_with(prefix)).collect();
        let rows = w.list(&due(), &Range::prefix(prefix), 3).await?;
        same(&positions(&rows), &wanted, &format!("places that begin with {prefix:?}"))?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_pages_through_one_position(w: &mut World) -> Checked {
    // 40 records share one place, with neighbours before and behind
    let mut keys: Vec<Key> =
        (0..40_u8).map(|n| record(if n % 2 == 0 { "order" } else { "orders" }, n % 5, [n, 0])).collect();
    let draft = keys.iter().rev().fold(w.draft(), |draft, key| draft.fresh(key, 1).term("due", "same"));
    w.done(draft).await?;
    let ends =
        w.draft().fresh(&free("zz", "first"), 1).term("due", "sam").fresh(&free("aa", "last"), 1).term("due", "same\0");
    w.done(ends).await?;
    keys.sort();
    keys.insert(0, free("zz", "first"));
    keys.push(free("aa", "last"));
    for limit in [1, 2, 3, 5, 41, 42, 43] {
        let rows = w.list(&due(), &Range::all(), limit).await?;
        same(&keys_of(&rows), &keys, "nothing skipped, nothing twice")?;
    }
    let rows = w.list(&due(), &Range::prefix(b"same"), 4).await?;
    same(&keys_of(&rows), &keys[1..].to_vec(), "the same under a prefix")
}

pub(super) async fn rule_07_scan_limit_is_cut_to_1_and_1000(w: &mut World) -> Checked {
    let put = |from: u16| {
        (from..from + 501)
            .fold(w.draft(), |draft, n| draft.fresh(&free("thing", n.to_be_bytes()), 1).term("due", n.to_be_bytes()))
    };
    w.done(put(0)).await?;
    w.done(put(501)).await?;
    for index in [due(), Index::Kind(Kind::of("thing"))] {
        for (limit, wanted) in [(0, 1), (1, 1), (999, 999), (1_000, 1_000), (1_001, 1_000), (usize::MAX, 1_000)] {
            let page = w.store().scan(&index, &Range::all(), None, limit).await?;
            same(&page.rows.len(), &wanted, &format!("rows for a limit of {limit}"))?;
            holds(page.next.is_some(), "there is more")?;
        }
        same(&w.list(&index, &Range::all(), 1_000).await?.len(), &1_002, "rows in all")?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_says_when_there_is_no_more(w: &mut World) -> Checked {
    let draft = (1..=6_u8).fold(w.draft(), |draft, n| {
        draft.fresh(&free("thing", [n]), 1).term("due", [n]).append(owner(1), 1).append(owner(n), 1).post(deposit(
            owner(1),
            [n],
            1,
        ))
    });
    w.done(draft).await?;
    // account 1 has seven events, all else six rows
    let lists = [due(), Index::Kind(Kind::of("thing")), Index::Heads, Index::Transfers(owner(1))];
    for index in &lists {
        for limit in [2, 3, 6] {
            let mut after = None;
            let mut pages = 0;
            loop {
                let page = w.store().scan(index, &Range::all(), after.as_ref(), limit).await?;
                pages += 1;
                same(&page.rows.len(), &limit, "a full page")?;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            same(&pages, &(6 / limit), "no empty page at the end")?;
        }
    }
    let nothing = Range { from: b"x".to_vec(), until: Some(b"a".to_vec()) };
    for index in lists.iter().chain([&Index::Events(owner(9)), &Index::Term(Kind::of("none"))]) {
        let page = w.store().scan(index, &nothing, None, 10).await?;
        same(&(page.rows.len(), page.next), &(0, None), "an empty range")?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_cursor_outlives_its_row(w: &mut World) -> Checked {
    let key = |n: u8| free("thing", [n]);
    let draft = (0..10).fold(w.draft(), |draft, n| draft.fresh(&key(n), 1).term("due", "same"));
    w.done(draft).await?;
    for index in [due(), Index::Kind(Kind::of("thing"))] {
        let page = w.store().scan(&index, &Range::all(), None, 4).await?;
        same(&keys_of(&page.rows), &(0..4).map(key).collect::<Vec<_>>(), "the first page")?;
        // the row of the cursor goes, one behind it goes, one behind it and one before it come
        w.done(w.draft().delete(&key(3), 1).delete(&key(5), 1)).await?;
        let new = [free("thing", [6, 1]), free("thing", [1, 1])];
        w.done(w.draft().fresh(&new[0], 1).term("due", "same").fresh(&new[1], 1).term("due", "same")).await?;
        let page = w.store().scan(&index, &Range::all(), page.next.as_ref(), 100).await?;
        let wanted = vec![key(4), key(6), new[0].clone(), key(7), key(8), key(9)];
        same(&keys_of(&page.rows), &wanted, "the page after it")?;
        same(&page.next, &None, "the end")?;
        let restore = w.draft().delete(&new[0], 1).delete(&new[1], 1);
        w.done(restore.fresh(&key(3), 1).term("due", "same").fresh(&key(5), 1).term("due", "same")).await?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_after_the_end_is_empty(w: &mut World) -> Checked {
    with_places(w).await?;
    w.done(w.draft().append(owner(1), 1).post(deposit(owner(1), "d", 1))).await?;
    let behind = Cursor { position: vec![0xff; 200], key: Some(free("zzzz", [0xff; 128])) };
    let heads = Cursor { position: vec![0xff; 16], key: None };
    let numbers = Cursor { position: u64::MAX.to_be_bytes().to_vec(), key: None };
    let lists = [
        (due(), &behind),
        (Index::Kind(Kind::of("order")), &behind),
        (Index::Heads, &heads),
        (Index::Transfers(owner(1)), &numbers),
        (Index::Events(owner(1)), &numbers),
    ];
    for (index, cursor) in lists {
        let page = w.store().scan(&index, &Range::all(), Some(cursor), 10).await?;
        same(&(page.rows.len(), page.next), &(0, None), "behind the end")?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_a_cursor_before_the_range(w: &mut World) -> Checked {
    // a cursor kept from a wider list: the range still binds
    with_places(w).await?;
    let page = w.store().scan(&due(), &Range::all(), None, 2).await?;
    let rows = w.store().scan(&due(), &Range::prefix(b"a"), page.next.as_ref(), 100).await?.rows;
    let wanted: Vec<_> = places().into_iter().filter(|at| at.starts_with(b"a")).collect();
    same(&positions(&rows), &wanted, "places in the range")
}

pub(super) async fn rule_07_scan_a_kind_by_owner_then_id(w: &mut World) -> Checked {
    let mut keys = vec![
        free("order", vec![]),
        free("order", vec![0xff; 128]),
        record("order", 1, vec![]),
        record("order", 1, vec![0]),
        record("order", 1, vec![0, 0]),
        record("order", 1, vec![1]),
        record("order", 1, vec![0xff; 128]),
        record("order", 2, vec![]),
        record("order", 0xff, vec![0xff]),
    ];
    let draft = keys.iter().rev().fold(w.draft(), |draft, key| draft.fresh(key, 1));
    let neighbours = [record("orde", 0xff, [0xff; 128]), free("order2", ""), free("order_", "")];
    w.done(neighbours.iter().fold(draft, |draft, key| draft.fresh(key, 1))).await?;
    keys.sort();
    let index = Index::Kind(Kind::of("order"));
    for limit in [1, 2, 4, 100] {
        let rows = w.list(&index, &Range::all(), limit).await?;
        same(&keys_of(&rows), &keys, "records of the kind")?;
        same(&positions(&rows), &keys.iter().map(kind_position).collect::<Vec<_>>(), "their positions")?;
    }
    let rows = w.list(&index, &Range::prefix(&owner(1).0), 2).await?;
    same(&keys_of(&rows), &keys[2..7].to_vec(), "records of one owner")?;
    let rows = w.list(&index, &Range::prefix(&owner(0xff).0), 2).await?;
    same(&keys_of(&rows), &keys[8..].to_vec(), "records of the last owner")?;
    let range = Range { from: kind_position(&keys[3]), until: Some(kind_position(&keys[5])) };
    same(&keys_of(&w.list(&index, &range, 1).await?), &keys[3..5].to_vec(), "a part of it")
}

pub(super) async fn rule_07_scan_heads_by_owner(w: &mut World) -> Checked {
    let owners = [owner(0x01), owner(0x7f), owner(0x80), owner(0xff)];
    for of in owners.iter().rev() {
        w.done(w.draft().append(*of, 1)).await?;
    }
    let heads = |rows: Vec<Row>| -> Vec<Owner> {
        rows.into_iter()
            .filter_map(|row| match row {
                Row::Head(of, _) => Some(of),
                Row::Record { .. } | Row::Transfer(_) | Row::Event(_) => None,
            })
            .collect()
    };
    for limit in [1, 2, 3, 4, 5] {
        same(&heads(w.list(&Index::Heads, &Range::all(), limit).await?), &owners.to_vec(), "owners")?;
    }
    let range = Range { from: owner(0x7f).0.to_vec(), until: Some(owner(0xff).0.to_vec()) };
    same(&heads(w.list(&Index::Heads, &range, 1).await?), &owners[1..3].to_vec(), "a part of them")?;
    let found = w.all(&Index::Heads).await?;
    let head = w.head(owner(0x80)).await?;
    holds(found.get(2) == Some(&Row::Head(owner(0x80), head)), "a row has the head as a load has it")
}

pub(super) async fn rule_07_scan_numbers_past_a_byte(w: &mut World) -> Checked {
    // 300 numbers: an order by text or by little-endian bytes would show
    for half in 0..2_u16 {
        let draft = (0..150).fold(w.draft(), |draft, n| {
            draft.append(owner(1), 1).post(deposit(owner(1), (half * 150 + n).to_be_bytes(), 1))
        });
        w.done(draft).await?;
    }
    w.done(w.draft().append(owner(2), 1).post(deposit(owner(2), "other", 1))).await?;
    for index in [Index::Events(owner(1)), Index::Transfers(owner(1))] {
        let number = |row: &Row| match row {
            Row::Event(event) => event.number,
            Row::Transfer(transfer) => transfer.entry.map_or(0, |entry| entry.number),
            Row::Record { .. } | Row::Head(..) => 0,
        };
        for limit in [7, 100, 300, 1_000] {
            let rows = w.list(&index, &Range::all(), limit).await?;
            same(&rows.iter().map(number).collect::<Vec<_>>(), &(1..=300).collect::<Vec<u64>>(), "numbers")?;
        }
        for after in [0, 1, 254, 255, 256, 299, 300, 301, u64::MAX] {
            let rows = w.list(&index, &Range::after_number(after), 50).await?;
            let wanted: Vec<u64> = (1..=300).filter(|n| *n > after).collect();
            same(&rows.iter().map(number).collect::<Vec<_>>(), &wanted, &format!("numbers after {after}"))?;
        }
        let range = Range { from: 255_u64.to_be_bytes().to_vec(), until: Some(258_u64.to_be_bytes().to_vec()) };
        let rows = w.list(&index, &range, 2).await?;
        same(&rows.iter().map(number).collect::<Vec<_>>(), &vec![255, 256, 257], "a part of them")?;
        // a bound need not have eight bytes
        let short = Range { from: vec![0, 0, 0, 0, 0, 0, 1], until: Some(vec![0, 0, 0, 0, 0, 0, 1, 2, 0]) };
        let rows = w.list(&index, &short, 2).await?;
        same(&rows.iter().map(number).collect::<Vec<_>>(), &vec![256, 257, 258], "a short and a long bound")?;
    }
    Ok(())
}

pub(super) async fn rule_07_scan_of_an_empty_store(w: &mut World) -> Checked {
    for index in
        [due(), Index::Kind(Kind::of("order")), Index::Heads, Index::Transfers(owner(1)), Index::Events(owner(1))]
    {
        let page = w.store().scan(&index, &Range::all(), None, 10).await?;
        same(&(page.rows.len(), page.next), &(0, None), "nothing")?;
    }
    same(&w.totals().await?.currencies.len(), &0, "totals of nothing")
}
