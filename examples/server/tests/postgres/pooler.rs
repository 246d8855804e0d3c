//! A pooler in transaction mode stands between.

use crate::common::postgres::{Migrated, PASSWORD, ROLE, as_role};
use crate::common::{on_postgres, serve};
use smscode_test_postgres::{Cluster, ClusterOptions, Pooler};
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_its_way_through_a_pooler() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = block_in_place(|| Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() }));
    let Migrated { database, .. } = Migrated::on(&cluster).await;
    // fewer connections to the server than the store has to the pooler
    let pooler = block_in_place(|| Pooler::start(&cluster, 2, &[]));
    let url = as_role(&pooler.url(database.name()), ROLE, PASSWORD);
    let pooled = Migrated { database, url };
    let api = serve(on_postgres(&pooled, dir.path())).await;
    assert_eq!(api.get("/readyz").await.data()["store"], "ok");
    let order = api.order("sbx-manual").await;
    api.sms(&order["phone_number"], "Your code is 246813").await;
    api.until(&order["id"], |order| order["otp_code"] == "246813").await;
    assert_eq!(api.action("v1", "finish", &order["id"]).await.data()["status"], "COMPLETED");
    api.ledger_adds_up().await;
    api.running.shutdown().await;
}
