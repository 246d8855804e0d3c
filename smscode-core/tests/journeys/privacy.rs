//! SMS-2, SMS-3, SHARE-1: planted markers in everything the store ever holds, in views, logs, `Debug`; keys of epochs.

use std::fmt;
use std::sync::{Arc, Mutex};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use smscode_core::order::record::{ORDER, OrderRecord, order_key};
use smscode_core::order::{Idempotency, ItemOutcome, OrderId, OrderView, PlaceOrders, Status};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, CancelOutcome, EpochKey, MemoryKeyring, SupplierSms,
};
use smscode_core::store::TransferKind::{Hold, Release};
use smscode_core::store::{Index, LoadKey, MemoryStore, Range, Row, Store};
use smscode_core::token::Token;
use smscode_core::{Platform, Settings};

use crate::support::{Buy, TestClock, TestSupplier, World};

const PHONE: &str = "6281277700001";
const CODE: &str = "918273";
const TEXT: &str = "Marker-text: your code is 918273, zebra crossing";
const SENDER: &str = "MarkerSender";
const KEY: &str = "marker-idempotency-key";
const REQUEST: &str = "marker-request-as-sent";

struct Seen {
    world: World,
    store: Arc<MemoryStore>,
    token: Token,
}

impl Seen {
    async fn new(settings: Settings, window_seconds: u32) -> Self {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, window_seconds)];
        let store = Arc::new(MemoryStore::new());
        let keyring = Arc::new(MemoryKeyring::new());
        let world = World::on(store.clone(), keyring, clock, suppliers, settings, None).await;
        let token = world.platform.create_token(world.account, "first").await.unwrap();
        Self { world, store, token }
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.store.raw_bytes()).into_owned()
    }

    /// Nothing in clear, ever; and what must be found is found.
    fn assert_sealed(&self, when: &str) {
        let raw = self.raw();
        for marker in [PHONE, CODE, TEXT, "zebra", SENDER, KEY, REQUEST, self.token.reveal()] {
            assert!(!raw.contains(marker), "{marker} in clear {when}");
        }
        assert!(raw.contains("\"wa\"") && raw.contains("order.placed"), "the search finds nothing at all");
    }

    fn wanted(&self) -> PlaceOrders {
        PlaceOrders {
            idempotency: Some(Idempotency { operation: "create/v1", key: KEY.into(), request: REQUEST.into() }),
            ..World::whatsapp()
        }
    }

    async fn placed(&self) -> OrderView {
        self.world.supplier().plan([Buy::Number(PHONE)]);
        let placed = self.world.place_orders(self.wanted()).await.unwrap();
        let ItemOutcome::Settled(view) = &placed.items[0].outcome else { panic!("{placed:?}") };
        assert_eq!(view.phone.as_deref(), Some(PHONE));
        view.clone()
    }

    async fn read(&self, order: &OrderView) {
        self.world.supplier().deliver_sms(
            PHONE,
            SupplierSms { sender: Some(SENDER.into()), text: TEXT.into(), ..SupplierSms::default() },
        );
        self.world.clock.advance(11).await;
        let view = self.world.order(order.id).await;
        assert_eq!((view.text.as_deref(), view.code.as_deref()), (Some(TEXT), Some(CODE)));
    }

    async fn record(&self, id: OrderId) -> OrderRecord {
        let key = order_key(self.world.account, id);
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await.unwrap();
        serde_json::from_slice(snapshot.record(&key).unwrap().body.as_bytes()).unwrap()
    }

    /// No view, replay, list, event or explanation shows content.
    async fn assert_purged(&self, id: OrderId) {
        let (platform, account): (&Platform, _) = (&self.world.platform, self.world.account);
        let mut views = vec![platform.order(account, id).await.unwrap()];
        views.extend(platform.orders(account, None, 0, 100).await.unwrap().into_iter().filter(|view| view.id == id));
        let explained = platform.explain(account, id).await.unwrap();
        let told = format!("{:?}{:?}", explained.steps, explained.allowed);
        views.push(explained.order);
        let replay = self.world.place_orders(self.wanted()).await.unwrap();
        for item in replay.items {
            let ItemOutcome::Settled(view) = item.outcome else { panic!("not settled") };
            views.push(view);
        }
        assert_eq!(views.len(), 4);
        for view in views {
            assert_eq!((view.phone, view.code, view.text), (None, None, None));
            assert!(view.purged_at.is_some() && view.purged_at == view.ended_at);
        }
        let events = platform.events(account, 0, 1_000).await.unwrap();
        let lines = platform.statement(account, 0, 1_000).await.unwrap();
        let told = format!("{told}{events:?}{lines:?}");
        for marker in [PHONE, CODE, "zebra", SENDER] {
            assert!(!told.contains(marker), "{marker}");
        }
    }
}

#[tokio::test]
async fn sms_2_content_is_never_in_clear_and_gone_with_the_end() {
    for how in ["finish", "window", "cancel", "expire"] {
        let seen = Seen::new(Settings::default(), 60).await;
        let order = seen.placed().await;
        seen.assert_sealed("while active");
        let open = seen.record(order.id).await;
        let hash = open.phone_claims[0].hash.clone();
        assert!(seen.raw().contains(&hash), "positive control: the hash is there while it is open");
        if matches!(how, "finish" | "window") {
            seen.read(&order).await;
            seen.assert_sealed("while received");
        }
        let dedupe: Vec<String> = seen.record(order.id).await.messages.iter().map(|m| m.dedupe.clone()).collect();
        assert!(dedupe.iter().all(|one| seen.raw().contains(one)));
        match how {
            "finish" => drop(seen.world.finish(order.id).await.unwrap()),
            "cancel" => drop(seen.world.cancel(order.id).await.unwrap()),
            _ => seen.world.clock.advance(70).await,
        }
        let ended = seen.record(order.id).await;
        assert!(ended.state.is_terminal(), "{how}");
        seen.assert_sealed("after the end");
        let raw = seen.raw();
        for gone in dedupe.iter().chain([&hash]) {
            assert!(!raw.contains(gone), "{how}: a hash of content stays");
        }
        seen.assert_purged(order.id).await;
        seen.world.assert_balanced().await;
        seen.world.stop().await;
    }
}

/// What stays of the supplier's side says nothing of account or order, and nothing of the order leads to it.
#[tokio::test]
async fn sms_3_nothing_links_the_number_with_the_account_after_the_end() {
    let seen = Seen::new(Settings::default(), 60).await;
    // no full minute, which is all that the supplier's side keeps
    seen.world.clock.step(29, 250).await;
    let order = seen.placed().await;
    seen.read(&order).await;
    seen.world.finish(order.id).await.unwrap();
    // at once, while the supplier is still to be told, and later
    for _ in 0..2 {
        let kinds = [smscode_core::order::supply::SUPPLY, ORDER, smscode_core::order::record::CLAIM];
        let mut owned = String::new();
        let mut free = Vec::new();
        for kind in kinds {
            let page = seen.store.scan(&Index::Kind(kind), &Range::all(), None, 100).await.unwrap();
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { panic!("no record") };
                let body = String::from_utf8(record.body.as_bytes().to_vec()).unwrap();
                if key.owner.is_none() {
                    let terms: String =
                        record.terms.iter().map(|t| String::from_utf8_lossy(&t.at).into_owned()).collect();
                    free.push(format!("{body}{}{terms}", String::from_utf8_lossy(&key.id)));
                } else {
                    owned.push_str(&body);
                }
            }
        }
        assert_eq!(free.len(), 1, "one purchase");
        let activation = seen.world.supplier().script.lock().unwrap().sold.keys().next().unwrap().clone();
        assert!(free[0].contains(&activation), "positive control");
        assert!(!owned.contains(&activation), "the order leads to the supplier's side");
        assert!(!free[0].contains(&order.id.0.to_string()), "the supplier's side leads to the order");
        // no exact time is in both
        let times = |text: &str| -> Vec<String> {
            let digits = text.split(|c: char| !c.is_ascii_digit());
            digits.filter(|run| run.len() == 16).map(str::to_owned).collect()
        };
        let theirs = times(&free[0]);
        assert!(!theirs.is_empty() && !times(&owned).is_empty());
        for time in times(&owned) {
            assert!(!theirs.contains(&time), "joined by {time}");
        }
        seen.world.clock.advance(11).await;
    }
    seen.world.stop().await;
}

/// SHARE-1: a supplier learns country, service, our ceiling and a random reference.
#[tokio::test]
async fn share_1_references_tell_nothing_of_the_customer() {
    let seen = Seen::new(Settings::default(), 1_200).await;
    for _ in 0..5 {
        seen.world.place().await;
    }
    let requests = seen.world.supplier().script.lock().unwrap().requests.clone();
    let mut references: Vec<&str> = requests.iter().map(|request| request.reference.as_str()).collect();
    assert!(references.iter().all(|one| one.len() == 32));
    let account: String = seen.world.account.bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert!(!references.contains(&account.as_str()));
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), 5);
    seen.world.stop().await;
}

fn open(key: &EpochKey, purpose: &[u8], sealed: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD_NO_PAD.decode(sealed).unwrap();
    let (nonce, text) = bytes[1..].split_at(12);
    let nonce: [u8; 12] = nonce.try_into().unwrap();
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key.bytes()));
    let payload = Payload { msg: text, aad: purpose };
    cipher.decrypt(&Nonce::from(nonce), payload).ok()
}

#[tokio::test]
async fn epoch_keys_die_and_open_orders_stay_readable() {
    let settings = Settings { window_ms: 2 * 3_600_000, ..Settings::default() };
    let seen = Seen::new(settings, 7_200).await;
    let order = seen.placed().await;
    seen.read(&order).await;
    let wrapped_of = |record: &OrderRecord| {
        let json = serde_json::to_value(record).unwrap();
        let wrapped = json["key"]["wrapped"].as_str().unwrap().to_owned();
        (record.key.as_ref().unwrap().epoch, wrapped)
    };
    let purpose = [b"order".as_slice(), &seen.world.account.bytes(), &order.id.0.to_be_bytes()].concat();
    let mut captured = vec![wrapped_of(&seen.record(order.id).await)];
    let opened = |keys: &[EpochKey], captured: &[(i64, String)]| {
        captured.iter().filter(|(_, sealed)| keys.iter().any(|key| open(key, &purpose, sealed).is_some())).count()
    };
    let mut stolen: Vec<EpochKey> = Vec::new();
    let mut most = 0;
    for minute in 0..(3 * 60 + 95) {
        let keys = seen.world.keyring.epochs().await.unwrap();
        for (id, _) in &keys {
            let age = seen.world.platform.now().ms_since(id.began()) / 60_000;
            assert!(age < 90, "minute {minute}: a key is {age} minutes old");
        }
        let now: Vec<EpochKey> = keys.into_iter().map(|(_, key)| key).collect();
        most = most.max(now.len());
        let record = seen.record(order.id).await;
        if record.state.is_terminal() {
            assert!(record.key.is_none());
        } else {
            let wrapped = wrapped_of(&record);
            if captured.last() != Some(&wrapped) {
                captured.push(wrapped);
            }
            assert_eq!(seen.world.order(order.id).await.text.as_deref(), Some(TEXT), "minute {minute}");
            assert!(opened(&now, &captured) >= 1, "positive control, minute {minute}");
        }
        stolen.extend(now);
        // others come and go meanwhile, so epochs go on
        if minute % 7 == 0 {
            seen.world.place().await;
        }
        seen.world.clock.step(6, 10_000).await;
    }
    assert!(captured.len() >= 2, "never re-wrapped");
    assert!(most <= 9, "{most} keys at once");
    assert_eq!(seen.world.order(order.id).await.status, Status::Completed);
    let now: Vec<EpochKey> = seen.world.keyring.epochs().await.unwrap().into_iter().map(|(_, key)| key).collect();
    assert_eq!(opened(&now, &captured), 0, "a key in the keyring still opens what was captured");
    assert_eq!(opened(&stolen, &captured), captured.len(), "positive control: the destroyed keys did");
    seen.assert_purged(order.id).await;
    seen.world.stop().await;
}

/// A view with markers wherever content can be.
fn marked_view() -> OrderView {
    OrderView {
        id: OrderId(5),
        status: Status::OtpReceived,
        state: smscode_core::order::State::Received,
        created_at: smscode_core::time::Timestamp::EPOCH,
        product: 1,
        umbrella: 1,
        country: 6,
        service: "wa".into(),
        price: smscode_core::money::Money::new(1, smscode_core::money::Currency::Idr),
        phone: Some(PHONE.into()),
        code: Some(CODE.into()),
        text: Some(TEXT.into()),
        revision: 1,
        first_sms_at: None,
        expires_at: None,
        cancel_scheduled_at: None,
        ended_at: None,
        purged_at: None,
        failed_reason: None,
        awaiting_more: false,
        sequence: 1,
        actions: smscode_core::order::Actions::default(),
    }
}

#[test]
fn debug_and_display_print_no_content() {
    let sms = SupplierSms {
        id: Some("marker-id".into()),
        sender: Some(SENDER.into()),
        text: TEXT.into(),
        code: Some(CODE.into()),
        at: None,
    };
    let activation = Activation {
        id: ActivationId("marker-activation".into()),
        phone: PHONE.into(),
        cost: None,
        window_seconds: None,
        reference: None,
        country: Some(6),
        service: Some("wa".into()),
        state: ActivationState::Received(vec![sms.clone()]),
    };
    let view = marked_view();
    let token = Token::read("markertokenmarkertokenmarkertok1").unwrap();
    let supply: smscode_core::order::supply::SupplyRecord = serde_json::from_value(serde_json::json!({
        "v": 1, "supplier": "alpha", "activation": "marker-activation", "country": 6, "service": "wa",
        "cost_minor": null, "currency": "USD", "created_at": 0, "state": "open"
    }))
    .unwrap();
    let wanted = World::keyed(KEY, "create/v1", REQUEST);
    let body = smscode_core::store::Body::from_text(&serde_json::to_string(&TEXT).unwrap()).unwrap();
    let account = smscode_core::account::AccountId::from_bytes(*b"markeraccount-id");
    let outcome = ItemOutcome::Settled(view.clone());
    let placed = smscode_core::order::Placed {
        items: vec![smscode_core::order::PlacedItem { order: OrderId(5), outcome: outcome.clone() }],
        replayed: false,
    };
    let explained =
        smscode_core::order::Explanation { order: view.clone(), steps: Vec::new(), next: None, allowed: Vec::new() };
    let printed = [
        format!("{sms:?}"),
        format!("{activation:?}{:?}{:?}", activation.id, activation.state),
        format!("{:?}", BuyOutcome::Accepted(activation.clone())),
        format!("{view:?}{outcome:?}{placed:?}{explained:?}"),
        format!("{token:?}"),
        format!("{wanted:?}{:?}", wanted.idempotency),
        format!("{body:?}"),
        format!("{account:?}{:?}", order_key(account, OrderId(5))),
        format!("{supply:?}"),
        format!("{:?}", EpochKey::new(*b"markerkeymarkerkeymarkerkeymarke")),
    ];
    for text in printed {
        assert!(!text.is_empty());
        let lower = text.to_lowercase();
        for marker in [PHONE, CODE, "zebra", "marker", "6d61726b6572"] {
            assert!(!lower.contains(marker), "{marker} in {text}");
        }
    }
}

/// Keeps everything that is logged, with all fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl tracing::field::Visit for Line<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut Line(&mut self.0.lock().unwrap()));
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut log = self.0.lock().unwrap();
        log.push_str(event.metadata().level().as_str());
        event.record(&mut Line(&mut log));
        log.push('\n');
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn logs_of_good_and_bad_days_hold_no_content() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let seen = Seen::new(Settings::default(), 300).await;
    let order = seen.placed().await;
    for _ in 0..12 {
        seen.read(&order).await;
    }
    // the same number again, an answer that is lost, a refusal, a call not sent
    seen.world.supplier().plan([Buy::Number(PHONE), Buy::SellSilently, Buy::NotSent, Buy::Number("79991234567")]);
    for _ in 0..4 {
        seen.world.place_orders(World::whatsapp()).await.unwrap();
    }
    seen.world.supplier().script.lock().unwrap().poll_fails = true;
    seen.world.supplier().script.lock().unwrap().cancel =
        Some(smscode_core::port::CancelOutcome::Refused("scripted".into()));
    let other = seen.world.place().await;
    let _ = seen.world.cancel(other.id).await;
    seen.world.clock.advance(400).await;
    seen.world.supplier().script.lock().unwrap().poll_fails = false;
    seen.world.clock.advance(200).await;
    let phones: Vec<String> = seen.world.supplier().sold().into_iter().map(|sold| sold.phone).collect();
    drop(seen.world.crash().await);
    drop(guard);
    let log = log.0.lock().unwrap().clone();
    for expected in
        ["a number is given back", "a purchase had no clear answer", "a purchase was not sent", "not decided yet"]
    {
        assert!(log.contains(expected), "positive control: {expected} in\n{log}");
    }
    let token = seen.token.reveal();
    for marker in [PHONE, CODE, "zebra", SENDER, KEY, REQUEST, "79991234567", token] {
        assert!(!log.contains(marker), "{marker} is logged");
    }
    for phone in phones {
        assert!(!log.contains(&phone), "a number is logged");
    }
}

/// SMS-2 for what comes too late: by a poll under way when the order was cancelled, and at the supplier after the expiry.
/// Counted, told without content, and in no store and no log.
#[tokio::test]
async fn u12_the_content_of_a_late_sms_is_nowhere() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let seen = Seen::new(Settings::default(), 60).await;
    let (world, order) = (&seen.world, seen.placed().await);
    world.supplier().script(|script| {
        script.poll_ms = 5_000;
        script.cancel = Some(CancelOutcome::Cancelled);
    });
    let sms = || SupplierSms { sender: Some(SENDER.into()), text: TEXT.into(), ..SupplierSms::default() };
    world.supplier().deliver_sms(PHONE, sms());
    world.clock.advance(4).await;
    assert_eq!(world.cancel(order.id).await.unwrap().status, Status::Canceled);
    world.clock.advance(10).await;
    assert_eq!(world.events(order.id).await.last().map(String::as_str), Some("order.late_sms"));
    world.assert_postings(order.id, &[Hold, Release]).await;

    world.supplier().script(|script| {
        script.poll_ms = 0;
        script.cancel = Some(CancelOutcome::TooEarly);
    });
    let expired = world.place().await;
    world.clock.advance(62).await;
    let phone = expired.phone.clone().unwrap();
    world.supplier().deliver_sms(&phone, sms());
    world.supplier().script(|script| script.cancel = None);
    world.clock.advance(60).await;
    assert_eq!(world.order(expired.id).await.status, Status::Expired);
    assert_eq!(world.platform.health().await.late_sms, 2);
    seen.assert_sealed("after late SMS");
    world.assert_postings(expired.id, &[Hold, Release]).await;
    seen.world.stop().await;
    drop(guard);
    let log = log.0.lock().unwrap().clone();
    assert!(log.contains("SMS came after the end"), "positive control");
    for marker in [PHONE, CODE, "zebra", SENDER, &phone] {
        assert!(!log.contains(marker), "{marker} is logged");
    }
}
