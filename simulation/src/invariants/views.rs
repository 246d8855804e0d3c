//! What customers are shown: their own orders alone, content only of what is paid for, none after the end.

use std::sync::Arc;

use smscode_core::account::AccountId;
use smscode_core::order::OrderView;
use smscode_core::store::{Owner, TransferKind};

use crate::shop::read_mark;
use crate::world::{World, lock};

/// A customer sees an order, in answer to what was asked then.
pub(crate) fn seen(world: &Arc<World>, account: AccountId, view: &OrderView, asked_us: i64) {
    let now = world.timeline.now_us();
    let owner = Owner(account.bytes());
    let mut watch = lock(&world.watch);
    let Some(life) = watch.orders.get(&view.id).cloned() else {
        return watch.fail(now, Some(owner), format!("a customer sees {:?}, which nobody has placed", view.id));
    };
    let content = view.text.is_some() || view.code.is_some();
    let mut wrong = Vec::new();
    if life.owner != owner {
        wrong.push("is shown to somebody else");
    }
    if content && life.closed != Some(TransferKind::Capture) {
        wrong.push("shows an SMS and is not paid for");
    }
    if (content || view.phone.is_some()) && life.ended_us.is_some_and(|ended| ended <= asked_us) {
        wrong.push("shows number or SMS after its end");
    }
    if watch.is_gone(account, asked_us) {
        wrong.push("is shown after its account was deleted");
    }
    let marked = view.text.as_deref().and_then(read_mark);
    if content && marked.is_none_or(|id| life.activation.map(|(_, own)| own) != Some(id)) {
        wrong.push("shows an SMS of another number");
    }
    if let Some(phone) = view.phone.clone().filter(|_| life.ended_us.is_none())
        && let Some(other) = watch.phones.insert(phone, view.id).filter(|other| *other != view.id)
        && watch.open.contains(&other)
    {
        wrong.push("shows the number of another open order");
    }
    for what in wrong {
        watch.fail(now, Some(owner), format!("{:?} {what}", view.id));
    }
    if content && view.code.is_none() {
        drop(watch);
        world.hit("U15");
    }
}
