//! Two servers on one Postgres, both with workers on, and a supplier at which everything goes wrong that can. One of the
//! two is killed with SIGKILL every few seconds until all orders have ended: each hold is closed once, nothing is left open
//! at the supplier, all accounts add up to zero.
//!
//! `KILLED_PAIR_ORDERS` says how many orders, `KILLED_PAIR_SEED` repeats a run as far as processes can be repeated.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test of processes in real time, whose figures are printed"
)]

#[path = "../common/mod.rs"]
mod common;

mod after;
mod customer;
mod dice;
mod supplier;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::crowd::Server;
use customer::{Seen, customers};
use dice::Dice;
use smscode_core::port::Entropy;
use smscode_providers::clock::OsEntropy;
use tokio::time::sleep;
use world::World;

/// Without another wish: as many as take half a minute. 2,000 take four.
const ORDERS: u64 = 80;
/// From so many on the kills go on until the last order has ended, and what suppliers are told is spoilt, too: what was told
/// in vain some times is told again after two minutes.
const MANY: u64 = 500;
/// With fewer orders the kills end after this.
const KILLS_END_MS: u64 = 20_000;
/// Fewer kills than this prove nothing.
const KILLS_MIN: u64 = 5;
/// Milliseconds between a server that is ready and the next kill.
const KILL_AFTER_MS: (u64, u64) = (2_000, 4_000);
/// A server that has just been started is killed again, one time in so many, within its first moments.
const KILLED_AT_BIRTH: u64 = 5;
const BIRTH_MS: u64 = 600;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn seed() -> u64 {
    number("KILLED_PAIR_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 8];
        OsEntropy.fill(&mut bytes);
        u64::from_be_bytes(bytes) >> 16
    })
}

/// Kills one of the two every few seconds, and starts it again, until the customers are done. How often it did.
async fn killer(world: &World, servers: &mut [Server; 2], over: &AtomicBool, until: Duration) -> u64 {
    let begun = Instant::now();
    let mut dice = Dice::new(world.seed, u64::MAX);
    let mut kills = 0;
    while kills < KILLS_MIN || (!over.load(Ordering::Acquire) && begun.elapsed() < until) {
        sleep(Duration::from_millis(dice.between(KILL_AFTER_MS))).await;
        let victim = usize::from(dice.one_in(2));
        loop {
            servers[victim].kill();
            kills += 1;
            servers[victim] = world.places[victim].start();
            if !dice.one_in(KILLED_AT_BIRTH) {
                break;
            }
            sleep(Duration::from_millis(dice.below(BIRTH_MS))).await;
        }
        world.places[victim].ready(&world.client).await;
    }
    kills
}

fn told(seen: &[Seen]) -> String {
    let of = |end: &str| seen.iter().filter(|seen| seen.end == end).count();
    let mut lasted: Vec<f64> = seen.iter().map(|seen| seen.lasted.as_secs_f64()).collect();
    lasted.sort_by(f64::total_cmp);
    let part = |part: usize| lasted[lasted.len() * part / 100];
    let last = seen.iter().map(|seen| seen.placed_at).max().expect("orders");
    format!(
        "{} keys: {} completed, {} cancelled, {} expired, {} refused; the last was placed after {:.1} s; an order lasted \
         {:.1} s (median), {:.1} s (one in ten longer), {:.1} s (the longest)",
        seen.len(),
        of("COMPLETED"),
        of("CANCELED"),
        of("EXPIRED"),
        of(customer::REFUSED),
        last.as_secs_f64(),
        part(50),
        part(90),
        lasted[lasted.len() - 1],
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_ends_once_while_two_servers_are_killed_in_turn() {
    let (seed, orders) = (seed(), number("KILLED_PAIR_ORDERS").unwrap_or(ORDERS));
    println!("seed {seed}, {orders} orders");
    let begun = Instant::now();
    let world = World::make(seed).await;
    let mut servers = [world.places[0].start(), world.places[1].start()];
    let world = world.open().await;

    let over = AtomicBool::new(false);
    let until = if orders < MANY { Duration::from_millis(KILLS_END_MS) } else { Duration::MAX };
    let crowd = async {
        let seen = customers(&world, orders).await;
        over.store(true, Ordering::Release);
        seen
    };
    let (seen, kills, faults) = tokio::join!(
        crowd,
        killer(&world, &mut servers, &over, until),
        supplier::faults(&world, &over, orders >= MANY)
    );
    let served = begun.elapsed();
    println!("{}; {kills} kills, {faults} faults planned, {:.1} s", told(&seen), served.as_secs_f64());
    println!("{}", world.told());

    after::everything_has_ended(&world).await;
    after::operators_have_nothing_to_do(&world).await;
    servers.iter_mut().for_each(Server::kill);
    println!("everything at rest after {:.1} s", begun.elapsed().as_secs_f64());
    after::verified(&world);
    after::books_are_right(&world, &seen).await;
    after::supplier_is_right(&world).await;
    assert!(kills >= KILLS_MIN, "{kills} kills");
    println!("{:.1} s in all", begun.elapsed().as_secs_f64());
}
