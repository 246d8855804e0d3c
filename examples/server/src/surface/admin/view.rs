//! What operators see, as JSON. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smscode_core::alarm::AlarmState;
use smscode_core::ledger::record::FindingRecord;
use smscode_core::ledger::{
    AccountAudit, AuditEntry, Liabilities, MoneyException, QueuePage, StuckPurchase, UnclearPurchase, WindDown,
};
use smscode_core::money::{Currency, Money};
use smscode_core::reconciliation::{Reconciliation, SupplierDifference};

fn money(money: Money) -> Value {
    json!({"minor": money.minor, "currency": money.currency.code()})
}

fn page<T>(page: QueuePage<T>, row: impl Fn(T) -> Value) -> Value {
    let rows: Vec<Value> = page.rows.into_iter().map(row).collect();
    json!({"rows": rows, "next": page.next})
}

pub(super) fn unclear(rows: QueuePage<UnclearPurchase>) -> Value {
    page(rows, |row| {
        json!({
            "order_id": row.order.0,
            "supplier": row.supplier,
            "country_id": row.country,
            "service": row.service,
            "held": money(row.held),
            "since": row.since.rfc3339(),
            "age_seconds": row.age_seconds,
            "look_ups": row.look_ups,
            "given_up_at": row.given_up_at.rfc3339(),
            "action": row.action,
        })
    })
}

pub(super) fn stuck(rows: QueuePage<StuckPurchase>) -> Value {
    page(rows, |row| {
        json!({
            "supplier": row.supplier,
            "activation": row.activation,
            "country_id": row.country,
            "service": row.service,
            "cost": row.cost.map(money),
            "since": row.since.rfc3339(),
            "age_seconds": row.age_seconds,
            "state": row.state,
            "action": row.action,
        })
    })
}

pub(super) fn differences(rows: QueuePage<SupplierDifference>) -> Value {
    page(rows, |row| {
        json!({
            "case": row.case,
            "supplier": row.supplier,
            "activation": row.activation,
            "what": row.what.word(),
            "taken": row.taken.map(money),
            "since": row.since.rfc3339(),
            "age_seconds": row.age_seconds,
            "action": row.action,
        })
    })
}

pub(super) fn compared(done: &Reconciliation) -> Value {
    json!({
        "supplier": done.supplier,
        "listed": done.listed,
        "compared": done.compared,
        "found": done.found,
        "gone": done.gone,
        "left_out": done.left_out,
        "balance": done.balance.map(money),
    })
}

pub(super) fn exceptions(rows: QueuePage<MoneyException>) -> Value {
    page(rows, |row| {
        let findings: Vec<Value> = row.findings.iter().map(finding).collect();
        json!({
            "case": row.case,
            "since": row.since.rfc3339(),
            "age_seconds": row.age_seconds,
            "seen_at": row.seen_at.rfc3339(),
            "stops_orders": row.stops_orders,
            "findings": findings,
            "action": row.action,
        })
    })
}

fn finding(found: &FindingRecord) -> Value {
    json!({
        "rule": found.rule,
        "order_id": found.order.map(|order| order.0),
        "transfer": found.transfer,
        "expected": found.expected,
        "found": found.found,
    })
}

pub(super) fn account_audit(audit: &AccountAudit) -> Value {
    let findings = audit.findings.iter().map(|found| {
        json!({
            "rule": found.rule,
            "order_id": found.order.map(|order| order.0),
            "transfer": found.transfer,
            "expected": found.expected,
            "found": found.found,
        })
    });
    json!({
        "transfers": audit.transfers,
        "is_partial": audit.is_partial,
        "available": money(audit.balance.available),
        "held": money(audit.balance.held),
        "debt": money(audit.balance.debt),
        "findings": findings.collect::<Vec<_>>(),
    })
}

pub(super) fn liabilities(owed: &BTreeMap<Currency, Liabilities>) -> Value {
    let lines = owed.values().map(|line| {
        json!({
            "currency": line.available.currency.code(),
            "available": line.available.minor,
            "held": line.held.minor,
            "debt": line.debt.minor,
            "owed": line.owed().minor,
        })
    });
    Value::Array(lines.collect())
}

pub(super) fn wind_down(begun: Option<&WindDown>) -> Value {
    begun.map_or(
        Value::Null,
        |begun| json!({"since": begun.since.rfc3339(), "actor": begun.actor, "reason": begun.reason}),
    )
}

pub(super) fn alarms(states: &[AlarmState]) -> Value {
    let lines = states.iter().map(|state| {
        json!({
            "cause": state.cause,
            "about": state.about,
            "text": state.text,
            "at": state.at.rfc3339(),
            "count": state.count,
            "is_waiting": state.is_waiting,
        })
    });
    json!({"alarms": lines.collect::<Vec<_>>()})
}

pub(super) fn audit_log(entries: &[AuditEntry]) -> Value {
    let lines = entries.iter().map(|entry| {
        json!({
            "at": entry.at.rfc3339(),
            "at_us": entry.at.0,
            "action": entry.action,
            "actor": entry.actor,
            "second": entry.second,
            "subject": entry.subject,
            "amount": entry.amount.map(money),
            "reason": entry.reason,
        })
    });
    json!({"entries": lines.collect::<Vec<_>>()})
}
