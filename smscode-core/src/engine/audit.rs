//! The audit (O5): re-adds every account's transfers and compares with what its head and its orders say. Books that do not
//! add up stop new orders of their account, and of no other, until they do or an operator lifts it.
//!
//! It goes on beside everything else, so it compares only what belongs to one moment: transfers up to a number never
//! change, and orders that were read while that number stood still are the orders of that number.

use std::collections::BTreeMap;

use super::command::{Failed, Verdict, read_account, unreadable};
use super::inner::Inner;
use super::reading::{place, read_orders};
use crate::account::AccountId;
use crate::account::record::account_key;
use crate::ledger::readd::{ORDERS_MAX, Readd, Said};
use crate::ledger::record::{
    AUDIT, AuditRunRecord, BY_CASE, EXCEPTION, ExceptionRecord, FINDINGS_KEPT, FindingRecord, audit_run_key,
    exception_key,
};
use crate::ledger::wind_down::check_operator;
use crate::ledger::{AccountAudit, AuditSummary, Balance, Finding, OperatorError};
use crate::order::Status;
use crate::order::content::hex;
use crate::order::record::ORDER;
use crate::store::{Body, Cursor, Entry, Expect, Head, Index, Key, LoadKey, Owner, Range, Row, StoreError};

/// Rows read at a time.
const PAGE: usize = 1_000;
/// Accounts between two notes of how far the audit has come.
const ACCOUNTS_PAGE: usize = 100;
/// How often the open orders are read again because money moved meanwhile. An account that never rests is audited the
/// next day.
const QUIET_TRIES: usize = 20;
/// The pause before it is tried again, in ms.
const QUIET_PAUSE_MS: i64 = 50;
/// How often the worker looks whether an audit is due.
const LOOK_MS: i64 = 60_000;

impl Inner {
    /// Audits for ever, as often as the settings say.
    pub(super) async fn look_after_books(&self) {
        loop {
            self.clock.sleep_until(self.now().plus_ms(LOOK_MS)).await;
            if self.settings.audit_every_ms == 0 {
                continue;
            }
            if let Err(error) = self.audit_when_due().await {
                tracing::error!(%error, "the audit goes on later");
            }
        }
    }

    async fn audit_when_due(&self) -> Result<(), StoreError> {
        if !self.holds("audit").await? {
            return Ok(());
        }
        let now = self.now();
        let run = match self.audit_run().await? {
            Some((_, run)) => run,
            // a fresh store has nothing to audit yet
            None => return self.note_run(&self.next_run()).await,
        };
        if run.begins_at > now {
            return Ok(());
        }
        let summary = self.audit_accounts(Some(run)).await?;
        tracing::info!(accounts = summary.accounts, wrong = summary.wrong, "the books were audited");
        Ok(())
    }

    fn next_run(&self) -> AuditRunRecord {
        let begins_at = self.now().plus_ms(self.settings.audit_every_ms);
        AuditRunRecord { v: 1, begins_at, after: None, accounts: 0, wrong: 0 }
    }

    /// Audits all accounts now, from the first.
    pub(super) async fn audit_all(&self) -> Result<AuditSummary, StoreError> {
        self.audit_accounts(None).await
    }

    /// Audits the accounts that come after what a run has done; notes how far it is if it is a run.
    async fn audit_accounts(&self, mut run: Option<AuditRunRecord>) -> Result<AuditSummary, StoreError> {
        let mut summary = AuditSummary { totals_are_zero: self.audit_totals().await?, ..AuditSummary::default() };
        if let Some(run) = &run {
            (summary.accounts, summary.wrong) = (run.accounts, run.wrong);
        }
        let mut after = run.as_ref().and_then(|run| run.after.as_deref()).and_then(cursor_of);
        loop {
            let page = self.store.scan(&Index::Heads, &Range::all(), after.as_ref(), ACCOUNTS_PAGE).await?;
            for row in &page.rows {
                let Row::Head(owner, _) = row else { continue };
                summary.accounts += 1;
                match self.audit_account(AccountId(*owner)).await? {
                    Some(audit) => {
                        summary.transfers += audit.transfers;
                        summary.wrong += u64::from(!audit.findings.is_empty());
                    }
                    None => summary.busy += 1,
                }
            }
            match (page.next, &mut run) {
                (Some(next), Some(run)) => {
                    run.after = Some(hex(&next.position));
                    (run.accounts, run.wrong) = (summary.accounts, summary.wrong);
                    self.note_run(run).await?;
                    after = Some(next);
                }
                (Some(next), None) => after = Some(next),
                (None, run) => {
                    if run.is_some() {
                        self.note_run(&self.next_run()).await?;
                    }
                    return Ok(summary);
                }
            }
        }
    }

    async fn audit_run(&self) -> Result<Option<(u64, AuditRunRecord)>, StoreError> {
        let key = audit_run_key();
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await?;
        let Some(stored) = snapshot.record(&key) else { return Ok(None) };
        Ok(Some((stored.version, stored.body.read().map_err(|e| unreadable(&e))?)))
    }

    async fn note_run(&self, run: &AuditRunRecord) -> Result<(), StoreError> {
        let key = audit_run_key();
        let keys = [LoadKey::Record(key.clone())];
        let noted = self.decide::<(), StoreError>(&keys, |snapshot, _| {
            let expect = snapshot.record(&key).map_or(Expect::Absent, |stored| Expect::Version(stored.version));
            Ok(Verdict::Commit(vec![self.put(&key, expect, run, Vec::new())?], ()))
        });
        stored(noted.await)
    }

    /// Whether all accounts of each currency are zero together. If not, it is nobody's fault in particular.
    async fn audit_totals(&self) -> Result<bool, StoreError> {
        let totals = self.store.totals().await?;
        let wrong = totals.currencies.values().find(|line| line.sum() != 0);
        let findings = wrong.map(|line| Finding {
            rule: "all_accounts_are_zero_together",
            order: None,
            transfer: None,
            expected: 0,
            found: i64::try_from(line.sum()).unwrap_or(i64::MAX),
        });
        let findings: Vec<Finding> = findings.into_iter().collect();
        self.settle_findings(None, &findings).await?;
        Ok(findings.is_empty())
    }

    /// Audits one account, and stops or allows its new orders by what is found. `None` if money moved all the time.
    pub(super) async fn audit_account(&self, account: AccountId) -> Result<Option<AccountAudit>, StoreError> {
        let Some(mut audit) = self.readd(account).await? else { return Ok(None) };
        if !audit.findings.is_empty() {
            // nobody's orders are stopped on a single reading
            match self.readd(account).await? {
                Some(again) => audit = again,
                None => return Ok(None),
            }
        }
        self.settle_findings(Some(account), &audit.findings).await?;
        Ok(Some(audit))
    }

    /// Reads one account and compares; changes nothing.
    pub(super) async fn readd(&self, account: AccountId) -> Result<Option<AccountAudit>, StoreError> {
        let mut readd = Readd::default();
        // first the orders: what is there now has its transfers before the head that is read next
        let owned = Range::prefix(&account.bytes());
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.store.scan(&Index::Kind(ORDER), &owned, after.as_ref(), PAGE).await?;
            for (id, record) in read_orders(page.rows)? {
                readd.order(id, Said { state: record.state, price: record.price_minor });
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let Some((head, open)) = self.quiet(account).await? else { return Ok(None) };
        let until = head.last_transfer.saturating_add(1).to_be_bytes().to_vec();
        let range = Range { until: Some(until), ..Range::after_number(0) };
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.store.scan(&Index::Transfers(account.0), &range, after.as_ref(), PAGE).await?;
            for row in &page.rows {
                if let Row::Transfer(transfer) = row {
                    readd.transfer(transfer);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        readd.end(head, &open);
        Ok(Some(AccountAudit {
            transfers: readd.transfers,
            is_partial: readd.left_out,
            balance: Balance::of(head, self.settings.currency),
            findings: readd.findings,
        }))
    }

    /// The head, and the prices of the orders that held money at that moment.
    async fn quiet(&self, account: AccountId) -> Result<Option<(Head, BTreeMap<u32, i64>)>, StoreError> {
        for _ in 0..QUIET_TRIES {
            let before = self.head(account).await?;
            let mut open = BTreeMap::new();
            let mut after: Option<Cursor> = None;
            loop {
                // all that hold money show as active
                let (index, prefix) = place(account, Some(Status::Active));
                let range = Range::prefix(&prefix);
                let page = self.store.scan(&Index::Term(index), &range, after.as_ref(), PAGE).await?;
                for (id, record) in read_orders(page.rows)? {
                    if record.state.holds_money() {
                        open.insert(id.0, record.price_minor);
                    }
                }
                match page.next {
                    Some(next) if open.len() < ORDERS_MAX => after = Some(next),
                    Some(_) | None => break,
                }
            }
            // each hold and each closing has a number
            let head = self.head(account).await?;
            if head.last_transfer == before.last_transfer {
                return Ok(Some((head, open)));
            }
            self.clock.sleep_until(self.now().plus_ms(QUIET_PAUSE_MS)).await;
        }
        Ok(None)
    }

    async fn head(&self, account: AccountId) -> Result<Head, StoreError> {
        Ok(self.store.load(&[LoadKey::Head(account.0)]).await?.head(account.0))
    }

    /// Notes what is wrong and stops new orders of the account, or takes both back when nothing is. `None` is all of them.
    async fn settle_findings(&self, account: Option<AccountId>, findings: &[Finding]) -> Result<(), StoreError> {
        let owner = account.map_or(Owner::NONE, |account| account.0);
        let key = exception_key(owner);
        let mut keys = vec![LoadKey::Record(key.clone())];
        keys.extend(account.map(|account| LoadKey::Record(account_key(account))));
        let case = hex(&self.random::<8>());
        let settled = self.decide::<bool, StoreError>(&keys, |snapshot, now| {
            let known = snapshot.record(&key);
            let mut entries = Vec::new();
            match (known, findings.is_empty()) {
                (None, true) => return Ok(Verdict::Nothing(false)),
                (Some(stored), true) => {
                    entries.push(Entry::Delete { key: key.clone(), expect: Expect::Version(stored.version) });
                }
                (known, false) => {
                    let old: Option<ExceptionRecord> =
                        known.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
                    let record = ExceptionRecord {
                        v: 1,
                        case: old.as_ref().map_or_else(|| case.clone(), |old| old.case.clone()),
                        since: old.map_or(now, |old| old.since),
                        seen_at: now,
                        findings: findings.iter().take(FINDINGS_KEPT).map(kept).collect(),
                    };
                    let expect = known.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
                    entries.push(self.put(&key, expect, &record, record.terms())?);
                }
            }
            if let Some(account) = account
                && let Some((version, mut record)) = read_account(snapshot, account)?
            {
                record.frozen_at = if findings.is_empty() { None } else { record.frozen_at.or(Some(now)) };
                let entry = self.put_account(account, Expect::Version(version), &record);
                entries.push(entry.map_err(|e| unreadable(&e))?);
            }
            Ok(Verdict::Commit(entries, true))
        });
        let changed = stored(settled.await)?;
        if changed && findings.is_empty() {
            tracing::info!("books that did not add up do so again");
        }
        if let Some(first) = findings.first() {
            let text = format!("the books do not add up: {}; look at the operators' queue of exceptions", first.rule);
            self.alarm("ledger_mismatch", None, &text).await?;
        }
        Ok(())
    }

    /// An operator allows new orders of an account again whose books do not add up. The next audit judges afresh.
    pub(super) async fn lift_freeze(&self, case: &str, actor: &str, reason: &str) -> Result<(), OperatorError> {
        check_operator(actor, reason)?;
        let key = self.case(case).await?.ok_or(OperatorError::NotFound)?;
        let account = (!key.owner.is_none()).then_some(AccountId(key.owner));
        let mut keys = vec![LoadKey::Record(key.clone())];
        keys.extend(account.map(|account| LoadKey::Record(account_key(account))));
        let lifted = self.decide::<(), OperatorError>(&keys, |snapshot, now| {
            let stored = snapshot.record(&key).ok_or(OperatorError::NotFound)?;
            let audit = self.operator_did("freeze_lifted", Some(case.to_owned()), actor, reason, now);
            let mut entries = vec![
                Entry::Delete { key: key.clone(), expect: Expect::Version(stored.version) },
                self.put_audit(Key::free(AUDIT, hex(&self.random::<16>())), &audit)?,
            ];
            if let Some(account) = account
                && let Some((version, mut record)) = read_account(snapshot, account)?
            {
                record.frozen_at = None;
                entries.push(self.put_account(account, Expect::Version(version), &record)?);
            }
            Ok(Verdict::Commit(entries, ()))
        });
        Ok(lifted.await?)
    }

    /// Audits the account of a case once more, for whoever looks at it; changes nothing.
    pub(super) async fn audit_case(&self, case: &str) -> Result<Option<AccountAudit>, OperatorError> {
        let key = self.case(case).await?.ok_or(OperatorError::NotFound)?;
        if key.owner.is_none() {
            return Ok(None);
        }
        Ok(self.readd(AccountId(key.owner)).await?)
    }

    /// The exception of this name.
    async fn case(&self, case: &str) -> Result<Option<Key>, StoreError> {
        let page = self.store.scan(&Index::Term(BY_CASE), &Range::only(case.as_bytes()), None, 1).await?;
        Ok(page.rows.into_iter().find_map(|row| match row {
            Row::Record { key, .. } if key.kind == EXCEPTION => Some(key),
            Row::Record { .. } | Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
        }))
    }

    /// The entry of a record.
    pub(super) fn put<T: serde::Serialize>(
        &self,
        key: &Key,
        expect: Expect,
        record: &T,
        terms: Vec<crate::store::Term>,
    ) -> Result<Entry, StoreError> {
        let body = Body::write(record).map_err(|e| unreadable(&e))?;
        Ok(Entry::Put { key: key.clone(), expect, version: self.version(), body, terms })
    }
}

/// What came of a decision that has no rule to refuse.
pub(super) fn stored<T: Default>(done: Result<T, Failed<StoreError>>) -> Result<T, StoreError> {
    match done {
        Ok(done) => Ok(done),
        Err(Failed::NotFound) => Ok(T::default()),
        Err(Failed::Rule(error) | Failed::Store(error)) => Err(error),
    }
}

fn kept(finding: &Finding) -> FindingRecord {
    FindingRecord {
        rule: finding.rule.to_owned(),
        order: finding.order,
        transfer: finding.transfer,
        expected: finding.expected,
        found: finding.found,
    }
}

fn cursor_of(text: &str) -> Option<Cursor> {
    let digits: Option<Vec<u8>> = (0..text.len() / 2)
        .map(|n| text.get(2 * n..2 * n + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    Some(Cursor { position: digits?, key: None })
}
