//! What must be true when everything has ended: in the books, in the database, at the supplier.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;
use smscode_providers::sandbox::model::Stage;
use tokio::time::sleep;

use super::customer::{REFUSED, Seen};
use super::world::{CREDIT, OPERATOR, World};
use crate::common::books::books;
use crate::common::crowd::call_as;
use crate::common::program;

/// Until the last has ended: a supplier that was told in vain some times is told again after two minutes.
const PATIENCE: Duration = Duration::from_secs(240);

/// Orders that have not ended, and purchases of which the supplier is to be told or something is to be booked.
const OPEN: &str = "SELECT kind || ' ' || body FROM smscode.records
    WHERE (kind = 'order' AND body::jsonb ->> 'ended_at' IS NULL)
       OR (kind = 'supply' AND (body::jsonb ->> 'due_at' IS NOT NULL OR body::jsonb ->> 'booked' IS NULL))
    LIMIT 20";

/// Waits until nothing is to be done any more, here and at the supplier.
pub async fn everything_has_ended(world: &World) {
    let begun = Instant::now();
    loop {
        let (here, there) = (world.sql(OPEN).await, world.simulator.open());
        if here.is_empty() && there == 0 {
            return;
        }
        if begun.elapsed() > PATIENCE {
            let open: Vec<String> = world.simulator.with_model(|model| {
                let open = model.sold().filter(|one| one.stage.is_open());
                open.map(|one| format!("{} {:?} {:?}", one.id, one.scenario, one.stage)).collect()
            });
            panic!("open here: {here:#?}\nopen at the supplier: {open:#?}");
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// The queues of operators are empty: no purchase unclear, none that the supplier would not settle, no books that do not
/// add up, after audits that ran beside everything.
pub async fn operators_have_nothing_to_do(world: &World) {
    let (status, queues) =
        call_as(OPERATOR, world.client.get(world.places[0].url("/admin/queues"))).await.expect("an answer");
    assert_eq!(status, 200, "{queues}");
    for name in ["unclear", "exceptions"] {
        assert_eq!(queues["data"][name]["rows"], serde_json::json!([]), "{name}");
    }
    // an orphan that the supplier keeps the money of is over there, and is claimed by people
    let stuck = queues["data"]["stuck"]["rows"].as_array().unwrap();
    assert!(stuck.iter().all(|row| row["state"] == "orphan_kept"), "{stuck:?}");
}

/// What `smscode-server verify` says.
pub fn verified(world: &World) {
    let mut command = program();
    command.args(["verify", "--json", "--at-rest"]).env("SMSCODE_STORE", &world.database.url);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["clean"], true, "{said}");
    for (currency, line) in report["totals"].as_object().unwrap() {
        assert_eq!(
            (&line["sum"], &line["held"], &line["open_holds"]),
            (&"0".into(), &"0".into(), &0.into()),
            "{currency}"
        );
    }
    println!("verify: {} orders, {} transfers, clean, sum 0, held 0", report["orders"], report["transfers"]);
}

/// Each order has one hold and one closing, each key one order, and a charge its SMS.
pub async fn books_are_right(world: &World, seen: &[Seen]) {
    let store = world.database.store().await;
    let books = books(&store, CREDIT).await;
    store.close().await;
    assert_eq!(books.open(), 0, "every hold is closed");
    println!(
        "{} holds, {} closed, {} of them released, sum {}",
        books.holds.len(),
        books.closed.len(),
        books.released,
        books.sum
    );

    let bad = "SELECT subject, count(*) FILTER (WHERE kind = 'hold'), count(*) FILTER (WHERE kind <> 'hold')
        FROM smscode_report.transfers WHERE subject LIKE 'order:%' GROUP BY 1
        HAVING count(*) FILTER (WHERE kind = 'hold') <> 1 OR count(*) FILTER (WHERE kind IN ('capture', 'release')) <> 1
            OR count(*) <> 2";
    assert_eq!(world.sql(bad).await, Vec::<String>::new(), "one hold and one closing each");
    let unserved = "SELECT state, messages FROM smscode_report.orders
        WHERE (state = 'completed') <> (messages > 0) OR state NOT IN ('completed', 'cancelled', 'expired', 'rejected')";
    assert_eq!(world.sql(unserved).await, Vec::<String>::new(), "paid for if an SMS was there, and only then");
    let counted = "SELECT value FROM smscode.counters WHERE name = 'open_orders' AND value <> 0";
    assert_eq!(world.sql(counted).await, Vec::<String>::new(), "no order counts as open");

    // an order's number is the id of its record, four bytes
    let ended = "SELECT body::jsonb ->> 'state', body::jsonb ->> 'claim', ('x' || encode(id, 'hex'))::bit(32)::bigint
        FROM smscode.records WHERE kind = 'order'";
    let (mut found, mut claims, mut states) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::<String, usize>::new());
    for line in world.sql(ended).await {
        let [state, claim, id] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        *states.entry(state.to_owned()).or_default() += 1;
        if state != "rejected" {
            assert!(claims.insert(claim.to_owned()), "a key has two orders");
            found.insert(id.parse::<i64>().unwrap(), state.to_owned());
        }
    }
    println!("orders: {states:?}");
    let wanted: BTreeMap<i64, &Seen> = seen.iter().filter_map(|seen| Some((seen.id?, seen))).collect();
    assert_eq!(wanted.len(), seen.iter().filter(|seen| seen.end != REFUSED).count(), "an order for each key");
    for (id, seen) in &wanted {
        let state = found.get(id).map_or("lost", String::as_str);
        let expected = match seen.end.as_str() {
            "COMPLETED" => "completed",
            "CANCELED" => "cancelled",
            _ => "expired",
        };
        let rejected_later = state == "lost" && seen.end == "CANCELED";
        assert!(
            state == expected || rejected_later,
            "{} has order {id}, {} for its owner, and is {state}",
            seen.key,
            seen.end
        );
    }
    let unseen: Vec<_> = found.keys().filter(|id| !wanted.contains_key(id)).collect();
    assert!(unseen.is_empty(), "orders that nobody was told of: {unseen:?}");
}

/// Nothing is open at the supplier, and each purchase there is in our ledger of it, booked once for what it was.
pub async fn supplier_is_right(world: &World) {
    assert_eq!(world.simulator.open(), 0, "open at the supplier");
    let mut ours = BTreeMap::new();
    for line in world.sql("SELECT body FROM smscode.records WHERE kind = 'supply'").await {
        let record: Value = serde_json::from_str(&line).unwrap();
        let activation = record["activation"].as_str().unwrap().to_owned();
        assert!(ours.insert(activation, record).is_none(), "an activation has two records");
    }
    let sold: Vec<(String, i64, Stage, usize)> = world.simulator.with_model(|model| {
        model.sold().map(|one| (one.id.to_string(), one.cost.minor, one.stage, one.messages.len())).collect()
    });
    let (mut served, mut orphans, mut unseen) = (0, 0, 0);
    let mut booked = BTreeMap::<String, (u64, i64)>::new();
    for (id, cost, stage, messages) in &sold {
        let Some(record) = ours.remove(id) else {
            // bought by one that was killed, and ended by the supplier before anybody looked: it cost nothing
            assert!(*stage == Stage::Cancelled && *messages == 0, "{id} was sold and is not known");
            unseen += 1;
            continue;
        };
        let what = record["booked"].as_str().unwrap_or_else(|| panic!("not booked: {record}"));
        if record["served"] == true {
            served += 1;
            assert!(*messages > 0, "shown without an SMS: {record}");
        }
        assert_eq!(record["served"] == true, what == "cost", "{record}");
        match stage {
            Stage::Finished => assert_ne!(what, "nothing", "charged, and not booked: {record}"),
            Stage::Cancelled => assert_ne!(what, "cost", "refunded, and a customer has paid: {record}"),
            open => panic!("{open:?}: {record}"),
        }
        orphans += u64::from(record["orphan"] == true);
        assert_eq!(record["cost_minor"], *cost, "{record}");
        let line = booked.entry(what.to_owned()).or_default();
        *line = (line.0 + 1, line.1 + cost);
    }
    assert!(ours.is_empty(), "recorded, and never sold: {ours:?}");
    let captured = world.sql("SELECT count(*) FROM smscode_report.transfers WHERE kind = 'capture'").await;
    assert_eq!(captured, [served.to_string()], "as many were paid for as were served");
    for account in ["cost", "loss"] {
        let text = format!(
            "SELECT count(*), coalesce(sum(amount_minor), 0) FROM smscode_report.transfers
             WHERE kind = 'cost' AND credit = 'house:{account}:sim'"
        );
        let (count, sum) = booked.get(account).copied().unwrap_or_default();
        assert_eq!(world.sql(&text).await, [format!("{count}|{sum}")], "{account} is booked once for each");
    }
    println!(
        "supplier: {} sold, {served} served, {orphans} orphans, {unseen} ended unseen, booked {booked:?}",
        sold.len()
    );
}
