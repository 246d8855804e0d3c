//! `smscode-server verify`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use smscode_core::store::Totals;
use smscode_core::store::copy::Inspection;
use smscode_core::verify::{Report, verify_places};

use super::opened::{Must, Opened};
use super::restore::source;
use super::{Done, TaskError};
use crate::config::StoreChoice;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;
/// Findings that are printed; JSON has as many as are kept.
const SHOWN_MAX: usize = 50;

/// Looks through a store.
///
/// # Errors
///
/// [`TaskError`]: it cannot be looked through.
pub async fn verify(choice: &StoreChoice, at_rest: bool, as_json: bool) -> Result<Done, TaskError> {
    let opened = Opened::open(choice, Must::Exist).await?;
    let report = look_through(&opened, at_rest).await;
    opened.close().await;
    let report = report?;
    let text = if as_json { json_of(&report).to_string() } else { told(&report) };
    Ok(Done { text, clean: report.is_clean() })
}

/// Everything, and the indexes if nobody writes meanwhile.
pub(super) async fn look_through(opened: &Opened, at_rest: bool) -> Result<Report, TaskError> {
    let mut export = opened.store.export().await?;
    let mut report = smscode_core::verify::verify(&mut *export).await?;
    drop(export);
    if at_rest || opened.is_alone() {
        report.add(verify_places(&*opened.store, &report.places).await?);
    }
    Ok(report)
}

/// Looks whether a backup is whole.
///
/// # Errors
///
/// [`TaskError`]: it is not.
pub fn inspect(file: &Path, as_json: bool) -> Result<Done, TaskError> {
    let mut source = source(file)?;
    let (mut inspection, mut piece) = (Inspection::default(), vec![0; PIECE]);
    loop {
        let length = source.read(&mut piece).map_err(|error| TaskError::files(file, &error))?;
        if length == 0 {
            break;
        }
        inspection.push(&piece[..length])?;
    }
    let (header, summary) = inspection.finish()?;
    if as_json {
        let told = json!({
            "whole": true, "taken_at": header.time.rfc3339(), "store": header.store, "of": header.host,
            "rows": summary.rows, "sha256": summary.sha256, "totals": totals(&header.totals),
        });
        return Ok(Done::clean(told.to_string()));
    }
    let of = header.host.get("mode").map_or("", String::as_str);
    Ok(Done::clean(format!(
        "{} is whole: a {of} store of {}, {}\n{summary}\n{}",
        file.display(),
        header.time,
        header.store,
        sums(&header.totals)
    )))
}

/// A report for people.
pub(super) fn told(report: &Report) -> String {
    let Report { accounts, orders, transfers, events, records, .. } = report;
    let mut text =
        format!("{accounts} accounts, {orders} orders, {transfers} transfers, {events} events, {records} records\n");
    text.push_str(&sums(&report.totals));
    if report.is_clean() {
        text.push_str("everything fits");
        return text;
    }
    for finding in report.findings.iter().take(SHOWN_MAX) {
        let _a_string_takes_all = writeln!(text, "{finding}");
    }
    let _a_string_takes_all = write!(text, "{} findings", report.found);
    if report.found > SHOWN_MAX as u64 {
        text.push_str("; more of them with --json");
    }
    text
}

fn sums(totals: &Totals) -> String {
    let mut text = String::new();
    for (currency, line) in &totals.currencies {
        let (available, held, debt, sum) = (line.available, line.held, line.debt, line.sum());
        let _a_string_takes_all = writeln!(
            text,
            "{currency}: {available} available, {held} held by {} orders, {debt} owed; sum of all accounts {sum}",
            line.open_holds
        );
    }
    text
}

fn json_of(report: &Report) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|one| json!({"code": one.code, "subject": one.subject.to_string(), "what": one.what}))
        .collect();
    json!({
        "clean": report.is_clean(), "accounts": report.accounts, "orders": report.orders,
        "transfers": report.transfers, "events": report.events, "records": report.records,
        "totals": totals(&report.totals), "found": report.found, "findings": findings,
    })
}

/// Sums as text: JSON readers do not agree on whole numbers beyond 53 bits.
fn totals(totals: &Totals) -> Value {
    let lines = totals.currencies.iter().map(|(currency, line)| {
        let house: serde_json::Map<String, Value> =
            line.house.iter().map(|(house, sum)| (house.0.clone(), sum.to_string().into())).collect();
        let told = json!({
            "available": line.available.to_string(), "held": line.held.to_string(), "debt": line.debt.to_string(),
            "house": house, "transfers": line.transfers, "open_holds": line.open_holds, "sum": line.sum().to_string(),
        });
        (currency.code().to_owned(), told)
    });
    Value::Object(lines.collect())
}
