//! The table of costs in the crate's documentation, counted from what the server logs.

use std::sync::Arc;

use smscode_core::store::{ChangeSet, Expect, Store};
use smscode_storage_postgres::PostgresStore;
use smscode_test_postgres::{Cluster, ClusterOptions};

use crate::common::{commit, ensure, fresh_on, numbered, open, owner, put, set, single, thing, together};

/// What a step made the server do, in the order of its statements.
struct Costs {
    statements: Vec<String>,
}

/// Runs a step and gives the statements that the store's committer sent meanwhile.
async fn costs(cluster: &Cluster, step: impl Future<Output = ()>) -> Costs {
    let before = cluster.log().len();
    step.await;
    let log = cluster.log();
    let lines = log[before..].lines();
    // NOTIFY goes out on a connection of its own, whenever it is its turn
    let sent = lines.filter(|line| line.contains("execute ") || line.contains("statement: "));
    let statements = sent.filter(|line| !line.contains("pg_notify")).map(word).collect();
    Costs { statements }
}

/// The statement in a word.
fn word(line: &str) -> String {
    let known = [
        ("-- Rows by key", "read"),
        ("-- All that a judged group changes", "write"),
        ("statement: BEGIN", "begin"),
        ("statement: COMMIT", "commit"),
        ("INSERT INTO smscode.records", "reserve"),
        ("DELETE FROM smscode.records", "release"),
    ];
    let found = known.iter().find(|(part, _)| line.contains(part));
    found.map_or_else(|| line.to_owned(), |(_, word)| (*word).to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_costs_what_the_table_says() {
    let settings = vec![("log_statement".to_owned(), "all".to_owned())];
    let cluster = Cluster::start(&ClusterOptions { fsync: false, settings, ..ClusterOptions::default() });
    let database = fresh_on(&cluster).await;
    let store: PostgresStore = open(database.url(), single()).await;
    let first = numbered(owner(1), 1);
    // the connection is made and the statements are prepared
    commit(&store, &first).await.unwrap();

    let one = numbered(owner(1), 2);
    let alone = costs(&cluster, async { drop(commit(&store, &one).await.unwrap()) }).await;
    assert_eq!(alone.statements, ["read", "write"], "one commit alone");

    let groups = store.figures().groups;
    let many: Vec<Arc<ChangeSet>> = (3..35).map(|n| numbered(owner(1), n)).collect();
    let together = costs(&cluster, async {
        for answer in together(&store, &many).await {
            answer.unwrap();
        }
    })
    .await;
    let groups = store.figures().groups - groups;
    assert!(groups < 32, "commits that wait together share a group");
    let pairs = ["read", "write"].repeat(usize::try_from(groups).unwrap());
    assert_eq!(together.statements, pairs, "two statements for each group, however many are in it");

    let again = costs(&cluster, async { assert!(commit(&store, &one).await.unwrap().replayed) }).await;
    assert_eq!(again.statements, ["read"], "made before: nothing to write");

    let key = thing(1);
    let refused = set([ensure(&key, Expect::Version(7))]);
    let refused = costs(&cluster, async { drop(commit(&store, &refused).await.unwrap_err()) }).await;
    assert_eq!(refused.statements, ["read"], "refused: nothing to write");

    let absent = set([ensure(&key, Expect::Absent), put(&thing(2), Expect::Absent, 1)]);
    let absent = costs(&cluster, async { drop(commit(&store, &absent).await.unwrap()) }).await;
    let reserved = ["read", "begin", "reserve", "release", "read", "write", "commit"];
    assert_eq!(absent.statements, reserved, "a record that must stay absent");

    let keys = [smscode_core::store::LoadKey::Record(key)];
    let loads = costs(&cluster, async { drop(store.load(&keys).await.unwrap()) }).await;
    assert_eq!(loads.statements, ["read"], "a load");
    store.close().await;
}
