//! A platform in memory rents a number from a vendor that it has never heard of, and reads the code.

use std::error::Error;
use std::future::pending;
use std::sync::Arc;

use custom_supplier::adapter::Pelican;
use custom_supplier::simulator::Simulator;
use smscode_core::Platform;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{PlaceOrders, Wanted};
use smscode_core::port::FixedRates;
use smscode_core::store::MemoryStore;
use smscode_providers::ApiKey;
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::http::{self, Api, SignIn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let simulator = Simulator::start("a-key-of-pelican").await?;
    simulator.books().greeting = Some("415127 is your code.".to_owned());
    let url = format!("http://{}/v1/", simulator.address);
    let api = Api::new(http::client()?, &url, SignIn::Bearer, ApiKey::new("a-key-of-pelican"));
    let platform = Platform::builder()
        .store(Arc::new(MemoryStore::new()))
        .clock(Arc::new(SystemClock))
        .entropy(Arc::new(OsEntropy))
        .rates(Arc::new(FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000)))
        .supplier(Arc::new(Pelican(api)))
        .build()
        .await?;
    tokio::select! {
        biased;
        () = platform.run(pending()) => Ok(()),
        done = rent(&platform) => done,
    }
}

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn rent(platform: &Platform) -> Result<(), Box<dyn Error>> {
    platform.ready().await;
    let customer = platform.open_account().await?;
    platform.deposit(customer, Money::new(50_000, Currency::Idr), "invoice-1").await?;
    let wanted = Wanted::Pair { country: 6, service: "tg".into() };
    let order = platform.place_orders(customer, PlaceOrders::one(wanted)).await?.single()?;
    println!("rented +{} for {}", order.phone.unwrap_or_default(), order.price);
    let order = platform.wait_for_sms(customer, order.id, 0, 20_000).await?;
    println!("the code is {}", order.code.ok_or("no SMS in 20 s")?);
    platform.finish_order(customer, order.id).await?;
    Ok(())
}
