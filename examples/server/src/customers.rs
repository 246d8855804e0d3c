//! Customers that the settings name: opened once, found again at each start.

use sha2::{Digest, Sha256};
use smscode_core::Platform;
use smscode_core::account::{AccountError, AccountId};
use smscode_core::money::Money;
use smscode_core::token::Token;

use crate::config::{Config, Customer, StoreChoice};
use crate::mark::Marks;
use crate::sandbox;
use crate::start::StartError;

/// Opens the sandbox's customer, and gives its token.
pub(crate) async fn demo_customer(config: &Config, platform: &Platform, marks: &Marks) -> Result<Token, StartError> {
    let place = match config.store {
        StoreChoice::Memory => None,
        StoreChoice::Redb(_) | StoreChoice::Postgres(_) => Some(config.data_dir.as_path()),
    };
    let token = sandbox::token(config.demo_token.clone(), place).map_err(|error| StartError::Files {
        path: config.data_dir.join(sandbox::TOKEN_FILE).display().to_string(),
        reason: error.to_string(),
    })?;
    let customer =
        Customer { name: sandbox::CUSTOMER.to_owned(), token: token.clone(), opening_minor: sandbox::CREDIT_MINOR };
    let account = open_customer(platform, marks, &customer).await?;
    credit_again(platform, account, &customer).await?;
    Ok(token)
}

/// Gives a tester who has deleted the account, and has a new one since this start, play money again. Once per account.
async fn credit_again(platform: &Platform, account: AccountId, customer: &Customer) -> Result<(), StartError> {
    let told = |error| StartError::Customer { name: customer.name.clone(), error };
    let has_had_some = !platform.statement(account, 0, 1).await.map_err(told)?.is_empty();
    if has_had_some {
        return Ok(());
    }
    // the account's id stands in no transfer's subject
    let named = u64::from_be_bytes(Sha256::digest(account.bytes())[..8].try_into().unwrap_or_default());
    let amount = Money::new(customer.opening_minor, platform.currency());
    platform.deposit(account, amount, &format!("opening:{}:{named:016x}", customer.name)).await.map(drop).map_err(told)
}

/// Opens a customer once; later its token is added if it is new.
pub(crate) async fn open_customer(
    platform: &Platform,
    marks: &Marks,
    customer: &Customer,
) -> Result<AccountId, StartError> {
    let told = |error| StartError::Customer { name: customer.name.clone(), error };
    let known = marks.account(&customer.name).await?;
    let adopted = match known {
        Some(account) => adopt(platform, account, customer).await.map_err(told)?,
        None => false,
    };
    let account = match known {
        Some(account) if adopted => account,
        gone => {
            let fresh = platform.open_account().await.map_err(told)?;
            let account = marks.keep_account(&customer.name, fresh, gone).await?;
            adopt(platform, account, customer).await.map_err(told)?;
            account
        }
    };
    if customer.opening_minor == 0 {
        return Ok(account);
    }
    let amount = Money::new(customer.opening_minor, platform.currency());
    match platform.deposit(account, amount, &format!("opening:{}", customer.name)).await {
        Ok(_) => Ok(account),
        Err(AccountError::ReferenceUsed) => {
            tracing::warn!(
                customer = customer.name,
                "the opening credit was booked before, with another amount or for an account that was deleted"
            );
            Ok(account)
        }
        Err(AccountError::WindDown) => {
            tracing::warn!(
                customer = customer.name,
                "the opening credit is not booked: the platform is being wound down"
            );
            Ok(account)
        }
        Err(error) => Err(told(error)),
    }
}

/// Adds the customer's token to an account; `false` if the account is gone.
async fn adopt(platform: &Platform, account: AccountId, customer: &Customer) -> Result<bool, AccountError> {
    match platform.adopt_token(account, &customer.name, &customer.token).await {
        Ok(()) => Ok(true),
        Err(AccountError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
