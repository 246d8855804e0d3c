//! Customers: they order, read, cancel, finish, ask again, go away, and run out of money. They stand outside the nodes and
//! see what a client of the platform sees; a node that dies is a connection that breaks.

use std::future::Future;
use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::account::{AccountError, AccountId};
use smscode_core::money::{Currency, Money};
use smscode_core::order::{ItemOutcome, OrderError, OrderId, OrderView, PlaceOrders, Placed, Wanted};
use tokio::sync::oneshot;

use crate::executor::OUTSIDE;
use crate::invariants::seen;
use crate::plan::{Deposit, ORDERS_WANTED, PAIRS, Step, Visit};
use crate::world::{World, lock};

/// One way between a customer and a node, in microseconds.
const WAY_US: i64 = 20_000;
/// A customer whose connection broke tries again after this.
pub(crate) const AGAIN_US: i64 = 2_000_000;
/// So often, if a key makes it safe.
const AGAIN_MAX: u32 = 8;
/// A customer who waits for an SMS goes away after this.
pub(crate) const PATIENCE_US: i64 = 300_000_000;
/// Names of suppliers that a customer may prefer.
const PREFERRED: [&str; 3] = ["alpha", "beta", "gamma"];

/// Counts a customer as acting until dropped.
struct Acting(Arc<World>);

impl Drop for Acting {
    fn drop(&mut self) {
        *lock(&self.0.acting) -= 1;
    }
}

/// Begins what a customer does.
pub(crate) fn begin<F: Future<Output = ()> + Send + 'static>(world: &Arc<World>, act: impl FnOnce(Arc<World>) -> F) {
    *lock(&world.acting) += 1;
    let acting = Acting(Arc::clone(world));
    let doing = act(Arc::clone(world));
    world.timeline.spawn(OUTSIDE, 0, async move {
        let _acting = acting;
        doing.await;
    });
}

/// Drops a command at its node when its customer goes away.
struct Command {
    world: Arc<World>,
    task: u64,
}

impl Drop for Command {
    fn drop(&mut self) {
        self.world.timeline.abort(self.task);
    }
}

/// Runs a command at a node. `None` if the node is away or dies meanwhile.
pub(crate) async fn at_node<T, F>(
    world: &Arc<World>,
    node: usize,
    command: impl FnOnce(Platform) -> F + Send,
) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    world.timeline.sleep(world.about(WAY_US)).await;
    command_now(world, node, command).await
}

/// The same without the way to the node.
pub(crate) async fn command_now<T, F>(
    world: &Arc<World>,
    node: usize,
    command: impl FnOnce(Platform) -> F + Send,
) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (platform, life) = {
        let nodes = lock(&world.nodes);
        let state = nodes.get(node)?;
        (state.platform.clone()?, state.life)
    };
    let (reply, answer) = oneshot::channel();
    let doing = command(platform);
    let task = world.timeline.spawn(node, life, async move {
        // the customer may be gone
        drop(reply.send(doing.await));
    });
    let _command = Command { world: Arc::clone(world), task };
    answer.await.ok()
}

pub(crate) fn node_of(world: &World, wanted: usize) -> usize {
    wanted % world.shape.nodes.max(1)
}

/// The wanted node, or another one if that is down.
fn up(world: &World, wanted: usize) -> usize {
    let nodes = lock(&world.nodes);
    let is_up = |node: &usize| nodes.get(*node).is_some_and(|state| state.platform.is_some());
    (0..nodes.len()).map(|n| node_of(world, wanted + n)).find(is_up).unwrap_or(wanted)
}

/// Opens a customer's account and books the first deposit, however often that takes.
pub(crate) async fn open(world: Arc<World>, customer: usize) {
    let mut node = customer;
    let account = loop {
        node += 1;
        let opened = at_node(&world, node_of(&world, node), |platform| async move { platform.open_account().await });
        if let Some(Ok(account)) = opened.await {
            break account;
        }
        world.timeline.sleep(AGAIN_US / 8).await;
    };
    if let Some(place) = lock(&world.accounts).get_mut(customer) {
        *place = Some(account);
    }
    let minor = world.shape.deposits[customer];
    book(&world, account, node, minor, format!("first-{customer}")).await;
}

async fn book(world: &Arc<World>, account: AccountId, from: usize, minor: i64, reference: String) {
    let money = Money::new(minor, Currency::Idr);
    for node in from.. {
        let reference = reference.clone();
        let booked = at_node(world, node_of(world, node), move |platform| async move {
            platform.deposit(account, money, &reference).await
        });
        match booked.await {
            Some(Ok(now)) => {
                if !now {
                    world.hit("D1");
                }
                return;
            }
            Some(Err(AccountError::Unavailable(_))) | None => world.timeline.sleep(AGAIN_US / 4).await,
            Some(Err(_)) => return,
        }
    }
}

/// Waits for a customer's account.
pub(crate) async fn account_of(world: &Arc<World>, customer: usize) -> AccountId {
    loop {
        let account = lock(&world.accounts).get(customer).copied().flatten();
        match account {
            Some(account) => return account,
            None => world.timeline.sleep(AGAIN_US / 4).await,
        }
    }
}

/// Money comes in, perhaps told twice at once.
pub(crate) async fn deposit(world: Arc<World>, item: usize, deposit: Deposit) {
    world.timeline.sleep_until(deposit.at_ms * 1_000).await;
    world.used(item);
    let account = account_of(&world, deposit.customer).await;
    if deposit.twice {
        let again = deposit.clone();
        begin(&world, |world| async move { book(&world, account, 1, again.minor, again.reference).await });
    }
    book(&world, account, 0, deposit.minor, deposit.reference).await;
}

/// An order from beginning to end, as its customer sees it.
pub(crate) async fn visit(world: Arc<World>, item: usize, visit: Visit) {
    world.timeline.sleep_until(visit.at_ms * 1_000).await;
    if visit.reserve && lock(&world.watch).placed() >= ORDERS_WANTED {
        return;
    }
    world.used(item);
    let account = account_of(&world, visit.customer).await;
    if let Some((node, delay_ms)) = visit.twin {
        let twin = Visit { node: node_of(&world, node), ..visit.clone() };
        begin(&world, |world| async move {
            world.timeline.sleep(delay_ms * 1_000).await;
            drop(place(&world, account, &twin, twin.node).await);
        });
    }
    let node = if visit.reserve { up(&world, visit.node) } else { visit.node };
    let placing = place(&world, account, &visit, node);
    let mut orders = match visit.leaves_after_ms {
        Some(ms) => {
            let leaves = world.timeline.sleep(ms * 1_000);
            tokio::select! {
                biased;
                orders = placing => orders,
                () = leaves => {
                    world.hit("leaves");
                    Vec::new()
                }
            }
        }
        None => placing.await,
    };
    if visit.abandon {
        return;
    }
    for (n, (after_ms, step)) in visit.steps.iter().enumerate() {
        world.timeline.sleep(after_ms * 1_000).await;
        let node = node_of(&world, visit.node + n);
        if orders.is_empty() {
            orders = open_orders(&world, account, node).await;
        }
        act(&world, account, &visit, node, *step, orders.get(n % orders.len().max(1)).copied()).await;
    }
}

fn request(visit: &Visit) -> PlaceOrders {
    let (country, service) = PAIRS[visit.pair];
    let mut wanted = PlaceOrders::many(Wanted::Pair { country, service: service.into() }, visit.quantity);
    wanted.prefer_supplier = visit.prefer.map(|shop| PREFERRED[shop].to_owned());
    wanted.abandon_when_late = visit.abandon;
    match visit.key {
        Some(key) => wanted.with_key(format!("key-{key}")),
        None => wanted,
    }
}

/// Places the visit's orders. With a key it goes on until there is an answer; without one it does not dare to.
pub(crate) async fn place(world: &Arc<World>, account: AccountId, visit: &Visit, node: usize) -> Vec<OrderId> {
    for again in 0..AGAIN_MAX {
        let node = node_of(world, node + again as usize);
        let (wanted, asked_us) = (request(visit), world.timeline.now_us());
        let answer = at_node(world, node, move |platform| async move { platform.place_orders(account, wanted).await });
        match answer.await {
            Some(Ok(placed)) => {
                told(world, account, &placed, asked_us);
                return placed.items.iter().map(|item| item.order).collect();
            }
            Some(Err(OrderError::Unavailable(_))) | None if visit.key.is_some() => {
                world.timeline.sleep(AGAIN_US).await;
            }
            Some(Err(error)) => {
                refused(world, account, &error);
                return Vec::new();
            }
            None => return Vec::new(),
        }
    }
    Vec::new()
}

fn told(world: &Arc<World>, account: AccountId, placed: &Placed, asked_us: i64) {
    if placed.replayed {
        world.hit("U6 replay");
    }
    let mut rejected = 0;
    for item in &placed.items {
        match &item.outcome {
            ItemOutcome::Settled(view) | ItemOutcome::Pending(view) => seen(world, account, view, asked_us),
            ItemOutcome::Rejected(_) => rejected += 1,
        }
    }
    if rejected > 0 && rejected < placed.items.len() {
        world.hit("U7");
    }
    if placed.items.iter().any(|item| matches!(item.outcome, ItemOutcome::Pending(_))) {
        world.tell("pending", [placed.items.len() as u64, 0, 0], || "an answer without an outcome".into());
    }
}

fn refused(world: &Arc<World>, account: AccountId, error: &OrderError) {
    match error {
        OrderError::InsufficientBalance { .. } => {
            world.hit("money");
            // money for one, and the other has just taken it
            if lock(&world.watch).held_lately(account, world.timeline.now_us()) {
                world.hit("U3");
            }
        }
        OrderError::KeyReused => world.hit("U6 reused"),
        OrderError::CancelTooEarly { .. } => world.hit("U9"),
        OrderError::Conflict { .. } => world.hit("U22"),
        OrderError::WindDown => world.hit("wind-down"),
        _ => {}
    }
}

async fn open_orders(world: &Arc<World>, account: AccountId, node: usize) -> Vec<OrderId> {
    let asked_us = world.timeline.now_us();
    let open = at_node(world, node, move |platform| async move { platform.open_orders(account).await }).await;
    let views = open.and_then(Result::ok).unwrap_or_default();
    views.iter().for_each(|view| seen(world, account, view, asked_us));
    views.into_iter().map(|view| view.id).collect()
}

/// A command that gives a view of the order.
async fn on_order<F>(
    world: &Arc<World>,
    account: AccountId,
    node: usize,
    command: impl FnOnce(Platform) -> F + Send,
) -> Option<Result<OrderView, OrderError>>
where
    F: Future<Output = Result<OrderView, OrderError>> + Send + 'static,
{
    let asked_us = world.timeline.now_us();
    let answer = at_node(world, node, command).await;
    match &answer {
        Some(Ok(view)) => seen(world, account, view, asked_us),
        Some(Err(error)) => refused(world, account, error),
        None => {}
    }
    answer
}

async fn act(world: &Arc<World>, account: AccountId, visit: &Visit, node: usize, step: Step, order: Option<OrderId>) {
    match (step, order) {
        (Step::Pry, _) => return pry(world, account, node).await,
        (Step::Lists, _) => return lists(world, account, node).await,
        (Step::Repeat, _) => {
            place(world, account, visit, node).await;
            return;
        }
        (Step::OtherRequest, _) => {
            if visit.key.is_some() {
                let other = Visit { quantity: visit.quantity + 1, ..visit.clone() };
                place(world, account, &other, node).await;
            }
            return;
        }
        _ => {}
    }
    let Some(id) = order else { return };
    world.tell("customer", [u64::from(id.0), step as u64, node as u64], || {
        format!("order {}: {step:?} at node {node}", id.0)
    });
    match step {
        Step::CancelAtSms => {
            if until_read(world, id).await {
                world.hit("cancel as the SMS is read");
                world.timeline.sleep(world.about(1_000)).await;
                let cancel =
                    command_now(world, node, move |platform| async move { platform.cancel_order(account, id).await });
                if let Some(Err(error)) = cancel.await {
                    refused(world, account, &error);
                }
            }
        }
        Step::Cancel | Step::CancelTwice => {
            let again = node_of(world, node + 1);
            if step == Step::CancelTwice {
                let world = Arc::clone(world);
                begin(&world, |world| async move { cancel(&world, account, again, id).await });
            }
            cancel(world, account, node, id).await;
        }
        Step::CancelWhenAllowed => {
            let scheduling =
                move |platform: Platform| async move { platform.cancel_order_when_allowed(account, id).await };
            drop(on_order(world, account, node, scheduling).await);
        }
        Step::Finish | Step::FinishTwice => finish(world, account, node, id, step == Step::FinishTwice).await,
        Step::More => {
            let more =
                |platform: Platform| async move { platform.request_sms(account, id).await.map(|(view, _)| view) };
            drop(on_order(world, account, node, more).await);
        }
        Step::Wait => {
            let wait = move |platform: Platform| async move { platform.wait_for_sms(account, id, 0, 30_000).await };
            drop(on_order(world, account, node, wait).await);
        }
        Step::Read | Step::Pry | Step::Lists | Step::OtherRequest | Step::Repeat => {
            let read = move |platform: Platform| async move { platform.order(account, id).await };
            drop(on_order(world, account, node, read).await);
        }
    }
}

/// Finishes an order; `twice` to see that the second time changes nothing.
async fn finish(world: &Arc<World>, account: AccountId, node: usize, id: OrderId, twice: bool) {
    for _ in 0..1 + u32::from(twice) {
        let finishing = move |platform: Platform| async move { platform.finish_order(account, id).await };
        let done = on_order(world, account, node, finishing).await;
        if twice && done.is_some_and(|done| done.is_ok()) {
            world.hit("U22");
        }
    }
}

/// Waits until a node reads the first SMS of an order; whether one did.
async fn until_read(world: &Arc<World>, id: OrderId) -> bool {
    let limit = world.timeline.sleep(PATIENCE_US);
    tokio::pin!(limit);
    loop {
        // made before looking, so that nothing is missed
        let heard = world.read_one.notified();
        let activation = lock(&world.watch).activation(id);
        if activation.is_some_and(|activation| lock(&world.read).contains(&activation)) {
            return true;
        }
        tokio::select! {
            biased;
            () = &mut limit => return false,
            () = heard => {}
        }
    }
}

pub(crate) async fn cancel(world: &Arc<World>, account: AccountId, node: usize, id: OrderId) {
    let done = on_order(world, account, node, move |platform| async move { platform.cancel_order(account, id).await });
    if let Some(Err(OrderError::Supplier { .. })) = done.await {
        lock(&world.watch).undecided(id);
    }
}

/// Somebody else's order is no order at all.
async fn pry(world: &Arc<World>, account: AccountId, node: usize) {
    let Some(id) = lock(&world.watch).somebody_elses(account) else { return };
    let answers = at_node(world, node, move |platform| async move {
        [
            platform.order(account, id).await.err(),
            platform.cancel_order(account, id).await.err(),
            platform.finish_order(account, id).await.err(),
            platform.explain(account, id).await.err(),
        ]
    });
    let Some(answers) = answers.await else { return };
    world.hit("pries");
    let fine = |error: &Option<OrderError>| matches!(error, Some(OrderError::NotFound | OrderError::Unavailable(_)));
    if !answers.iter().all(fine) {
        lock(&world.watch).tells(
            world.timeline.now_us(),
            account,
            format!("{id:?} answers to somebody else: {answers:?}"),
        );
    }
}

/// Everything that is listed for a customer.
async fn lists(world: &Arc<World>, account: AccountId, node: usize) {
    let asked_us = world.timeline.now_us();
    let read = at_node(world, node, move |platform| async move {
        let orders = platform.orders(account, None, 0, 100).await;
        let events = platform.events(account, 0, 1_000).await;
        let statement = platform.statement(account, 0, 1_000).await;
        (orders, events, statement)
    });
    let Some((orders, events, statement)) = read.await else { return };
    if (orders.is_ok() || events.is_ok() || statement.is_ok()) && lock(&world.watch).is_gone(account, asked_us) {
        lock(&world.watch).tells(world.timeline.now_us(), account, "a deleted account is listed".into());
    }
    let (Ok(orders), Ok(events), Ok(statement)) = (orders, events, statement) else { return };
    for view in &orders {
        seen(world, account, view, asked_us);
    }
    let numbered = events.iter().zip(1..).all(|(event, n)| event.number == n)
        && statement.iter().zip(1..).all(|(line, n)| line.number == n);
    if !numbered {
        lock(&world.watch).tells(world.timeline.now_us(), account, "a list has a gap".into());
    }
}
