//! A running platform with an account for each caller.

#![allow(clippy::disallowed_methods, reason = "measuring is what this program is for")]

use std::sync::Arc;

use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::port::{FixedRates, MemoryKeyring};
use smscode_core::{Caps, Platform, Settings};
use smscode_providers::clock::{OsEntropy, SystemClock};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::args::Options;
use crate::store::Measured;
use crate::supplier::InstantSupplier;

/// What each caller begins with: more than he can spend in a day of measuring.
const MONEY: Money = Money::new(1_000_000_000_000, Currency::Idr);

pub(crate) struct World {
    pub(crate) platform: Platform,
    pub(crate) accounts: Vec<AccountId>,
    stop: oneshot::Sender<()>,
    driver: JoinHandle<()>,
}

impl World {
    pub(crate) async fn start(store: &Measured, options: &Options) -> Result<Self, Failure> {
        let settings = Settings {
            // orders of the commits alone stay open, and nobody may look them up meanwhile
            caps: Caps { open_orders: i64::from(u32::MAX), ..Caps::default() },
            call_limit_ms: 24 * 3_600_000,
            ..Settings::default()
        };
        let rates = FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000);
        let platform = Platform::builder()
            .store(store.port())
            .clock(Arc::new(SystemClock))
            .entropy(Arc::new(OsEntropy))
            .rates(Arc::new(rates))
            // nothing is read after the run
            .keyring(Arc::new(MemoryKeyring::new()))
            .supplier(Arc::new(InstantSupplier::new(options.callers, !options.no_finish_call)))
            .settings(settings)
            .build()
            .await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let driver = tokio::spawn({
            let platform = platform.clone();
            async move { platform.run(async move { drop(stopped.await) }).await }
        });
        let mut accounts = Vec::new();
        for caller in 0..options.callers {
            let account = platform.open_account().await?;
            platform.deposit(account, MONEY, &format!("bench-{caller}")).await?;
            accounts.push(account);
        }
        platform.ready().await;
        Ok(Self { platform, accounts, stop, driver })
    }

    /// Stops the platform; what it has begun comes to its end first.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        drop(self.stop);
        self.driver.await?;
        Ok(())
    }
}
