//! A pooler in transaction mode between the store and the server.

use std::sync::Arc;

use smscode_core::store::Store;
use smscode_test_postgres::{Cluster, ClusterOptions, Pooler};
use tokio::task::JoinSet;

use crate::common::{commit, effects, fresh_on, numbered, numbered_with_absent, open, owner, single};

const ACCOUNTS: u8 = 8;
const EACH: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_everything_works_and_nothing_is_lost() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let database = fresh_on(&cluster).await;
    // fewer connections to the server than the stores have to the pooler
    let pooler = Pooler::start(&cluster, 3);
    let url = pooler.url(database.name());
    let stores = [Arc::new(open(&url, single()).await), Arc::new(open(&url, single()).await)];
    let mut callers = JoinSet::new();
    for account in 0..ACCOUNTS {
        for (at, store) in stores.iter().enumerate() {
            let store = store.clone();
            callers.spawn(async move {
                for n in (0..EACH).filter(|n| n % 2 == at as u64) {
                    let of = owner(account + 1);
                    let set = if n % 5 == 0 { numbered_with_absent(of, n) } else { numbered(of, n) };
                    commit(&*store, &set).await.unwrap();
                    assert!(commit(&*store, &set).await.unwrap().replayed, "sent again, it is answered");
                }
            });
        }
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    for account in 0..ACCOUNTS {
        assert_eq!(effects(&*stores[0], owner(account + 1)).await, EACH);
    }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    assert_eq!(cluster.sql(database.name(), open).await, ["0"], "no transaction is left open");
    assert!(stores[1].describe().await.unwrap().shared);
    for store in stores {
        store.close().await;
    }
}
