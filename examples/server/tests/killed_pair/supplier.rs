//! The supplier: which service goes wrong in which way, and what goes wrong on the wire at any moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smscode_providers::ApiKey;
use smscode_providers::sandbox::{Fault, FaultReply, Sandbox, SandboxConfig, SandboxHandle, Scenario};
use tokio::time::sleep;

use super::dice::Dice;
use super::world::World;
use crate::common::crowd::KEY;

/// A service of the market with what it plays.
pub struct Play {
    /// Its code at the supplier.
    pub code: &'static str,
    /// Its name at our customers'.
    pub slug: &'static str,
    pub scenario: Scenario,
    /// How many of about a thousand orders are for it.
    pub weight: u64,
}

const fn play(code: &'static str, slug: &'static str, scenario: Scenario, weight: u64) -> Play {
    Play { code, slug, scenario, weight }
}

/// Not among them: cancels that are refused for ever, which leave a number open at the supplier whatever we do. Those that
/// are refused a few times are faults, below.
pub const PLAYS: [Play; 26] = [
    play("wa", "whatsapp", Scenario::Ordinary, 300),
    play("tg", "telegram", Scenario::TwoAtOnce, 60),
    play("go", "google", Scenario::TwoSms, 40),
    play("fb", "facebook", Scenario::TextOnly, 40),
    play("ig", "instagram", Scenario::OddForm, 40),
    play("ds", "discord", Scenario::NoSms, 120),
    play("vk", "vkontakte", Scenario::SupplierEnds, 40),
    play("ok", "odnoklassniki", Scenario::CancelEarly, 30),
    play("tw", "x", Scenario::CancelLost, 40),
    play("mm", "microsoft", Scenario::CancelSmsWon, 40),
    play("vi", "viber", Scenario::SmsAfterCancel, 40),
    play("wb", "wechat", Scenario::SmsAfterExpiry, 20),
    play("am", "amazon", Scenario::Clawback, 20),
    play("mt", "steam", Scenario::SilentRefund, 40),
    play("oi", "tinder", Scenario::TimeoutCharged, 30),
    play("lf", "tiktok", Scenario::TimeoutUncharged, 15),
    play("wx", "apple", Scenario::ServerErrorCharged, 25),
    play("ub", "uber", Scenario::ServerErrorUncharged, 15),
    play("me", "line", Scenario::Garbled, 20),
    play("kt", "kakaotalk", Scenario::Slow, 20),
    play("fu", "snapchat", Scenario::DuplicateNumber, 25),
    play("dr", "openai", Scenario::WrongCountry, 15),
    play("ya", "yandex", Scenario::ChargedAbove, 15),
    play("ma", "mail-ru", Scenario::StatusNoise, 8),
    play("xd", "tokopedia", Scenario::SoldOut, 10),
    play("ka", "shopee", Scenario::SupplierDies, 1),
];

/// The play of an order.
pub fn drawn(dice: &mut Dice) -> &'static Play {
    let mut at = dice.below(PLAYS.iter().map(|play| play.weight).sum());
    for play in &PLAYS {
        if at < play.weight {
            return play;
        }
        at -= play.weight;
    }
    &PLAYS[0]
}

/// It outlives all servers. Its windows are 20 minutes, so that what is left open stays open.
pub async fn start() -> SandboxHandle {
    let mut config = SandboxConfig::new(ApiKey::new(KEY));
    let settings = &mut config.settings;
    settings.stock = 100_000;
    settings.cancel_after_ms = 1_000;
    settings.long_cancel_after_ms = 6_000;
    settings.code_after_ms = 300;
    settings.later_after_ms = 1_500;
    settings.second_after_ms = 1_000;
    settings.late_after_ms = 2_500;
    settings.silent_ms = 8_000;
    settings.slow_ms = 2_500;
    settings.ends_after_ms = 1_500;
    settings.aftermath_ms = 1_500;
    settings.dead_ms = 4_000;
    let simulator = Sandbox::start(config).await.unwrap();
    simulator.with_model(|model| PLAYS.iter().for_each(|play| model.set_scenario(play.code, play.scenario)));
    simulator
}

/// A fault for one of so many calls of each sort.
const CALLS: (u64, u64) = (8, 24);
/// Milliseconds between two moments in which nothing works.
const BURST_AFTER_MS: (u64, u64) = (5_000, 12_000);
const BURST_CALLS: u32 = 10;

/// Spoils some of the calls until the customers are done, of those that tell the supplier something only if `words`; how many
/// faults it has planned.
pub async fn faults(world: &World, over: &AtomicBool, words: bool) -> u64 {
    let mut dice = Dice::new(world.seed, u64::MAX - 1);
    type Sort = (&'static str, fn(u64) -> Fault);
    let sorts: [Sort; 3] = [("getNumberV2", of_purchase), ("getActiveActivations", of_read), ("setStatus", of_word)];
    let mut next = [0, 0, 0].map(|at: u64| at + dice.between(CALLS));
    let mut burst_at = Instant::now() + Duration::from_millis(dice.between(BURST_AFTER_MS));
    let mut planned = 0;
    while !over.load(Ordering::Acquire) {
        sleep(Duration::from_millis(50)).await;
        for ((action, fault), next) in sorts.iter().zip(&mut next).take(if words { 3 } else { 2 }) {
            let calls = world.simulator.calls(action);
            // never more than one is waiting: what is told twice or thrice is heard
            if calls >= *next {
                world.simulator.plan(Some(action), 1, fault(dice.below(6)));
                planned += 1;
                *next = calls + dice.between(CALLS);
            }
        }
        if Instant::now() >= burst_at {
            world.simulator.plan(None, BURST_CALLS, Fault::without_effect(says(503, "<html>busy</html>")));
            planned += u64::from(BURST_CALLS);
            burst_at = Instant::now() + Duration::from_millis(dice.between(BURST_AFTER_MS));
        }
    }
    planned
}

fn says(status: u16, body: &str) -> FaultReply {
    FaultReply::Body(status, body.to_owned())
}

/// Bought or not, and no answer that says so.
fn of_purchase(n: u64) -> Fault {
    match n {
        0 => Fault::after_effect(FaultReply::Lost),
        1 => Fault::without_effect(FaultReply::Lost),
        2 => Fault::after_effect(FaultReply::Truncated),
        3 => Fault::after_effect(says(502, "<html>bad gateway</html>")),
        4 => Fault::without_effect(says(500, "ERROR_SQL")),
        _ => Fault::slow(1_500),
    }
}

/// A list of open activations that cannot be read.
fn of_read(n: u64) -> Fault {
    match n {
        0 => Fault::without_effect(FaultReply::Garbage),
        1 => Fault::after_effect(FaultReply::Truncated),
        2 => Fault::without_effect(FaultReply::Lost),
        3 => Fault::without_effect(says(429, "RATE_LIMIT")),
        4 => Fault::without_effect(says(500, "ERROR_SQL")),
        _ => Fault::slow(1_000),
    }
}

/// A cancel or a finish that is refused, once in a word that sounds like success, or done and not told.
fn of_word(n: u64) -> Fault {
    match n {
        0 => Fault::without_effect(says(200, "BAD_STATUS")),
        1 => Fault::without_effect(says(200, "ACCESS_READY")),
        2 => Fault::without_effect(says(200, "EARLY_CANCEL_DENIED")),
        3 => Fault::after_effect(FaultReply::Lost),
        4 => Fault::after_effect(says(500, "ERROR_SQL")),
        _ => Fault::without_effect(FaultReply::Lost),
    }
}
