//! The conformance suite on the store in memory.

use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Fixture, PortableFixture};
use smscode_core::store::copy::Portable;
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
            excuse("rule_10_crossed_locks_all_end", ALONE),
        ];
        EXCUSES
    }
}

impl PortableFixture for Memory {
    fn portable(&self) -> Arc<dyn Portable> {
        self.0.clone()
    }
}

smscode_core::conformance_suite!(Memory);
smscode_core::copying_suite!(Memory);

/// The suite's cases run on one thread; this one is about several.
#[test]
fn eight_threads_find_one_order() {
    use smscode_core::conformance::{Failure, run};
    use smscode_core::store::{Body, ChangeSet, CounterKey, Entry, LoadKey, OperationId, Owner};
    use smscode_core::time::Timestamp;

    const THREADS: u8 = 8;
    const COMMITS: u8 = 200;
    let store = Arc::new(MemoryStore::with_group_max(4));
    let (account, counter) = (Owner([1; 16]), CounterKey::of(Owner([1; 16]), "n"));
    let answers: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, counter) = (store.clone(), counter.clone());
                scope.spawn(move || {
                    let mut events = 0;
                    for n in 0..COMMITS {
                        let mut id = [thread; 16];
                        id[0] = n;
                        let mut set = ChangeSet::new(OperationId(id), Timestamp::EPOCH);
                        set.push(Entry::Append { owner: account, body: Body::empty() });
                        set.push(Entry::Count { counter: counter.clone(), delta: 1, max: None });
                        let set = Arc::new(set.seal(Body::empty()));
                        let receipt = run(async { Ok(store.commit(set).await?) })?;
                        let keys = [LoadKey::Head(account), LoadKey::Counter(counter.clone())];
                        let view = run(async { Ok(store.load(&keys).await?) })?;
                        // event and counter of a commit are seen together, whoever commits for whom
                        assert_eq!(view.head(account).last_event as i64, view.counter(&counter));
                        assert!(view.head(account).last_event >= receipt.events[0]);
                        events += receipt.events.len() as u64;
                    }
                    Ok(events)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(Failure::new("a thread panicked"))))
            .collect()
    });
    let events: u64 = answers.into_iter().map(|answer| answer.unwrap_or_default()).sum();
    assert_eq!(events, u64::from(THREADS) * u64::from(COMMITS));
}
