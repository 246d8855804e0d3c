//! U1, U2, U6, U21, U28: which supplier gets a purchase, at what price, and who is left alone.

use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{ItemOutcome, OrderError, PlaceOrders, Policy, Quote, QuoteId, Wanted};
use smscode_core::port::Rejection;
use smscode_core::routing::{BreakerState, RoutingError, Standing};
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, COST, MONEY, PRICE, TestSupplier, World};

fn standing(health: &smscode_core::Health, name: &str) -> Standing {
    health.suppliers.iter().find(|supplier| supplier.name == name).unwrap().standing
}

async fn standings(world: &World) -> Vec<Standing> {
    let health = world.platform.health().await;
    world.suppliers.iter().map(|supplier| standing(&health, supplier.name)).collect()
}

fn asked(supplier: &TestSupplier) -> usize {
    supplier.script.lock().unwrap().requests.len()
}

fn set_cost(supplier: &TestSupplier, cost: i64) {
    for offer in &mut supplier.script.lock().unwrap().offers {
        offer.cost = Money::new(cost, Currency::Usd);
    }
}

fn rejection(outcome: &ItemOutcome) -> &OrderError {
    match outcome {
        ItemOutcome::Rejected(error) => error,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn u1_a_supplier_that_fails_is_left_alone_and_tried_again() {
    let world = World::with(2, Settings::default()).await;
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    alpha.plan(vec![Buy::NotSent; 6]);
    for n in 1..=5 {
        let order = world.place().await;
        assert_eq!((asked(alpha), beta.sold().len()), (n, n), "the next one sells");
        world.assert_postings(order.id, &[Hold]).await;
    }
    world.clock.step(1, 250).await;
    assert_eq!(standings(&world).await, [Standing::Resting, Standing::Selling]);
    let catalogue = world.platform.catalogue();
    let shown: Vec<_> = catalogue.offers(6, "wa").iter().map(|product| product.supplier.clone()).collect();
    assert_eq!(shown, ["beta"], "its offers are sold out");
    world.place().await;
    assert_eq!(asked(alpha), 5, "it has its rest");
    // one purchase after the pause, which fails: twice the pause
    world.clock.advance(11).await;
    assert_eq!(standings(&world).await, [Standing::Probing, Standing::Selling]);
    world.place().await;
    world.clock.advance(19).await;
    world.place().await;
    assert_eq!(asked(alpha), 6);
    world.clock.advance(2).await;
    let order = world.place().await;
    assert_eq!((asked(alpha), alpha.sold().len()), (7, 1));
    assert_eq!(standings(&world).await, [Standing::Selling, Standing::Selling]);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u1_of_one_that_is_tried_again_others_are_not_asked_too() {
    let world = World::with(2, Settings::default()).await;
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    alpha.plan(vec![Buy::NotSent; 5]);
    let many = PlaceOrders::many(World::whatsapp().wanted, 5);
    world.place_orders(many.clone()).await.unwrap();
    world.clock.advance(11).await;
    alpha.script.lock().unwrap().answer_ms = 2_000;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, many).await });
    world.clock.advance(3).await;
    let placed = call.await.unwrap().unwrap();
    assert_eq!((asked(alpha), beta.sold().len()), (6, 5 + 4), "one at a time");
    for item in &placed.items {
        assert!(matches!(item.outcome, ItemOutcome::Settled(_)));
        world.assert_postings(item.order, &[Hold]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u1_alone_and_at_rest_nothing_is_charged() {
    let world = World::new().await;
    world.supplier().plan(vec![Buy::Reject(Rejection::Credentials); 5]);
    let product = world.platform.catalogue().offers(6, "wa")[0].id;
    for _ in 0..5 {
        let placed = world.place_orders(World::whatsapp()).await.unwrap();
        assert_eq!(*rejection(&placed.items[0].outcome), OrderError::Supplier { cause: "provider_unavailable" });
        world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    }
    world.clock.step(1, 250).await;
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "no_offer");
    let slot = PlaceOrders::one(Wanted::Product(product));
    assert_eq!(world.place_orders(slot).await.unwrap_err().code(), "supplier");
    assert_eq!((asked(world.supplier()), world.available().await), (5, MONEY));
    world.assert_balanced().await;
    world.stop().await;
}

#[tokio::test]
async fn u1_no_numbers_is_no_failure_and_not_sold_rests_the_pair_alone() {
    let world = World::with(2, Settings::default()).await;
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    let refused = [Rejection::NoNumbers, Rejection::PriceAboveCeiling(None)];
    alpha.plan(refused.iter().cycle().take(20).cloned().map(Buy::Reject));
    for _ in 0..20 {
        world.place().await;
    }
    assert_eq!((asked(alpha), beta.sold().len()), (20, 20));
    assert_eq!(standings(&world).await, [Standing::Selling; 2]);
    alpha.plan([Buy::Reject(Rejection::NotSold)]);
    world.place().await;
    world.place().await;
    assert_eq!((asked(alpha), beta.sold().len()), (21, 22), "not asked for this pair again");
    let other = PlaceOrders::one(Wanted::Pair { country: 6, service: "tg".into() });
    let order = world.place_orders(other).await.unwrap().single().unwrap();
    assert_eq!(alpha.sold().len(), 1, "another pair is sold");
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

/// A supplier by how it has delivered, two orders each.
async fn ended(world: &World, supplier: &TestSupplier, delivers: bool) {
    for _ in 0..4 {
        let wanted = PlaceOrders { prefer_supplier: Some(supplier.name.into()), ..World::whatsapp() };
        let order = world.place_orders(wanted).await.unwrap().single().unwrap();
        if delivers {
            supplier.deliver(order.phone.as_ref().unwrap(), None, "415127");
            world.clock.advance(4).await;
            world.finish(order.id).await.unwrap();
            world.assert_postings(order.id, &[Hold, Capture]).await;
        } else {
            world.clock.advance(121).await;
            world.cancel(order.id).await.unwrap();
            world.assert_postings(order.id, &[Hold, Release]).await;
        }
    }
}

#[tokio::test]
async fn u1_policies_choose_the_first_supplier_and_the_next() {
    let world = World::with(3, Settings::default()).await;
    let [alpha, beta, gamma] = [&world.suppliers[0], &world.suppliers[1], &world.suppliers[2]];
    set_cost(beta, COST + 1_000);
    set_cost(gamma, COST + 2_000);
    world.clock.advance(61).await;
    ended(&world, alpha, false).await;
    ended(&world, gamma, true).await;
    let health = world.platform.health().await;
    let deliveries: Vec<_> =
        health.suppliers.iter().map(|supplier| (supplier.deliveries.delivered, supplier.deliveries.ended)).collect();
    assert_eq!(deliveries, [(0, 4), (0, 0), (4, 4)]);
    let sold = || [alpha, beta, gamma].map(|supplier| supplier.sold().len());
    assert_eq!(sold(), [4, 0, 4]);
    world.place().await;
    assert_eq!(sold(), [5, 0, 4], "cheapest");
    let best = PlaceOrders { policy: Policy::BestSuccess, ..World::whatsapp() };
    world.place_orders(best.clone()).await.unwrap();
    assert_eq!(sold(), [5, 0, 5], "the best delivery");
    // the next one by the same policy, never above the order's price
    gamma.plan([Buy::Reject(Rejection::NoNumbers)]);
    let order = world.place_orders(best).await.unwrap().single().unwrap();
    assert_eq!(sold(), [5, 1, 5], "the next best");
    let dearest = order.price;
    assert!(dearest.minor > PRICE, "the price of the first offer stays");
    beta.plan([Buy::Reject(Rejection::NoNumbers)]);
    let preferred = PlaceOrders { prefer_supplier: Some("beta".into()), ..World::whatsapp() };
    world.place_orders(preferred).await.unwrap();
    assert_eq!(sold(), [6, 1, 5], "gamma is above the order's price");
    let ceilings = beta.script.lock().unwrap().requests.iter().map(|request| request.ceiling.minor).max();
    assert!(ceilings.is_some_and(|ceiling| ceiling >= COST + 1_000));
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u21_a_drained_supplier_gets_no_purchases_and_everything_else() {
    let world = World::with(2, Settings::default()).await;
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    let (mine, other) = (world.place().await, world.place().await);
    let platform = &world.platform;
    let unknown = platform.drain_supplier("nobody", true, "operator:anna").await.unwrap_err();
    assert_eq!(unknown, RoutingError::UnknownSupplier("nobody".into()));
    assert_eq!(platform.drain_supplier("alpha", true, "").await.unwrap_err().code(), "actor");
    platform.drain_supplier("alpha", true, "operator:anna").await.unwrap();
    platform.drain_supplier("alpha", true, "operator:anna").await.unwrap();
    // at once, also before its offers are hidden
    world.place().await;
    assert_eq!((asked(alpha), asked(beta)), (2, 1));
    world.clock.step(1, 250).await;
    assert_eq!(world.platform.catalogue().offers(6, "wa").len(), 1);
    // what is open goes on
    alpha.deliver(mine.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(121).await;
    assert_eq!(world.order(mine.id).await.code.as_deref(), Some("415127"));
    world.cancel(other.id).await.unwrap();
    world.finish(mine.id).await.unwrap();
    world.clock.advance(3).await;
    assert!(alpha.sold()[0].finished && alpha.sold()[1].cancelled);
    world.assert_postings(mine.id, &[Hold, Capture]).await;
    world.assert_postings(other.id, &[Hold, Release]).await;
    // and it outlives the process
    let world = world.reborn(5, Settings::default()).await;
    assert_eq!(standings(&world).await, [Standing::Drained, Standing::Selling]);
    let health = world.platform.health().await;
    assert!(health.suppliers[0].drained && health.suppliers[0].breaker == BreakerState::Closed);
    world.platform.drain_supplier("alpha", false, "operator:anna").await.unwrap();
    world.clock.step(1, 250).await;
    let order = world.place().await;
    assert_eq!(asked(&world.suppliers[0]), 3);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u1_without_money_at_a_supplier_it_gets_no_purchases_until_there_is_some() {
    let mut settings = Settings::default();
    settings.low_balances.insert("alpha".into(), 5 * COST);
    let world = World::with(2, settings).await;
    let (alpha, beta) = (&world.suppliers[0], &world.suppliers[1]);
    let of_alpha = |health: smscode_core::Health| health.suppliers.into_iter().next().unwrap();
    let health = of_alpha(world.platform.health().await);
    assert_eq!(health.balance.map(|(money, _)| money.minor), Some(1_000_000_000));
    assert!(!health.low_balance);
    alpha.script.lock().unwrap().balance = Some(5 * COST - 1);
    world.clock.step(301, 1_000).await;
    assert!(of_alpha(world.platform.health().await).low_balance);
    let order = world.place().await;
    assert_eq!(asked(alpha), 1, "low is not empty");
    alpha.plan([Buy::Reject(Rejection::NoFunds)]);
    let next = world.place().await;
    world.clock.step(1, 250).await;
    assert_eq!(standings(&world).await, [Standing::OutOfFunds, Standing::Selling]);
    world.place().await;
    assert_eq!((asked(alpha), asked(beta)), (2, 2));
    // a read that is not enough changes nothing; it is read twice a minute meanwhile
    let before = alpha.script.lock().unwrap().balances;
    world.clock.advance(65).await;
    assert!((2..=4).contains(&(alpha.script.lock().unwrap().balances - before)));
    assert_eq!(standings(&world).await[0], Standing::OutOfFunds);
    alpha.script.lock().unwrap().balance = Some(50 * COST);
    world.clock.advance(32).await;
    assert_eq!(standings(&world).await[0], Standing::Selling);
    let last = world.place().await;
    assert_eq!(asked(alpha), 3);
    for id in [order.id, next.id, last.id] {
        world.assert_postings(id, &[Hold]).await;
    }
    world.stop().await;
}

fn quoted(quote: &Quote) -> PlaceOrders {
    PlaceOrders { quote: Some(quote.id.clone()), ..World::whatsapp() }
}

#[tokio::test]
async fn u2_a_quote_holds_for_a_minute_whatever_is_on_offer() {
    let settings = Settings { offers_every_ms: 5_000, ..Settings::default() };
    let world = World::with(2, settings).await;
    let quote = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    assert_eq!((quote.price.minor, quote.country, quote.service.as_str()), (PRICE, 6, "wa"));
    assert_eq!(quote.expires_at, world.platform.now().plus_seconds(60));
    // all become dearer; alpha still has some at the old price
    for supplier in &world.suppliers {
        set_cost(supplier, 2 * COST);
    }
    world.clock.advance(59).await;
    let dearer = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    assert_eq!(dearer.price.minor, 2 * PRICE);
    let order = world.place_orders(quoted(&quote)).await.unwrap().single().unwrap();
    assert_eq!(order.price.minor, PRICE);
    let request = world.supplier().sold()[0].request.clone();
    assert_eq!(request.ceiling.minor, COST, "the supplier gets no more than the quote allows");
    world.assert_postings(order.id, &[Hold]).await;
    world.clock.advance(1).await;
    let late = world.place_orders(quoted(&quote)).await.unwrap_err();
    assert_eq!(late.code(), "quote_expired");
    world.assert_balanced().await;
    world.stop().await;
}

#[tokio::test]
async fn u2_nobody_sells_at_the_quoted_price() {
    let settings = Settings { offers_every_ms: 5_000, ..Settings::default() };
    let world = World::with(2, settings).await;
    let quote = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    for supplier in &world.suppliers {
        set_cost(supplier, 2 * COST);
    }
    world.clock.advance(6).await;
    assert_eq!(world.platform.catalogue().offers(6, "wa")[0].price.minor, 2 * PRICE);
    world.supplier().plan([Buy::Reject(Rejection::PriceAboveCeiling(None))]);
    let placed = world.place_orders(quoted(&quote)).await.unwrap();
    assert_eq!(*rejection(&placed.items[0].outcome), OrderError::Supplier { cause: "price_rejected" });
    assert_eq!(asked(&world.suppliers[1]), 0, "its offer is above the order's price");
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    // one that has become cheaper is charged as quoted, and one that is cheap enough is asked first
    set_cost(&world.suppliers[1], COST / 2);
    world.clock.advance(6).await;
    let order = world.place_orders(quoted(&quote)).await.unwrap().single().unwrap();
    assert_eq!((order.price.minor, world.suppliers[1].sold().len()), (PRICE, 1));
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u2_quotes_of_others_and_for_others_are_refused() {
    let world = World::new().await;
    let quote = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    let stranger = world.platform.open_account().await.unwrap();
    let product = world.platform.catalogue().offers(6, "wa")[0].clone();
    let refused = |wanted: PlaceOrders| async { world.place_orders(wanted).await.unwrap_err().code() };
    let foreign = world.platform.place_orders(stranger, quoted(&quote)).await.unwrap_err();
    assert_eq!(foreign.code(), "quote_foreign");
    let other = PlaceOrders { wanted: Wanted::Pair { country: 6, service: "tg".into() }, ..quoted(&quote) };
    assert_eq!(refused(other).await, "quote_other_thing");
    let slot = PlaceOrders { wanted: Wanted::Product(product.id), ..quoted(&quote) };
    assert_eq!(refused(slot.clone()).await, "quote_other_thing");
    let made_up = PlaceOrders { quote: Some(QuoteId::new("made-up")), ..World::whatsapp() };
    assert_eq!(refused(made_up).await, "quote_malformed");
    let dear = PlaceOrders { max_price: Some(Money::new(PRICE - 1, Currency::Idr)), ..quoted(&quote) };
    assert_eq!(refused(dear).await, "no_offer");
    let nobody = smscode_core::account::AccountId::from_bytes([9; 16]);
    let none = world.platform.quote(nobody, &World::whatsapp()).await.unwrap_err();
    assert_eq!(none, OrderError::AccountInactive);
    assert_eq!((asked(world.supplier()), world.available().await), (0, MONEY));
    // an umbrella is its pair, and a slot has a quote of its own
    let umbrella = PlaceOrders { wanted: Wanted::Umbrella(product.umbrella), ..quoted(&quote) };
    let order = world.place_orders(umbrella).await.unwrap().single().unwrap();
    let own = world.platform.quote(world.account, &PlaceOrders { quote: None, ..slot.clone() }).await.unwrap();
    assert_eq!(own.product, Some(product.id));
    let slot = PlaceOrders { quote: Some(own.id), ..slot };
    world.place_orders(slot).await.unwrap().single().unwrap();
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_replay_does_not_ask_whether_its_quote_still_holds() {
    let world = World::new().await;
    let quote = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    let call = quoted(&quote).with_key("k-1");
    let order = world.place_orders(call.clone()).await.unwrap().single().unwrap();
    world.clock.advance(61).await;
    let again = world.place_orders(call).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.single().unwrap().id, order.id);
    let other = PlaceOrders { quote: None, ..World::whatsapp() }.with_key("k-1");
    assert_eq!(world.place_orders(other).await.unwrap_err(), OrderError::KeyReused);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u28_a_quote_outlives_an_edited_markup_but_no_blocked_service() {
    let world = World::new().await;
    let quote = world.platform.quote(world.account, &World::whatsapp()).await.unwrap();
    let mut settings = Settings::default();
    settings.price_rule.markup_ppm = 900_000;
    let world = world.reborn(5, settings.clone()).await;
    world.supplier().plan([Buy::Cost(COST / 2)]);
    let order = world.place_orders(quoted(&quote)).await.unwrap().single().unwrap();
    assert_eq!(order.price.minor, PRICE);
    let ceiling = world.supplier().sold()[0].request.ceiling.minor;
    assert!(ceiling < COST, "{ceiling}: the new rule leaves the supplier less of it");
    settings.blocked_services.insert("wa".into());
    let world = world.reborn(5, settings).await;
    assert_eq!(world.place_orders(quoted(&quote)).await.unwrap_err().code(), "blocked_service");
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}
