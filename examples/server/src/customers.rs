//! Customers that the settings name: opened once, found again at each start.

use smscode_core::Platform;
use smscode_core::account::{AccountError, AccountId};
use smscode_core::money::Money;
use smscode_core::token::Token;

use crate::config::{Config, Customer, StoreChoice};
use crate::note::Note;
use crate::sandbox;
use crate::start::StartError;

/// Opens the sandbox's customer, and gives its token.
pub(crate) async fn demo_customer(config: &Config, platform: &Platform, note: &mut Note) -> Result<Token, StartError> {
    let place = match config.store {
        StoreChoice::Memory => None,
        StoreChoice::Redb(_) => Some(config.data_dir.as_path()),
    };
    let token = sandbox::token(config.demo_token.clone(), place).map_err(|error| StartError::Files {
        path: config.data_dir.join(sandbox::TOKEN_FILE).display().to_string(),
        reason: error.to_string(),
    })?;
    let customer =
        Customer { name: sandbox::CUSTOMER.to_owned(), token: token.clone(), opening_minor: sandbox::CREDIT_MINOR };
    open_customer(platform, note, &customer).await?;
    Ok(token)
}

/// Opens a customer once; later its token is added if it is new.
pub(crate) async fn open_customer(platform: &Platform, note: &mut Note, customer: &Customer) -> Result<(), StartError> {
    let told = |error| StartError::Customer { name: customer.name.clone(), error };
    let account = match known_account(platform, note, customer).await.map_err(told)? {
        Some(account) => account,
        None => {
            let account = platform.open_account().await.map_err(told)?;
            note.keep_account(&customer.name, account)?;
            platform.adopt_token(account, &customer.name, &customer.token).await.map_err(told)?;
            account
        }
    };
    if customer.opening_minor == 0 {
        return Ok(());
    }
    let amount = Money::new(customer.opening_minor, platform.currency());
    match platform.deposit(account, amount, &format!("opening:{}", customer.name)).await {
        Ok(_) => Ok(()),
        Err(AccountError::ReferenceUsed) => {
            tracing::warn!(customer = customer.name, "the opening credit was booked before, with another amount");
            Ok(())
        }
        Err(error) => Err(told(error)),
    }
}

/// The customer's account of an earlier start, with the token added.
async fn known_account(
    platform: &Platform,
    note: &Note,
    customer: &Customer,
) -> Result<Option<AccountId>, AccountError> {
    let Some(account) = note.account(&customer.name) else {
        return Ok(None);
    };
    match platform.adopt_token(account, &customer.name, &customer.token).await {
        Ok(()) => Ok(Some(account)),
        Err(AccountError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
