//! Drawing a plan from its seed. Each part has a generator of its own, so that a change of one moves no other.

use crate::clock::Skew;
use crate::plan::{
    ACTING_MS, Adjustment, CUSTOMERS, CallFault, CallKind, CommitFault, Delete, DeleteMoment, Deposit, Forgery, Item,
    ORDERS_MIN, PAIRS, Plan, SETTLING_MS, SHOPS, Second, Shape, SmsKind, Step, Visit, When,
};
use crate::rng::Rng;

/// The plan of a seed.
pub(crate) fn draw(seed: u64) -> Plan {
    let shape = shape(&mut Rng::of(seed, &[1]));
    let mut items = Vec::new();
    visits(&mut Rng::of(seed, &[2]), &shape, &mut items);
    messages(&mut Rng::of(seed, &[3]), &shape, &mut items);
    let stormy = Rng::of(seed, &[4]).below(4);
    calls(&mut Rng::of(seed, &[5]), stormy, &mut items);
    suppliers(&mut Rng::of(seed, &[6]), stormy, &mut items);
    nodes(&mut Rng::of(seed, &[7]), &shape, stormy, &mut items);
    store(&mut Rng::of(seed, &[8]), stormy, &mut items);
    deletions(&mut Rng::of(seed, &[9]), &shape, &mut items);
    operators(&mut Rng::of(seed, &[10]), &mut items);
    forgeries(&mut Rng::of(seed, &[11]), &shape, &mut items);
    reserve(&mut Rng::of(seed, &[12]), &shape, &mut items);
    Plan { seed, shape, items }
}

/// Calls of a supplier in a run for which faults are drawn.
const fn reach(kind: CallKind) -> u32 {
    match kind {
        CallKind::Buy => 120,
        CallKind::Cancel | CallKind::Finish => 60,
        CallKind::Poll => 400,
        CallKind::List | CallKind::More => 30,
    }
}

fn shape(rng: &mut Rng) -> Shape {
    // one of eight runs has one node, which has its store for itself
    let nodes = if rng.chance(125) { 1 } else { 2 };
    let skews = (0..nodes).map(|_| skew(rng)).collect();
    let windows_seconds = [rng.pick(&[240, 600, 1_200], 600), rng.pick(&[240, 600], 240), rng.pick(&[120, 300], 300)];
    let cancel_after_seconds = [rng.pick(&[30, 120], 120), rng.pick(&[0, 60], 60), 0];
    let mut deposits = [0; CUSTOMERS];
    for deposit in &mut deposits {
        *deposit = rng.pick(&[6_000, 40_000, 400_000, 400_000, 400_000], 400_000);
    }
    // whoever comes late has money, and stays
    deposits[0] = 400_000;
    Shape {
        nodes,
        skews,
        slowness: rng.pick(&[1, 10, 10, 40], 10),
        window_ms: rng.pick(&[240_000, 480_000, 1_200_000], 480_000),
        windows_seconds,
        cancel_after_seconds,
        deposits,
        keeps_open: rng.chance(350),
        pushes: [rng.chance(400), rng.chance(400), rng.chance(400)],
        audit_every_ms: rng.pick(&[150_000, 3_600_000, 3_600_000], 150_000),
        tampers: rng.chance(200),
    }
}

fn skew(rng: &mut Rng) -> Skew {
    let offset_us = match rng.below(4) {
        0 => 0,
        1 | 2 => rng.between(-2_000_000, 2_000_000),
        _ => rng.between(-20_000_000, 20_000_000),
    };
    Skew { offset_us, drift_ppm: rng.pick(&[0, 50, -200, 3_000, -3_000], 0) }
}

fn visits(rng: &mut Rng, shape: &Shape, items: &mut Vec<Item>) {
    let mut orders = 0;
    let mut key = 0;
    while orders < ORDERS_MIN {
        let quantity = if rng.chance(120) { u32::try_from(rng.between(2, 9)).unwrap_or(2) } else { 1 };
        orders += quantity;
        let at_ms = SETTLING_MS + rng.between(0, ACTING_MS - SETTLING_MS);
        let keyed = rng.chance(450);
        key += u32::from(keyed);
        let node = usize::try_from(rng.below(shape.nodes as u64)).unwrap_or(0);
        let visit = Visit {
            customer: usize::try_from(rng.below(CUSTOMERS as u64)).unwrap_or(0),
            at_ms,
            node,
            pair: usize::try_from(rng.below(PAIRS.len() as u64)).unwrap_or(0),
            quantity,
            key: keyed.then_some(key),
            prefer: rng.chance(700).then(|| usize::try_from(rng.below(SHOPS as u64)).unwrap_or(0)),
            abandon: rng.chance(60),
            leaves_after_ms: rng.chance(80).then(|| rng.between(0, 3_000)),
            twin: rng.chance(150).then(|| (shape.nodes - 1 - node, rng.between(0, 400))),
            steps: steps(rng),
            reserve: false,
        };
        items.push(Item::Visit(visit));
    }
    for n in 0..rng.below(6) {
        items.push(Item::Deposit(Deposit {
            customer: usize::try_from(rng.below(CUSTOMERS as u64)).unwrap_or(0),
            at_ms: rng.between(SETTLING_MS, ACTING_MS),
            minor: rng.between(1_000, 50_000),
            reference: format!("more-{n}"),
            twice: rng.chance(500),
        }));
    }
}

fn steps(rng: &mut Rng) -> Vec<(i64, Step)> {
    use Step::{
        Cancel, CancelAtSms, CancelTwice, CancelWhenAllowed, Finish, FinishTwice, Lists, More, OtherRequest, Pry, Read,
        Repeat, Wait,
    };
    let count = rng.below(4);
    let mut steps = Vec::new();
    for _ in 0..count {
        let after_ms = match rng.below(4) {
            0 => rng.between(0, 1_000),
            1 => rng.between(1_000, 20_000),
            2 => rng.between(20_000, 130_000),
            _ => rng.between(0, 300_000),
        };
        let all = [
            Cancel,
            Cancel,
            Cancel,
            CancelTwice,
            CancelWhenAllowed,
            CancelWhenAllowed,
            CancelAtSms,
            CancelAtSms,
            Finish,
            Finish,
            FinishTwice,
            More,
            More,
            Read,
            Read,
            Wait,
            Wait,
            Pry,
            Lists,
            OtherRequest,
            Repeat,
        ];
        steps.push((after_ms, rng.pick(&all, Read)));
    }
    steps
}

/// Numbers sold by one supplier for which SMS are drawn.
const SALES_REACH: u32 = 90;

fn messages(rng: &mut Rng, shape: &Shape, items: &mut Vec<Item>) {
    for shop in 0..SHOPS {
        let window_ms = i64::from(shape.windows_seconds[shop]).min(shape.window_ms / 1_000) * 1_000;
        let cancel_ms = i64::from(shape.cancel_after_seconds[shop]) * 1_000;
        for nth in 0..SALES_REACH {
            let count = rng.pick(&[0, 0, 1, 1, 1, 2], 1);
            for _ in 0..count {
                let after_ms = match rng.below(6) {
                    0 => rng.between(0, 2_000),
                    1 => window_ms + rng.between(-12_000, 2_000),
                    2 => cancel_ms + rng.between(-1_000, 20_000),
                    _ => rng.between(1_000, window_ms),
                };
                let kind = match rng.below(20) {
                    0 | 1 => SmsKind::NoCode,
                    2 | 3 => SmsKind::Late,
                    4 => SmsKind::Pair,
                    _ => SmsKind::Code,
                };
                items.push(Item::Sms { shop, nth, after_ms: after_ms.max(0), kind });
            }
            if rng.chance(25) {
                items.push(Item::Ends { shop, nth, after_ms: rng.between(500, window_ms) });
            }
        }
    }
}

fn calls(rng: &mut Rng, stormy: u64, items: &mut Vec<Item>) {
    for shop in 0..SHOPS {
        for fault in CallFault::ALL {
            let (kind, _, per_mille) = fault.row();
            let per_mille = per_mille * (1 + stormy) / 2;
            for nth in 0..reach(kind) {
                if rng.chance(per_mille) {
                    items.push(Item::Call { shop, nth, fault });
                }
            }
        }
    }
}

fn suppliers(rng: &mut Rng, stormy: u64, items: &mut Vec<Item>) {
    for shop in 0..SHOPS {
        if rng.chance(100 * (1 + stormy)) {
            let (from_ms, hangs) = (rng.between(SETTLING_MS, ACTING_MS), rng.chance(500));
            let for_ms = rng.pick(&[20_000, 90_000, 300_000], 90_000);
            items.push(Item::Outage { shop, from_ms, for_ms, hangs });
        }
        if rng.chance(200) {
            items.push(Item::Reprice { shop, at_ms: rng.between(0, ACTING_MS), percent: rng.between(60, 180) });
        }
        if rng.chance(150) {
            let at_ms = rng.between(0, ACTING_MS);
            items.push(Item::SoldOut { shop, at_ms, for_ms: rng.between(10_000, 90_000) });
        }
    }
    if rng.chance(80) {
        let shop = usize::try_from(rng.below(SHOPS as u64)).unwrap_or(0);
        items.push(Item::Outage {
            shop,
            from_ms: rng.between(SETTLING_MS, ACTING_MS),
            for_ms: i64::MAX / 8_000,
            hangs: true,
        });
    }
    if rng.chance(100) {
        // nothing to be had anywhere
        let at_ms = rng.between(0, ACTING_MS);
        items.extend((0..SHOPS).map(|shop| Item::SoldOut { shop, at_ms, for_ms: 40_000 }));
    }
}

fn nodes(rng: &mut Rng, shape: &Shape, stormy: u64, items: &mut Vec<Item>) {
    let when = |rng: &mut Rng| match rng.below(4) {
        0 => When::At(rng.between(SETTLING_MS, ACTING_MS * 2)),
        1 => When::Committed(u32::try_from(rng.below(60)).unwrap_or(0)),
        2 => When::BeforeFirstByte(u32::try_from(rng.below(60)).unwrap_or(0)),
        _ => When::AfterFirstByte(u32::try_from(rng.below(60)).unwrap_or(0)),
    };
    for node in 0..shape.nodes {
        for _ in 0..rng.below(2 + stormy) {
            let down_ms = rng.pick(&[200, 3_000, 40_000, 200_000, 400_000], 3_000);
            items.push(Item::Crash { node, when: when(rng), down_ms });
        }
        for _ in 0..rng.below(2 + stormy) {
            let for_ms = rng.pick(&[500, 8_000, 35_000, 90_000, 200_000], 8_000);
            items.push(Item::Pause { node, when: when(rng), for_ms });
        }
        if rng.chance(200) {
            let at_ms = rng.between(SETTLING_MS, ACTING_MS * 2);
            items.push(Item::Restart { node, at_ms, down_ms: rng.between(100, 20_000) });
        }
    }
}

/// Commits of a run for which faults are drawn.
const COMMITS_REACH: u32 = 1_600;
/// Reads of a run for which faults are drawn.
const READS_REACH: u32 = 20_000;

fn store(rng: &mut Rng, stormy: u64, items: &mut Vec<Item>) {
    for nth in 0..COMMITS_REACH {
        if rng.chance(12 * (1 + stormy)) {
            let fault = match rng.below(7) {
                0 => CommitFault::No,
                1 | 2 => CommitFault::UnknownDone,
                3 => CommitFault::UnknownNotDone,
                4 => CommitFault::UnknownLater(rng.between(1, 3_000)),
                5 => CommitFault::Slow(rng.between(100, 12_000)),
                _ => CommitFault::AnswerLate(rng.between(100, 12_000)),
            };
            items.push(Item::Commit { nth, fault });
        }
    }
    for _ in 0..rng.below(20 * (1 + stormy)) {
        items.push(Item::Read { nth: u32::try_from(rng.below(u64::from(READS_REACH))).unwrap_or(0) });
    }
    if rng.chance(100 * (1 + stormy)) {
        items.push(Item::Stall { at_ms: rng.between(0, ACTING_MS * 2), for_ms: rng.between(500, 40_000) });
    }
}

/// Customers that delete their accounts, but for the first. Half of the runs have none.
fn deletions(rng: &mut Rng, shape: &Shape, items: &mut Vec<Item>) {
    use DeleteMoment::{AsPlaced, AsSmsIsRead, AtEnd, Whenever, WithCancel};
    for _ in 0..rng.below(6).saturating_sub(2) {
        let delete = Delete {
            customer: 1 + usize::try_from(rng.below(CUSTOMERS as u64 - 1)).unwrap_or(0),
            at_ms: rng.between(SETTLING_MS + 60_000, ACTING_MS),
            node: usize::try_from(rng.below(shape.nodes as u64)).unwrap_or(0),
            moment: rng.pick(&[Whenever, AsSmsIsRead, WithCancel, WithCancel, AtEnd, AsPlaced], Whenever),
            twice: rng.chance(300),
        };
        items.push(Item::Delete(delete));
    }
}

fn operators(rng: &mut Rng, items: &mut Vec<Item>) {
    for reference in 0..u32::try_from(rng.below(4)).unwrap_or(0) {
        let sign = if rng.chance(350) { -1 } else { 1 };
        items.push(Item::Adjust(Adjustment {
            customer: usize::try_from(rng.below(CUSTOMERS as u64)).unwrap_or(0),
            at_ms: rng.between(SETTLING_MS, ACTING_MS),
            minor: sign * rng.pick(&[500, 7_000, 60_000, 300_000], 500),
            second: rng.pick(&[Second::Nobody, Second::Same, Second::Other, Second::Other], Second::Other),
            reference,
            twice: rng.chance(400),
        }));
    }
    for reference in 0..u32::try_from(rng.below(3)).unwrap_or(0) {
        items.push(Item::Clawback {
            shop: usize::try_from(rng.below(SHOPS as u64)).unwrap_or(0),
            at_ms: rng.between(ACTING_MS / 2, ACTING_MS * 2),
            minor: if rng.chance(250) { -rng.between(1, 90_000) } else { rng.between(1, 90_000) },
            reference,
        });
    }
    if rng.chance(80) {
        let at_ms = rng.between(SETTLING_MS + 60_000, ACTING_MS);
        items.push(Item::WindDown { at_ms, for_ms: rng.between(2_000, 40_000) });
    }
    if rng.chance(120) {
        let at_ms = rng.between(SETTLING_MS + 30_000, ACTING_MS);
        items.push(Item::NoRates { at_ms, for_ms: rng.pick(&[20_000, 60_000, 240_000], 60_000) });
    }
}

fn forgeries(rng: &mut Rng, shape: &Shape, items: &mut Vec<Item>) {
    use Forgery::{Flood, Nameless, Open, Unknown};
    for shop in (0..SHOPS).filter(|shop| shape.pushes[*shop]) {
        for _ in 0..rng.below(5) {
            items.push(Item::Forged {
                shop,
                at_ms: rng.between(SETTLING_MS, ACTING_MS),
                node: usize::try_from(rng.below(shape.nodes as u64)).unwrap_or(0),
                what: rng.pick(&[Unknown, Unknown, Open, Nameless, Flood], Unknown),
            });
        }
    }
}

/// So many customers who come late are drawn.
const RESERVE: i64 = 60;
/// So many of them come every ten seconds. The others come less often, so that no crash outlasts them all.
const RESERVE_SOON: i64 = 20;

/// The first customer, who comes back until the run has the orders it is to have.
fn reserve(rng: &mut Rng, shape: &Shape, items: &mut Vec<Item>) {
    for n in 0..RESERVE {
        items.push(Item::Visit(Visit {
            customer: 0,
            at_ms: ACTING_MS + n.min(RESERVE_SOON) * 10_000 + (n - RESERVE_SOON).max(0) * 40_000,
            node: usize::try_from(rng.below(shape.nodes as u64)).unwrap_or(0),
            pair: usize::try_from(rng.below(PAIRS.len() as u64)).unwrap_or(0),
            quantity: u32::try_from(rng.between(3, 8)).unwrap_or(3),
            key: None,
            prefer: None,
            abandon: false,
            leaves_after_ms: None,
            twin: None,
            steps: vec![(rng.between(1_000, 60_000), Step::Cancel)],
            reserve: true,
        }));
    }
}
