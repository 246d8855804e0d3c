//! Databases of the shared server.
#![allow(clippy::disallowed_methods, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};

use smscode_test_postgres::{Database, Server, shared};

static SET_UPS: AtomicU32 = AtomicU32::new(0);

/// A database from a template with one table of one row.
async fn with_table(server: &Server) -> Database {
    let set_up = async |url: String| {
        SET_UPS.fetch_add(1, Ordering::SeqCst);
        let name = url.rsplit('/').next().unwrap_or_default();
        server.sql(name, "CREATE TABLE marks (mark int); INSERT INTO marks VALUES (1)").await;
    };
    server.template("marks", set_up).await.database().await
}

#[tokio::test]
async fn a_database_has_what_its_template_has_and_is_apart_from_others() {
    let server = shared();
    let (one, other) = (with_table(server).await, with_table(server).await);
    server.sql(one.name(), "INSERT INTO marks VALUES (2), (NULL)").await;
    assert_eq!(server.sql(one.name(), "SELECT mark, mark + 1 FROM marks ORDER BY mark").await, ["1|2", "2|3", "|"]);
    assert_eq!(server.sql(other.name(), "SELECT mark FROM marks").await, ["1"]);
    assert_eq!(SET_UPS.load(Ordering::SeqCst), 1);
}
