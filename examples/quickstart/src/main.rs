//! A number-rental platform in memory rents a number from a simulated supplier, reads the code and charges for it once.
//!
//! The supplier is the real client of the SMS-Activate protocol. For a real one its configuration is
//! `SmsActivateConfig::new("herosms", &HEROSMS, ApiKey::new("..."))`; the rest stays as it is.

use std::error::Error;
use std::future::pending;
use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{PlaceOrders, Wanted};
use smscode_core::port::FixedRates;
use smscode_core::store::MemoryStore;
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::sandbox::{Sandbox, SandboxConfig};
use smscode_providers::sms::sms_activate::SmsActivate;
use smscode_providers::{ApiKey, http};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxConfig::new(ApiKey::new("any"))).await?;
    let supplier = SmsActivate::new(sandbox.account("sandbox"), http::client()?)?;
    let platform = Platform::builder()
        .store(Arc::new(MemoryStore::new()))
        .clock(Arc::new(SystemClock))
        .entropy(Arc::new(OsEntropy))
        .rates(Arc::new(FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000)))
        .supplier(Arc::new(supplier))
        .build()
        .await?;
    tokio::select! {
        biased;
        () = platform.run(pending()) => Ok(()), // the one future behind everything; a server spawns it
        done = rent(&platform) => done,
    }
}

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn rent(platform: &Platform) -> Result<(), Box<dyn Error>> {
    platform.ready().await;
    let customer = platform.open_account().await?;
    let deposit = Money::new(50_000, Currency::Idr);
    platform.deposit(customer, deposit, "invoice-1").await?;

    // WhatsApp in Indonesia, by the market's numbering
    let wanted = Wanted::Pair { country: 6, service: "wa".into() };
    let order = platform.place_orders(customer, PlaceOrders::one(wanted)).await?.single()?;
    println!("rented +{} for {}", order.phone.unwrap_or_default(), order.price);

    let order = platform.wait_for_sms(customer, order.id, 0, 20_000).await?;
    println!("the code is {}", order.code.ok_or("no SMS in 20 s")?);

    platform.finish_order(customer, order.id).await?;
    println!("{} left", platform.balance(customer).await?.available);
    Ok(())
}
