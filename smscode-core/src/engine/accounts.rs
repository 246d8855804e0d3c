//! Accounts, tokens and deposits: opened and booked by the host for now.

use super::command::{Failed, Verdict, read_account, unreadable};
use super::inner::Inner;
use super::wind_down::read_wind_down;
use crate::account::record::{AccountRecord, account_key};
use crate::account::{AccountError, AccountId};
use crate::ledger::{Balance, StatementLine, wind_down_key};
use crate::money::Money;
use crate::order::content::hex;
use crate::store::limits::AMOUNT_MAX;
use crate::store::{
    Amount, Body, BodyError, Bucket, CounterKey, Entry, Expect, House, Index, LoadKey, Owner, Place, Post, Range,
    Refusal, Row, Snapshot, StoreError, TransferId, TransferKind,
};
use crate::token::Token;
use crate::token::record::{TOKENS, TOKENS_MAX, TokenClaim, TokenRecord, claim_key, token_key};

/// Longest name of a token.
const NAME_MAX: usize = 64;
/// Longest reference of a deposit.
const REFERENCE_MAX: usize = 100;

impl From<Failed<Self>> for AccountError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => Self::NotFound,
        }
    }
}

impl Inner {
    pub(super) async fn open_account(&self) -> Result<AccountId, AccountError> {
        let account = AccountId(Owner(self.random()));
        let now = self.now();
        let put = self.put_account(account, Expect::Absent, &AccountRecord::opened(now))?;
        self.commit(vec![put], now).await?;
        Ok(account)
    }

    pub(super) async fn create_token(&self, account: AccountId, name: &str) -> Result<Token, AccountError> {
        let token = Token::make(&self.random());
        self.adopt_token(account, name, &token).await?;
        Ok(token)
    }

    pub(super) async fn adopt_token(&self, account: AccountId, name: &str, token: &Token) -> Result<(), AccountError> {
        if name.len() > NAME_MAX {
            return Err(AccountError::Token("its name is longer than 64 bytes"));
        }
        let (owned, claim) = (token_key(account, token), claim_key(token));
        let keys =
            [LoadKey::Record(account_key(account)), LoadKey::Record(owned.clone()), LoadKey::Record(claim.clone())];
        let adopted = self.decide(&keys, |snapshot, now| {
            let (version, holder_of_it) = present(snapshot, account)?;
            match (snapshot.record(&owned), snapshot.record(&claim)) {
                (Some(_), Some(_)) => return Ok(Verdict::Nothing(())),
                (None, Some(_)) => return Err(AccountError::Token("it is in use")),
                (_, None) => {}
            }
            let record = TokenRecord { v: 1, name: name.to_owned(), created_at: now };
            let holder = TokenClaim { v: 1, owner: hex(&account.bytes()) };
            let put = |key: &crate::store::Key, body| Entry::Put {
                key: key.clone(),
                expect: Expect::Absent,
                version: self.version(),
                body,
                terms: Vec::new(),
            };
            let counter = CounterKey::of(account.0, TOKENS);
            let entries = vec![
                // written, not Ensured: a deletion that has listed the tokens must not miss one
                self.put_account(account, Expect::Version(version), &holder_of_it)?,
                Entry::Count { counter, delta: 1, max: Some(TOKENS_MAX) },
                put(&owned, body(&record)?),
                put(&claim, body(&holder)?),
            ];
            Ok(Verdict::Commit(entries, ()))
        });
        match adopted.await {
            Err(Failed::Store(StoreError::Refused(Refusal::Counter { .. }))) => {
                Err(AccountError::Token("the account has as many as it may have"))
            }
            other => other.map_err(AccountError::from),
        }
    }

    /// The entry that writes an account's record.
    pub(super) fn put_account(
        &self,
        account: AccountId,
        expect: Expect,
        record: &AccountRecord,
    ) -> Result<Entry, BodyError> {
        Ok(Entry::Put {
            key: account_key(account),
            expect,
            version: self.version(),
            body: Body::write(record)?,
            terms: record.terms(),
        })
    }

    /// Whose token it is. The claim leads to the owner; the owned record decides, so that deleting it revokes.
    pub(super) async fn authenticate(&self, text: &str) -> Result<Option<AccountId>, AccountError> {
        let Some(token) = Token::read(text) else {
            return Ok(None);
        };
        let claim = claim_key(&token);
        let snapshot = self.store.load(&[LoadKey::Record(claim.clone())]).await?;
        let Some(stored) = snapshot.record(&claim) else {
            return Ok(None);
        };
        let holder: TokenClaim = stored.body.read().map_err(|e| AccountError::from(unreadable(&e)))?;
        let Some(account) = read_owner(&holder.owner) else {
            return Ok(None);
        };
        let owned = token_key(account, &token);
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Record(owned.clone())];
        let snapshot = self.store.load(&keys).await?;
        let there = read_account(&snapshot, account)?.is_some_and(|(_, record)| !record.is_deleted());
        Ok((there && snapshot.record(&owned).is_some()).then_some(account))
    }

    pub(super) async fn deposit(
        &self,
        account: AccountId,
        amount: Money,
        reference: &str,
    ) -> Result<bool, AccountError> {
        if amount.currency != self.settings.currency {
            return Err(AccountError::Amount("another currency than the ledger's"));
        }
        if !(1..=AMOUNT_MAX).contains(&amount.minor) {
            return Err(AccountError::Amount("not above zero, or too large"));
        }
        if reference.is_empty() || reference.len() > REFERENCE_MAX {
            return Err(AccountError::Amount("the reference must have 1 to 100 bytes"));
        }
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Record(wind_down_key())];
        let booked = self
            .decide(&keys, |snapshot, _| {
                let (wind_down, begun) = read_wind_down(snapshot)?;
                // what arrives after the deletion is refused until there is a suspense account to take it (A2)
                let (version, _) = present(snapshot, account)?;
                if begun.is_some() {
                    return Err(AccountError::WindDown);
                }
                let entries = vec![
                    Entry::Ensure { key: account_key(account), expect: Expect::Version(version) },
                    Entry::Ensure { key: wind_down_key(), expect: wind_down },
                    Entry::Post(Post {
                        id: TransferId(format!("deposit/host/{reference}").into_bytes()),
                        kind: TransferKind::Deposit,
                        subject: format!("deposit:{reference}"),
                        reason: "booked_by_host".into(),
                        actor: "host".into(),
                        debit: Place::House(House::clearing("host")),
                        credit: Place::Customer(account.0, Bucket::Available),
                        currency: amount.currency,
                        amount: Amount::Exact(amount.minor),
                    }),
                ];
                Ok(Verdict::Commit(entries, true))
            })
            .await;
        match booked {
            // what was booked before is no new deposit
            Err(Failed::Rule(AccountError::WindDown)) => {
                let known = self.is_same_deposit(account, amount, reference).await?;
                if known { Ok(false) } else { Err(AccountError::WindDown) }
            }
            Err(Failed::Store(StoreError::Refused(Refusal::TransferExists { .. }))) => {
                if self.is_same_deposit(account, amount, reference).await? {
                    Ok(false)
                } else {
                    Err(AccountError::ReferenceUsed)
                }
            }
            other => other.map_err(AccountError::from),
        }
    }

    /// Whether the account's statement has this deposit: a repeated booking is no error, another one is.
    async fn is_same_deposit(&self, account: AccountId, amount: Money, reference: &str) -> Result<bool, AccountError> {
        let subject = format!("deposit:{reference}");
        let mut after = None;
        loop {
            let page = self.store.scan(&Index::Transfers(account.0), &Range::all(), after.as_ref(), 1_000).await?;
            for row in &page.rows {
                if let Row::Transfer(transfer) = row
                    && transfer.kind == TransferKind::Deposit
                    && transfer.subject == subject
                {
                    return Ok(transfer.amount == amount.minor && transfer.currency == amount.currency);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(false),
            }
        }
    }

    pub(super) async fn balance(&self, account: AccountId) -> Result<Balance, AccountError> {
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Head(account.0)];
        let snapshot = self.store.load(&keys).await?;
        present(&snapshot, account)?;
        Ok(Balance::of(snapshot.head(account.0), self.settings.currency))
    }

    pub(super) async fn statement(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StatementLine>, AccountError> {
        present(&self.store.load(&[LoadKey::Record(account_key(account))]).await?, account)?;
        let range = Range::after_number(after);
        let page = self.store.scan(&Index::Transfers(account.0), &range, None, limit).await?;
        let lines = page.rows.iter().filter_map(|row| match row {
            Row::Transfer(transfer) => StatementLine::of(transfer),
            Row::Record { .. } | Row::Head(..) | Row::Event(_) => None,
        });
        Ok(lines.collect())
    }
}

/// An account that is there for its customer: not a deleted one.
pub(super) fn present(snapshot: &Snapshot, account: AccountId) -> Result<(u64, AccountRecord), AccountError> {
    let (version, record) = read_account(snapshot, account)?.ok_or(AccountError::NotFound)?;
    if record.is_deleted() { Err(AccountError::NotFound) } else { Ok((version, record)) }
}

fn body<T: serde::Serialize>(record: &T) -> Result<Body, AccountError> {
    Body::write(record).map_err(|e| AccountError::Unavailable(e.to_string()))
}

fn read_owner(text: &str) -> Option<AccountId> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(AccountId::from_bytes(bytes))
}
