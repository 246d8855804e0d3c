//! The conformance suite on the store in memory.

use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Fixture};
use smscode_core::store::{MemoryStore, Store, StoreError};

struct Memory(Arc<MemoryStore>);

const GONE: &str = "a store in memory says that it is not durable: nothing survives the process";
const ALONE: &str = "a store in memory says that it is not shared: it has no second process";

const fn excuse(case: &'static str, reason: &'static str) -> Excuse {
    Excuse { case, reason }
}

#[async_trait]
impl Fixture for Memory {
    async fn open(group_max: usize) -> Self {
        Self(Arc::new(MemoryStore::with_group_max(group_max)))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn reopen(self) -> Result<Self, StoreError> {
        Ok(self)
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        self.0.raw_bytes()
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn excuses() -> &'static [Excuse] {
        const EXCUSES: &[Excuse] = &[
            excuse("durable_records_and_terms_survive", GONE),
            excuse("durable_money_and_numbers_go_on", GONE),
            excuse("durable_transfer_ids_stay_taken", GONE),
            excuse("durable_replays_are_still_answered", GONE),
            excuse("durable_old_operation_ids_are_forgotten", GONE),
            excuse("durable_house_sums_and_totals_survive", GONE),
            excuse("durable_refused_ones_leave_nothing", GONE),
            excuse("durable_families_stay_deleted", GONE),
            excuse("durable_what_was_answered_is_there", GONE),
            excuse("durable_commits_dropped_before_the_crash", GONE),
            excuse("durable_hostile_keys_survive", GONE),
            excuse("durable_an_empty_store_opens_again", GONE),
            excuse("rule_10_a_second_node_sees_what_returned", ALONE),
            excuse("rule_10_twins_at_two_nodes_have_one_winner", ALONE),
            excuse("rule_10_two_nodes_share_money_and_caps", ALONE),
        ];
        EXCUSES
    }
}

smscode_core::conformance_suite!(Memory);
