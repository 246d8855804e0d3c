//! Nothing secret or personal stands in what is told.

use super::Call;
use super::line::{NOWHERE, Reply, unusable};
use super::world::World;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::ActivationId;

/// Vendors' ways to repeat a request in an answer, `{}` being the request.
const ECHOES: [(u16, &str); 8] = [
    (200, "<html><pre>{}</pre></html>"),
    (400, "<html><pre>{}</pre></html>"),
    (200, "{}"),
    (500, "{}"),
    (400, r#"{"error":"{}","message":"{}","detail":"{}","title":"{}","code":"{}","status":"error"}"#),
    (422, r#"{"error":{"code":"{}","message":"{}"},"errors":[{"message":"{}"}],"msg":"{}"}"#),
    (200, r#"{"status":"{}","state":"{}","success":false,"reason":"{}"}"#),
    (401, "\"{}\""),
];

/// Checks that none of these stands in what was told.
fn hidden(told: &str, planted: &[String], what: &str) -> Checked {
    let found = planted.iter().any(|marker| told.contains(marker.as_str()));
    // what was told is not repeated here: this text is printed
    holds(!found, &format!("{what}: a planted secret, address, number or text stands in what is told"))
}

pub(super) async fn rule_11_no_key_even_if_the_vendor_repeats_it(w: &mut World) -> Checked {
    let secret = w.fixture().secret();
    holds(secret.len() >= 16, "the fixture's secret has 16 letters, so that it is found")?;
    let id = w.buy().await?.id;
    for (status, around) in ECHOES {
        for call in w.calls() {
            w.line.break_all(Reply::Echo(status, around).before());
            let told = w.tell(call, &id).await.to_string();
            w.line.mend();
            hidden(&told, std::slice::from_ref(&secret), &format!("{call:?} after an answer that repeats it"))?;
        }
    }
    Ok(())
}

pub(super) async fn rule_11_no_key_and_no_address_in_any_failure(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    let planted = [w.fixture().secret(), w.line.url(), w.line.url().replace("http://", "")];
    for fault in unusable() {
        for call in w.calls() {
            w.line.break_all(fault.clone());
            let told = w.tell(call, &id).await.to_string();
            w.line.mend();
            hidden(&told, &planted, &format!("{call:?} after {fault}"))?;
        }
    }
    let planted = [w.fixture().secret(), NOWHERE.replace("http://", "")];
    w.supplier = w.fixture().supplier(NOWHERE);
    for call in w.calls() {
        let told = w.tell(call, &id).await.to_string();
        hidden(&told, &planted, &format!("{call:?} after a refused connection"))?;
    }
    Ok(())
}

pub(super) async fn rule_11_no_number_and_no_text_in_any_failure(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    let text = "planted-text-5f3a 104200";
    w.fixture().deliver(&bought.id, text).await;
    let planted = [bought.phone.clone(), "planted-text-5f3a".into(), "104200".into()];
    for fault in [Reply::Cut.after(), Reply::Short.after()] {
        for call in w.calls().into_iter().filter(|call| !matches!(call, Call::Finish | Call::Cancel)) {
            w.line.break_all(fault.clone());
            let told = w.tell(call, &bought.id).await.to_string();
            w.line.mend();
            hidden(&told, &planted, &format!("{call:?} after {fault}"))?;
            // of a purchase that was cut the number is in the books alone
            let phones: Vec<String> = w.sold().await.into_iter().map(|sold| sold.phone).collect();
            hidden(&told, &phones, &format!("{call:?} after {fault}"))?;
        }
    }
    Ok(())
}

pub(super) async fn rule_11_debug_hides_the_key(w: &mut World) -> Checked {
    hidden(&w.fixture().shown(), &[w.fixture().secret()], "the adapter itself by Debug")?;
    let told = format!("{:?}", w.supplier.describe());
    hidden(&told, &[w.fixture().secret()], "what it says of itself")
}

pub(super) async fn rule_11_ids_are_not_repeated(w: &mut World) -> Checked {
    let unknown = ActivationId("marker-5f3a-90071992547409".into());
    for call in w.calls() {
        let told = w.tell(call, &unknown).await.to_string();
        hidden(&told, std::slice::from_ref(&unknown.0), &format!("{call:?} of an id that is not known"))?;
    }
    same(&format!("{unknown:?}"), &"ActivationId(..)".to_owned(), "an id by Debug")
}
