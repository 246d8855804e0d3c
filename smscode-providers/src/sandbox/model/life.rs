//! What happens to activations by themselves: SMS, ends, and what follows an end.

use std::collections::VecDeque;

use smscode_core::port::Entropy;
use smscode_core::time::Timestamp;

use super::super::scenario::{Moment, Scenario};
use super::super::stock;
use super::chance::{code_in, code_text, odd_text, plain_text};
use super::terms::{Arrival, Due, Message, Stage};
use super::{ARRIVALS_LIMIT, CLOSED_LIMIT, Model};

impl Model {
    /// What happens by itself while it is open.
    pub(super) fn schedule(
        &self,
        now: Timestamp,
        scenario: Scenario,
        entropy: &dyn Entropy,
    ) -> VecDeque<(Timestamp, Due)> {
        let settings = &self.settings;
        let first = now.plus_ms(settings.code_after_ms);
        let code = || Due::Sms(code_text(entropy));
        match scenario {
            Scenario::Ordinary | Scenario::SilentRefund | Scenario::LateSms => [(first, code())].into(),
            Scenario::CodeNow => [(now, code())].into(),
            Scenario::CodeLater | Scenario::ServerErrorCharged | Scenario::Garbled | Scenario::StatusNoise => {
                [(now.plus_ms(settings.later_after_ms), code())].into()
            }
            Scenario::TimeoutCharged | Scenario::Slow => [(now.plus_ms(settings.late_after_ms), code())].into(),
            Scenario::TwoSms => [(first, code()), (first.plus_ms(settings.second_after_ms), code())].into(),
            Scenario::TwoAtOnce => [(first, code()), (first, code())].into(),
            Scenario::TextOnly => [(first, Due::Sms(plain_text(entropy)))].into(),
            Scenario::OddForm => [(first, Due::Sms(odd_text(entropy)))].into(),
            Scenario::SupplierEnds => [(now.plus_ms(settings.ends_after_ms), Due::Ends)].into(),
            Scenario::Manual
            | Scenario::NoSms
            | Scenario::SoldOut
            | Scenario::PriceAbove
            | Scenario::CancelEarly
            | Scenario::TimeoutUncharged
            | Scenario::ServerErrorUncharged
            | Scenario::DuplicateNumber
            | Scenario::WrongCountry
            | Scenario::ChargedAbove
            | Scenario::CancelRefused
            | Scenario::CancelSham
            | Scenario::CancelLost
            | Scenario::CancelSmsWon
            | Scenario::SmsAfterCancel
            | Scenario::SmsAfterExpiry
            | Scenario::Clawback
            | Scenario::SupplierDies => VecDeque::new(),
        }
    }

    /// Lets everything happen that is due by now.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, id));
            while let Some((due, what)) = self.next_of(id, at) {
                self.happen(id, due, what);
            }
            if self.activations.get(&id).is_some_and(|activation| activation.ends_at <= at) {
                self.run_out(id, at);
            }
        }
    }

    fn next_of(&mut self, id: u64, at: Timestamp) -> Option<(Timestamp, Due)> {
        self.activations.get_mut(&id)?.due.pop_front_if(|(due, _)| *due <= at)
    }

    fn happen(&mut self, id: u64, at: Timestamp, what: Due) {
        let Some(activation) = self.activations.get_mut(&id) else { return };
        let (is_open, cost) = (activation.stage.is_open(), activation.cost.minor);
        match what {
            Due::Sms(text) if is_open => self.receive(id, at, text),
            Due::Ends if is_open => self.close(id, Stage::Cancelled, at),
            Due::Sms(_) | Due::Ends => {}
            Due::LateSms(text) => {
                let code = code_in(&text);
                activation.messages.push(Message { at, text, code });
                let message = activation.messages.len() - 1;
                self.balance_minor -= cost;
                self.arrived(Arrival { id, message });
            }
            Due::Charged => self.balance_minor -= cost,
            Due::Refunded => self.balance_minor += cost,
        }
    }

    pub(super) fn receive(&mut self, id: u64, at: Timestamp, text: String) {
        let Some(activation) = self.activations.get_mut(&id) else { return };
        let code = code_in(&text);
        activation.messages.push(Message { at, text, code });
        activation.stage = Stage::Received;
        let message = activation.messages.len() - 1;
        self.arrived(Arrival { id, message });
    }

    fn arrived(&mut self, arrival: Arrival) {
        if self.arrivals.len() >= ARRIVALS_LIMIT {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(arrival);
    }

    /// The SMS that have arrived since this was asked last, oldest first; late ones too.
    pub fn take_arrivals(&mut self) -> Vec<Arrival> {
        self.arrivals.drain(..).collect()
    }

    /// Until when nothing is answered, if so it is now.
    pub fn silent_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.dead.filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| until)
    }

    /// The window of an activation is over.
    pub(super) fn run_out(&mut self, id: u64, at: Timestamp) {
        if let Some(activation) = self.activations.get(&id).filter(|activation| activation.stage.is_open()) {
            let paid = !activation.messages.is_empty();
            self.close(id, if paid { Stage::Finished } else { Stage::Cancelled }, at);
        }
    }

    pub(super) fn close(&mut self, id: u64, stage: Stage, at: Timestamp) {
        let later = at.plus_ms(self.settings.aftermath_ms);
        let Some(activation) = self.activations.get_mut(&id) else {
            return;
        };
        activation.stage = stage;
        activation.due.clear();
        if stage == Stage::Cancelled {
            self.balance_minor += activation.cost.minor;
        }
        self.agenda.remove(&(activation.ends_at, id));
        let aftermath = match (activation.scenario, stage) {
            (Scenario::SmsAfterCancel | Scenario::SmsAfterExpiry, Stage::Cancelled) => {
                Some(Due::LateSms(stock::LATE_TEXT.to_owned()))
            }
            (Scenario::Clawback, Stage::Cancelled) => Some(Due::Charged),
            (Scenario::SilentRefund, Stage::Finished) => Some(Due::Refunded),
            _ => None,
        };
        if let Some(what) = aftermath {
            activation.due.push_back((later, what));
            self.agenda.insert((later, id));
        }
        self.open.remove(&id);
        self.to_spoil.remove(&id);
        self.open_by_phone.remove(&(activation.phone.clone(), id));
        if let Some(open) = self.open_by_pair.get_mut(&(activation.country, activation.service.clone())) {
            *open = open.saturating_sub(1);
        }
        self.closed.push_back(id);
        while self.closed.len() > CLOSED_LIMIT {
            let forgotten = self.closed.pop_front().and_then(|id| self.activations.remove(&id));
            if let Some(reference) = forgotten.and_then(|activation| activation.reference) {
                self.by_reference.remove(&reference);
            }
        }
    }

    /// What a call about this activation is, for [`Scenario::fault`]. `None` if there is none.
    pub fn moment_of_cancel(&mut self, now: Timestamp, id: u64) -> Option<(Scenario, Moment)> {
        self.advance(now);
        let activation = self.activations.get(&id).filter(|activation| now >= activation.cancel_from)?;
        Some((activation.scenario, Moment::Cancel { again: !activation.stage.is_open() }))
    }

    /// The same of a read, of one or of the list, if it is to be spoilt; counts it then.
    pub fn moment_of_read(&mut self, now: Timestamp, id: Option<u64>) -> Option<(Scenario, Moment)> {
        self.advance(now);
        let spoilt = |id: &u64| {
            let found = self.activations.get(id);
            found.is_some_and(|one| one.scenario.spoils_reads_of_nothing() || !one.messages.is_empty())
        };
        let id = match id {
            Some(id) => self.to_spoil.get(&id).filter(|id| spoilt(id)).copied(),
            None => self.to_spoil.iter().find(|id| spoilt(id)).copied(),
        }?;
        let activation = self.activations.get_mut(&id)?;
        let before = activation.spoilt;
        activation.spoilt += 1;
        if activation.spoilt >= activation.scenario.spoilt_reads() {
            self.to_spoil.remove(&id);
        }
        Some((activation.scenario, Moment::Read { before }))
    }
}
