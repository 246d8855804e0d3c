//! What a supplier's answers make of a purchase, what is booked of it, and which activations are orphans.

use std::collections::BTreeSet;

use super::super::orphan::{WatchRecord, orphans};
use super::super::supply::{
    BY_SUPPLY_DUE, BY_SUPPLY_STUCK, Booked, Heard, SupplyRecord, SupplyState, TELL_PAUSES_SECONDS, coarse,
};
use super::{ACTIVATION, REFERENCE, at};
use crate::money::Currency;
use crate::port::{Activation, ActivationId};
use crate::store::{Amount, House, Kind, Place, TransferKind};

const KEY: [u8; 32] = [9; 32];

fn purchase(state: SupplyState) -> SupplyRecord {
    SupplyRecord {
        v: 1,
        supplier: "alpha".into(),
        activation: ACTIVATION.into(),
        country: 6,
        service: "wa".into(),
        cost_minor: Some(100_000),
        cost_assumed: false,
        currency: Currency::Usd,
        created_at: at(0),
        state,
        due_at: Some(at(0)),
        tries: 0,
        orphan: false,
        served: false,
        kept: false,
        booked: None,
    }
}

#[test]
fn what_answers_make_of_a_purchase() {
    use Heard::*;
    use SupplyState::*;
    // before, kept before, answer, kept now: after, what is to be booked of one that served nobody
    let cases = [
        (Finishing, false, Done, false, Finished, Some(Booked::Loss)),
        (Finishing, false, Over, false, Ended, Some(Booked::Loss)),
        (Finishing, false, Again, false, Finishing, None),
        (Cancelling, false, Done, false, Cancelled, Some(Booked::Nothing)),
        (Cancelling, false, Over, false, Cancelled, Some(Booked::Nothing)),
        (Cancelling, false, Over, true, Ended, Some(Booked::Loss)),
        (Cancelling, true, Over, false, Ended, Some(Booked::Loss)),
        (Cancelling, true, Done, false, Cancelled, Some(Booked::Nothing)),
        (Cancelling, false, Again, true, Cancelling, None),
        (Cancelling, false, Sms, true, Finishing, None),
        (Finishing, true, Sms, true, Finishing, None),
        (Finishing, true, Done, false, Finished, Some(Booked::Loss)),
    ];
    for (before, kept, heard, says_kept, after, booked) in cases {
        let mut record = SupplyRecord { kept, ..purchase(before) };
        record.hear(heard, says_kept, at(70));
        let told = (record.state, record.kept, record.outcome());
        assert_eq!(told, (after, kept || says_kept, booked), "{before:?} {kept} {heard:?} {says_kept}");
        let mut served = SupplyRecord { kept, served: true, ..purchase(before) };
        served.hear(heard, says_kept, at(70));
        assert_eq!(served.outcome(), booked.map(|_| Booked::Cost), "{before:?} {heard:?}: an SMS is paid for");
    }
}

#[test]
fn a_supplier_that_does_not_listen_is_told_so_often() {
    for state in [SupplyState::Finishing, SupplyState::Cancelling] {
        let mut record = purchase(state);
        for pause in TELL_PAUSES_SECONDS {
            record.hear(Heard::Again, false, at(100));
            assert_eq!((record.state, record.due_at), (state, Some(at(100 + pause))));
        }
        record.hear(Heard::Again, false, at(100));
        assert_eq!((record.state, record.outcome()), (SupplyState::GivenUp, Some(Booked::Loss)));
    }
}

#[test]
fn due_exactly_while_something_is_to_be_told_or_booked() {
    use SupplyState::*;
    for (state, served, due) in [
        (Open, false, false),
        (Finishing, true, true),
        (Cancelling, false, true),
        (Finished, true, true),
        (Ended, false, true),
        (GivenUp, false, true),
        (Cancelled, false, false),
    ] {
        let mut record = SupplyRecord { served, ..purchase(Open) };
        record.move_to(state, at(59));
        assert_eq!(record.due_at, due.then_some(coarse(at(59))), "{state:?}");
        assert_eq!(record.booked, (state == Cancelled).then_some(Booked::Nothing), "{state:?}");
        let places = |index: Kind| record.terms().iter().filter(|term| term.index == index).count();
        assert_eq!(places(BY_SUPPLY_DUE), usize::from(due), "{state:?}");
        assert_eq!(places(BY_SUPPLY_STUCK), usize::from(state == GivenUp), "{state:?}: an operator's");
        record.book(&KEY);
        assert_eq!(record.due_at.is_some(), due && !state.is_over(), "{state:?}: booked is done");
    }
}

#[test]
fn what_is_booked() {
    let booked = |change: &dyn Fn(&mut SupplyRecord)| {
        let mut record = purchase(SupplyState::Ended);
        change(&mut record);
        record.book(&KEY)
    };
    let loss = booked(&|_| {}).unwrap();
    assert_eq!((loss.kind, &loss.amount), (TransferKind::Cost, &Amount::Exact(100_000)));
    assert_eq!((&loss.debit, loss.currency), (&Place::House(House::float("alpha")), Currency::Usd));
    assert_eq!((&loss.credit, &*loss.reason), (&Place::House(House::loss("alpha")), "no_sms_delivered"));
    let orphan = booked(&|record| record.orphan = true).unwrap();
    assert_eq!((&orphan.credit, &*orphan.reason), (&Place::House(House::loss("alpha")), "orphan"));
    let cost = booked(&|record| record.served = true).unwrap();
    assert_eq!((&cost.credit, &*cost.reason), (&Place::House(House::cost("alpha")), "sms_delivered"));
    // the same activation has the same id whatever is booked of it; another one another
    assert!(loss.id == cost.id && loss.id == orphan.id);
    assert_ne!(loss.id, booked(&|record| record.activation.push('0')).unwrap().id);
    assert_ne!(loss.id, booked(&|record| record.supplier = "beta".into()).unwrap().id);
    let text = format!("{loss:?}{}", String::from_utf8_lossy(&loss.id.0));
    assert!(!text.contains(ACTIVATION), "a transfer leads to the activation");
    // nothing moves, and it is settled all the same
    let changes: [fn(&mut SupplyRecord); 3] = [
        |record| record.cost_minor = None,
        |record| record.cost_minor = Some(0),
        |record| record.state = SupplyState::Cancelled,
    ];
    for change in changes {
        let mut record = purchase(SupplyState::Ended);
        change(&mut record);
        assert!(record.book(&KEY).is_none());
        assert!(record.booked.is_some() && record.due_at.is_none());
    }
    let mut open = purchase(SupplyState::Open);
    assert!(open.book(&KEY).is_none() && open.booked.is_none());
}

fn listed(id: &str, reference: Option<&str>, pair: Option<(u16, &str)>) -> Activation {
    Activation {
        reference: reference.map(str::to_owned),
        country: pair.map(|(country, _)| country),
        service: pair.map(|(_, service)| service.to_owned()),
        ..Activation::new(ActivationId(id.into()), "6281234567890".into())
    }
}

fn watch(reference: Option<&str>, pair: (u16, &str)) -> WatchRecord {
    WatchRecord::new("alpha", pair, reference.map(str::to_owned), at(0))
}

#[test]
fn which_activations_are_orphans() {
    let wa = Some((6, "wa"));
    let list = [
        listed("known", None, wa),
        listed("ours", Some(REFERENCE), wa),
        listed("somebody-elses", Some("ffff"), wa),
        listed("like-ours", None, Some((6, "WA"))),
        listed("like-ours-too", None, wa),
        listed("another-pair", None, Some((6, "tg"))),
        listed("another-country", None, Some((0, "wa"))),
        listed("says-nothing", None, None),
    ];
    let find = |watches: &[WatchRecord], pending: &[(u16, &str)]| -> Vec<&str> {
        let pending: BTreeSet<(u16, String)> = pending.iter().map(|(c, s)| (*c, (*s).to_owned())).collect();
        let found = orphans(&list, watches, |one| one.id.0 == "known", &pending);
        found.into_iter().map(|(at, _)| &*list[at].id.0).collect()
    };
    let ours = || watch(Some(REFERENCE), (6, "wa"));
    let other = || watch(Some("0000"), (6, "wa"));
    type Case<'a> = (&'a str, Vec<WatchRecord>, &'a [(u16, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        ("nothing is watched", vec![], &[], &[]),
        ("a reference", vec![ours()], &[], &["ours"]),
        ("a reference, whatever is pending", vec![ours()], &[(6, "wa")], &["ours"]),
        ("a likeness; one watch explains one", vec![other()], &[], &["like-ours"]),
        ("the reference takes its own watch", vec![other(), ours()], &[], &["ours", "like-ours"]),
        ("as many as there are watches", vec![other(), other(), other()], &[], &["like-ours", "like-ours-too"]),
        ("open orders come first", vec![other()], &[(6, "wa")], &[]),
        ("without its key's reference", vec![watch(None, (6, "tg"))], &[(6, "wa")], &["another-pair"]),
    ];
    for (name, watches, pending, expected) in cases {
        assert_eq!(find(&watches, pending), expected, "{name}");
    }
}

#[test]
fn lists_are_read_often_at_first() {
    let watch = watch(None, (6, "wa"));
    assert_eq!(watch.until, at(86_400));
    for (age, pause_ms) in [(0, 60_000), (599, 60_000), (600, 300_000), (86_000, 300_000)] {
        assert_eq!(watch.pause_ms(at(age)), pause_ms, "{age}");
    }
}
