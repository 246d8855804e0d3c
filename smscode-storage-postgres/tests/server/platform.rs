//! The platform itself on this store, with a supplier and a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use smscode_core::Settings;
use smscode_core::order::{OrderId, State};
use smscode_core::port::MemoryKeyring;
use smscode_core::store::Store;

#[path = "../../../smscode-core/tests/support/mod.rs"]
mod support;

pub(crate) use support::{MONEY, PRICE, World};
use support::{TestClock, TestSupplier};

/// A platform on which one order was placed, got its SMS and is completed.
pub(crate) async fn settled(store: Arc<dyn Store>) -> (World, OrderId) {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 60)];
    let world = World::on(store, Arc::new(MemoryKeyring::new()), clock, suppliers, Settings::default(), None).await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_deref().unwrap(), Some("1"), "your code is 1234");
    for _ in 0..2_000 {
        if world.order(order.id).await.state == State::Completed {
            return (world, order.id);
        }
        world.clock.advance(1).await;
        // the store answers in the time of this machine, not in that of the test's clock
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", world.order(order.id).await);
}
