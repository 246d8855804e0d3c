//! Documents come back byte for byte, however hostile.

use super::draft::{owner, record};
use super::failure::{Checked, holds, same};
use super::world::World;
use crate::store::{Body, Entry, Expect, Index, Row};

/// Documents that a careless store would change.
fn hostile() -> Vec<String> {
    let quoted = |text: &str| format!("{{\"t\":\"{text}\"}}");
    let mut documents = vec![
        "null".to_owned(),
        "\"\"".into(),
        "{}".into(),
        "[]".into(),
        "0".into(),
        "-9223372036854775808".into(),
        "9223372036854775807".into(),
        // white space, member order, a name twice, escapes that could be shorter
        " { \"b\" : 1 ,\n\t\"a\":2 }\r\n".into(),
        "{\"z\":1,\"a\":2,\"Z\":3}".into(),
        "{\"\":\"\"}".into(),
        "{\"t\":\"\\u0041\\/\\u00e9\\n\"}".into(),
        "{\"t\":\"\\ud83d\\ude00\"}".into(),
        "{\"t\":\"\\u0001\\u001f\\u007f\"}".into(),
        "{\"t\":\"{\\\"nested\\\":\\\"json\\\"}\"}".into(),
        "{\"t\":\"'; drop table records; -- $1 %s ? \\\\\"}".into(),
        "{\"__proto__\":{\"a\":1},\"$ref\":\"#\",\"version\":18446}".into(),
    ];
    documents.extend(
        [
            "\u{2028}\u{2029}",
            "\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}",
            "\u{feff}\u{fffe}\u{ffff}\u{fffd}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{10ffff}\u{10000}",
            "e\u{301}\u{e9}\u{1e9b}\u{323}",
            "\u{130}I\u{131}i\u{df}\u{1e9e}",
            "\u{7f}\u{80}\u{85}\u{a0}\u{ad}\u{ff}",
            "код 123456 کد ۱۲۳۴۵۶ 验证码 รหัส 인증번호 קוד",
            "\u{e000}\u{f8ff}\u{f0000}",
        ]
        .map(quoted),
    );
    // all planes, one character each 257
    documents.push(quoted(&(0x80..=0x10_ffff).step_by(257).filter_map(char::from_u32).collect::<String>()));
    documents.push(format!("{}1{}", "[".repeat(16), "]".repeat(16)));
    documents.push(format!("{}1{}", "{\"a\":".repeat(16), "}".repeat(16)));
    documents.push(quoted(&"\u{1f600}".repeat(16_380)));
    documents.push(format!("\"{}\"", "x".repeat((64 << 10) - 2)));
    documents.push(format!("[{}]", vec!["0"; 32_767].join(",")));
    documents
}

pub(super) async fn port_bodies_of_records_come_back_byte_for_byte(w: &mut World) -> Checked {
    for (n, text) in hostile().iter().enumerate() {
        let key = record("order", 1, [n as u8]);
        w.done(w.draft().put(&key, Expect::Absent, 1, Body::from_text(text)?).term("due", [n as u8])).await?;
        let found = w.record(&key).await?.map(|record| record.body);
        holds(found.is_some_and(|body| body.as_bytes() == text.as_bytes()), &format!("document {n} on load"))?;
    }
    let rows = w.list(&Index::Term(crate::store::Kind::of("due")), &crate::store::Range::all(), 4).await?;
    same(&rows.len(), &hostile().len(), "rows")?;
    for (n, (row, text)) in rows.iter().zip(hostile()).enumerate() {
        let found = match row {
            Row::Record { record, .. } => record.body.as_bytes(),
            Row::Head(..) | Row::Transfer(_) | Row::Event(_) => b"",
        };
        holds(found == text.as_bytes(), &format!("document {n} in a list"))?;
    }
    Ok(())
}

pub(super) async fn port_bodies_of_events_come_back_byte_for_byte(w: &mut World) -> Checked {
    for text in hostile() {
        let body = Body::from_text(&text)?;
        w.done(w.draft().with(Entry::Append { owner: owner(1), body })).await?;
    }
    let rows = w.list(&Index::Events(owner(1)), &crate::store::Range::all(), 4).await?;
    same(&rows.len(), &hostile().len(), "rows")?;
    for (n, (row, text)) in rows.iter().zip(hostile()).enumerate() {
        let found = match row {
            Row::Event(event) => event.body.as_bytes(),
            Row::Record { .. } | Row::Head(..) | Row::Transfer(_) => b"",
        };
        holds(found == text.as_bytes(), &format!("document {n}"))?;
    }
    Ok(())
}

pub(super) async fn port_outcomes_come_back_byte_for_byte(w: &mut World) -> Checked {
    let mut sets = Vec::new();
    for text in hostile() {
        let set = w.draft().outcome(Body::from_text(&text)?).seal();
        let first = w.commit(&set).await?;
        holds(first.outcome.as_bytes() == text.as_bytes(), "the outcome at once")?;
        sets.push((set, text));
    }
    for (n, (set, text)) in sets.iter().enumerate() {
        let again = w.commit(set).await?;
        holds(again.replayed && again.outcome.as_bytes() == text.as_bytes(), &format!("outcome {n} of a replay"))?;
    }
    Ok(())
}

pub(super) async fn port_texts_come_back_as_they_were(w: &mut World) -> Checked {
    let texts =
        ["", " ", "a\nb\tc\r", "\u{2028}", "\u{202e}abc", "\u{1f600}", "e\u{301}", "'\"\\%_$1", "\u{1}\u{7f}", "İıß"];
    for (n, text) in texts.iter().enumerate() {
        let mut post = super::draft::deposit(owner(1), [n as u8], 1);
        post.subject = (*text).to_owned();
        post.reason = format!("{text}r");
        post.actor = format!("a{text}");
        post.debit = crate::store::Place::House(crate::store::House::clearing(text));
        w.done(w.draft().post(post)).await?;
    }
    let rows = w.all(&Index::Transfers(owner(1))).await?;
    same(&rows.len(), &texts.len(), "transfers")?;
    for (row, text) in rows.iter().zip(texts) {
        if let Row::Transfer(transfer) = row {
            let found = (transfer.subject.as_str(), transfer.reason.clone(), transfer.actor.clone());
            same(&found, &(text, format!("{text}r"), format!("a{text}")), "the texts")?;
            same(&transfer.debit, &crate::store::Place::House(crate::store::House::clearing(text)), "the house")?;
        }
    }
    let totals = w.totals().await?;
    same(&totals.currencies.values().map(|line| line.house.len()).sum::<usize>(), &texts.len(), "house accounts")
}

/// What no store could keep never comes to a store.
pub(super) async fn port_bodies_that_cannot_be_kept_are_refused(w: &mut World) -> Checked {
    let too_deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
    let too_long = format!("\"{}\"", "x".repeat((64 << 10) - 1));
    let refused = [
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "{\"\\udfff\":1}",
        "\"\\u0000\"",
        "{\"a\\u0000\":1}",
        "1.5",
        "1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "{",
        "{} {}",
        "",
        "NaN",
        "'a'",
        "\u{feff}{}",
        "\"\n\"",
        &too_deep,
        &too_long,
    ];
    for text in refused {
        let shown: String = text.chars().take(30).collect();
        holds(Body::from_text(text).is_err(), &format!("{shown:?} must be refused at the edge"))?;
    }
    w.done(w.draft()).await.map(drop)
}
