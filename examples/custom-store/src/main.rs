//! A platform on a store of one's own, with its keys in another place: a deposit is made, everything is closed and opened
//! again, the money is there.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use custom_store::JournalStore;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::store::limits;
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::keyring::FileKeyring;

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = |what: &str| std::env::temp_dir().join(format!("custom-store-{}.{what}", std::process::id()));
    let (journal, keys) = (place("journal"), place("keys"));
    let customer = deposit(&journal, &keys).await?;
    println!("closed, {} bytes of journal", std::fs::metadata(&journal)?.len());
    let balance = platform(&journal, &keys).await?.balance(customer).await?;
    println!("opened again: {} available", balance.available);
    std::fs::remove_file(journal)?;
    std::fs::remove_dir_all(keys)?;
    Ok(())
}

async fn platform(journal: &Path, keys: &Path) -> Result<Platform, Box<dyn Error>> {
    let store = JournalStore::open(journal, limits::OPERATIONS_FORGOTTEN_MAX)?;
    let parts = Platform::builder().store(Arc::new(store)).keyring(Arc::new(FileKeyring::open(keys)?));
    Ok(parts.clock(Arc::new(SystemClock)).entropy(Arc::new(OsEntropy)).build().await?)
}

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
async fn deposit(journal: &Path, keys: &Path) -> Result<AccountId, Box<dyn Error>> {
    let platform = platform(journal, keys).await?;
    let customer = platform.open_account().await?;
    platform.deposit(customer, Money::new(50_000, Currency::Idr), "invoice-1").await?;
    println!("deposited: {} available", platform.balance(customer).await?.available);
    Ok(customer)
}
