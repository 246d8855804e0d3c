//! A platform on a store of one's own: a deposit is made, everything is closed and opened again, the money is there.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use custom_store::JournalStore;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::store::limits;
use smscode_providers::clock::{OsEntropy, SystemClock};

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("custom-store-{}.journal", std::process::id()));
    let customer = deposit(&path).await?;
    println!("closed, {} bytes of journal", std::fs::metadata(&path)?.len());
    let balance = platform(&path).await?.balance(customer).await?;
    println!("opened again: {} available", balance.available);
    std::fs::remove_file(path)?;
    Ok(())
}

async fn platform(path: &Path) -> Result<Platform, Box<dyn Error>> {
    let store = JournalStore::open(path, limits::OPERATIONS_FORGOTTEN_MAX)?;
    let parts = Platform::builder().store(Arc::new(store)).clock(Arc::new(SystemClock)).entropy(Arc::new(OsEntropy));
    Ok(parts.build().await?)
}

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn deposit(path: &Path) -> Result<AccountId, Box<dyn Error>> {
    let platform = platform(path).await?;
    let customer = platform.open_account().await?;
    platform.deposit(customer, Money::new(50_000, Currency::Idr), "invoice-1").await?;
    println!("deposited: {} available", platform.balance(customer).await?.available);
    Ok(customer)
}
