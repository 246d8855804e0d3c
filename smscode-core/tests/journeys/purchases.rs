//! What is recorded and booked of purchases, for the tests of this target.

use smscode_core::order::supply::{Booked, SUPPLY, SupplyRecord};
use smscode_core::store::{Index, Range, Row};

use crate::support::World;

impl World {
    /// Every purchase is settled, and what was booked is what the purchases say: each once.
    pub(crate) async fn assert_purchases_booked(&self, name: &str) {
        let (mut cost, mut loss) = (0, 0);
        for one in self.purchases().await.into_iter().filter(|one| one.supplier == name) {
            assert!(one.state.is_over() && one.due_at.is_none(), "{one:?} is not settled");
            match one.booked.expect("settled and not booked") {
                Booked::Cost => cost += one.cost_minor.unwrap_or(0),
                Booked::Loss => loss += one.cost_minor.unwrap_or(0),
                Booked::Nothing => {}
            }
        }
        self.assert_supplier(name, cost, loss).await;
    }

    /// All purchases at suppliers as they are recorded.
    pub(crate) async fn purchases(&self) -> Vec<SupplyRecord> {
        let page = self.store.scan(&Index::Kind(SUPPLY), &Range::all(), None, 1_000).await.unwrap();
        let read = |row| match row {
            Row::Record { record, .. } => serde_json::from_slice(record.body.as_bytes()).unwrap(),
            other => panic!("no record: {other:?}"),
        };
        page.rows.into_iter().map(read).collect()
    }
}
