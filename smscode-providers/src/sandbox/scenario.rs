//! Scenarios: services with fixed codes that stand for what a supplier does. The one table of them, for the simulator and for
//! whoever sells its services.

use super::fault::{Fault, FaultReply};
use super::model::Settings;

/// How an activation behaves. Chosen by the service's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Any ordinary service: a code arrives shortly after the purchase, another one after each request for more.
    Ordinary,
    /// `sbx_code_now`: the code is there at once.
    CodeNow,
    /// `sbx_code_later`: the code takes its time.
    CodeLater,
    /// `sbx_manual`: only injected SMS arrive. The cheapest service of all.
    Manual,
    /// `sbx_two_sms`: a second SMS follows by itself, or sooner when it is asked for.
    TwoSms,
    /// `sbx_text_only`: the SMS has no code in it.
    TextOnly,
    /// `sbx_no_sms`: nothing arrives.
    NoSms,
    /// `sbx_sold_out`: listed, but no number can be bought.
    SoldOut,
    /// `sbx_price_above`: the price asked for is above every ceiling.
    PriceAbove,
    /// `sbx_cancel_early`: no SMS, and a cancel is refused for long.
    CancelEarly,
    /// `sbx_timeout_charged`: the number is sold, and the purchase is never answered. Its code comes late.
    TimeoutCharged,
    /// `sbx_timeout_uncharged`: nothing is sold, and the purchase is never answered.
    TimeoutUncharged,
    /// `sbx_server_error_charged`: the number is sold, and the answer is an error of the server.
    ServerErrorCharged,
    /// `sbx_server_error_uncharged`: nothing is sold, and the answer is the same error.
    ServerErrorUncharged,
    /// `sbx_garbled`: the number is sold, and the answer cannot be read.
    Garbled,
    /// `sbx_slow`: the purchase is answered after long. Its code comes late.
    Slow,
    /// `sbx_duplicate_number`: whoever buys a second one while the first is open gets the first one's number again.
    DuplicateNumber,
    /// `sbx_wrong_country`: the number is of another country than was asked for.
    WrongCountry,
    /// `sbx_charged_above`: the number costs twice the ceiling.
    ChargedAbove,
    /// `sbx_odd_form`: an id beyond 53 bits, a plus before the number, and an SMS with a colon, line breaks and a code that
    /// begins with zeros.
    OddForm,
    /// `sbx_two_at_once`: two SMS in the same moment.
    TwoAtOnce,
    /// `sbx_status_noise`: the first reads of statuses and of the list bring pages, refusals and words that nobody knows.
    StatusNoise,
    /// `sbx_cancel_refused`: no SMS, and every cancel is refused.
    CancelRefused,
    /// `sbx_cancel_sham`: no SMS, and a cancel is refused in a word that sounds like success.
    CancelSham,
    /// `sbx_cancel_lost`: no SMS; the first cancel is done and its answer lost.
    CancelLost,
    /// `sbx_cancel_sms_won`: the SMS arrives with the cancel, and wins.
    CancelSmsWon,
    /// `sbx_sms_after_cancel`: an SMS arrives, and is charged, after the cancel was confirmed.
    SmsAfterCancel,
    /// `sbx_late_sms`: the read that brings the SMS takes long, and a cancel is granted meanwhile.
    LateSms,
    /// `sbx_sms_after_expiry`: an SMS arrives, and is charged, after the window has ended.
    SmsAfterExpiry,
    /// `sbx_clawback`: no SMS; a refund is taken back later.
    Clawback,
    /// `sbx_silent_refund`: an ordinary code; after the end the supplier refunds it without a word.
    SilentRefund,
    /// `sbx_supplier_dies`: once the number is sold, the supplier takes calls and answers none, for longer than a window.
    SupplierDies,
    /// `sbx_supplier_ends`: no SMS; the supplier cancels it on its side.
    SupplierEnds,
}

/// A service that stands for a scenario.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioEntry {
    /// Its code, as it is ordered.
    pub code: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What happens.
    pub scenario: Scenario,
    /// Its base price in units.
    pub(super) units: i64,
}

const fn service(code: &'static str, name: &'static str, scenario: Scenario) -> ScenarioEntry {
    ScenarioEntry { code, name, scenario, units: 2 }
}

/// All services that stand for scenarios. Products and service ids hang on their order: new ones go to the end.
pub const SCENARIOS: [ScenarioEntry; 32] = [
    ScenarioEntry { units: 1, ..service("sbx_manual", "Sandbox: only injected SMS", Scenario::Manual) },
    service("sbx_code_now", "Sandbox: code at once", Scenario::CodeNow),
    service("sbx_code_later", "Sandbox: code after a while", Scenario::CodeLater),
    service("sbx_two_sms", "Sandbox: two SMS", Scenario::TwoSms),
    service("sbx_text_only", "Sandbox: text without a code", Scenario::TextOnly),
    service("sbx_no_sms", "Sandbox: no SMS", Scenario::NoSms),
    service("sbx_sold_out", "Sandbox: sold out", Scenario::SoldOut),
    service("sbx_price_above", "Sandbox: price above the ceiling", Scenario::PriceAbove),
    service("sbx_cancel_early", "Sandbox: cancel refused for two minutes", Scenario::CancelEarly),
    service("sbx_timeout_charged", "Sandbox: bought, never answered", Scenario::TimeoutCharged),
    service("sbx_timeout_uncharged", "Sandbox: not bought, never answered", Scenario::TimeoutUncharged),
    service("sbx_server_error_charged", "Sandbox: bought, error 500", Scenario::ServerErrorCharged),
    service("sbx_server_error_uncharged", "Sandbox: not bought, error 500", Scenario::ServerErrorUncharged),
    service("sbx_garbled", "Sandbox: bought, answer unreadable", Scenario::Garbled),
    service("sbx_slow", "Sandbox: purchase takes 25 seconds", Scenario::Slow),
    service("sbx_duplicate_number", "Sandbox: the second one has the first one's number", Scenario::DuplicateNumber),
    service("sbx_wrong_country", "Sandbox: number of another country", Scenario::WrongCountry),
    service("sbx_charged_above", "Sandbox: charged above the ceiling", Scenario::ChargedAbove),
    service("sbx_odd_form", "Sandbox: odd id, number and text", Scenario::OddForm),
    service("sbx_two_at_once", "Sandbox: two SMS in one moment", Scenario::TwoAtOnce),
    service("sbx_status_noise", "Sandbox: statuses unreadable at first", Scenario::StatusNoise),
    service("sbx_cancel_refused", "Sandbox: cancel refused for ever", Scenario::CancelRefused),
    service("sbx_cancel_sham", "Sandbox: cancel refused politely", Scenario::CancelSham),
    service("sbx_cancel_lost", "Sandbox: cancelled, answer lost", Scenario::CancelLost),
    service("sbx_cancel_sms_won", "Sandbox: SMS comes with the cancel", Scenario::CancelSmsWon),
    service("sbx_sms_after_cancel", "Sandbox: SMS after the cancel", Scenario::SmsAfterCancel),
    service("sbx_sms_after_expiry", "Sandbox: SMS after the window", Scenario::SmsAfterExpiry),
    service("sbx_clawback", "Sandbox: refund taken back", Scenario::Clawback),
    service("sbx_silent_refund", "Sandbox: refunded after the end", Scenario::SilentRefund),
    service("sbx_supplier_dies", "Sandbox: supplier silent for half an hour", Scenario::SupplierDies),
    service("sbx_supplier_ends", "Sandbox: ended by the supplier", Scenario::SupplierEnds),
    service("sbx_late_sms", "Sandbox: SMS under way when it is cancelled", Scenario::LateSms),
];

/// A call of which a scenario may spoil the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A purchase.
    Purchase,
    /// A cancel that is not too early; whether it was cancelled before.
    Cancel {
        /// Whether it was.
        again: bool,
    },
    /// A read of a status, or of the list; how many were spoilt before.
    Read {
        /// How many.
        before: usize,
    },
}

/// What the first reads of `sbx_status_noise` bring.
const NOISE: [(u16, &str); 5] = [
    (200, "<html><body>Checking your browser</body></html>"),
    (429, "RATE_LIMIT"),
    (200, "STATUS_SOMETHING_NEW"),
    (200, r#"{"status":"success","activeActivations":{"affected_rows":3,"num_rows":3},"data":null}"#),
    (200, r#"{"status":"error","error":"NO_CONNECTION","activeActivations":[]}"#),
];

impl Scenario {
    /// What goes wrong on the wire; everything else a scenario does is the model's.
    pub fn fault(self, moment: Moment, settings: &Settings) -> Option<Fault> {
        let broken = || FaultReply::Body(500, "ERROR_SQL".to_owned());
        match (self, moment) {
            (Self::TimeoutCharged, Moment::Purchase) => {
                Some(Fault { delay_ms: settings.silent_ms, ..Fault::after_effect(FaultReply::Lost) })
            }
            (Self::TimeoutUncharged, Moment::Purchase) => {
                Some(Fault { delay_ms: settings.silent_ms, ..Fault::without_effect(FaultReply::Lost) })
            }
            (Self::ServerErrorCharged, Moment::Purchase) => Some(Fault::after_effect(broken())),
            (Self::ServerErrorUncharged, Moment::Purchase) => Some(Fault::without_effect(broken())),
            (Self::Garbled, Moment::Purchase) => Some(Fault::after_effect(FaultReply::Garbage)),
            (Self::Slow, Moment::Purchase) => Some(Fault::slow(settings.slow_ms)),
            (Self::CancelSham, Moment::Cancel { again: false }) => {
                Some(Fault::without_effect(FaultReply::Body(200, "ACCESS_READY".to_owned())))
            }
            (Self::CancelLost, Moment::Cancel { again: false }) => Some(Fault::after_effect(FaultReply::Lost)),
            (Self::StatusNoise, Moment::Read { before }) => {
                let (status, body) = NOISE.get(before)?;
                Some(Fault::without_effect(FaultReply::Body(*status, (*body).to_owned())))
            }
            (Self::LateSms, Moment::Read { .. }) => Some(Fault::slow(settings.late_read_ms)),
            _ => None,
        }
    }

    /// How many reads of this scenario are spoilt.
    pub(super) const fn spoilt_reads(self) -> usize {
        match self {
            Self::StatusNoise => NOISE.len(),
            Self::LateSms => 1,
            _ => 0,
        }
    }

    /// Whether a read is spoilt while no SMS is there.
    pub(super) const fn spoils_reads_of_nothing(self) -> bool {
        !matches!(self, Self::LateSms)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_goes_wrong_on_the_wire() {
        let settings = Settings::default();
        let table = [
            (Scenario::TimeoutCharged, Moment::Purchase, Some((true, 60_000, FaultReply::Lost))),
            (Scenario::TimeoutUncharged, Moment::Purchase, Some((false, 60_000, FaultReply::Lost))),
            (Scenario::Garbled, Moment::Purchase, Some((true, 0, FaultReply::Garbage))),
            (Scenario::Slow, Moment::Purchase, Some((true, 25_000, FaultReply::True))),
            (Scenario::CancelLost, Moment::Cancel { again: false }, Some((true, 0, FaultReply::Lost))),
            (Scenario::CancelLost, Moment::Cancel { again: true }, None),
            (Scenario::CancelLost, Moment::Purchase, None),
            (Scenario::CancelRefused, Moment::Cancel { again: false }, None),
            (Scenario::StatusNoise, Moment::Read { before: NOISE.len() }, None),
            (Scenario::LateSms, Moment::Read { before: 0 }, Some((true, 8_000, FaultReply::True))),
            (Scenario::LateSms, Moment::Cancel { again: false }, None),
            (Scenario::Ordinary, Moment::Purchase, None),
        ];
        for (scenario, moment, expected) in table {
            let fault = scenario.fault(moment, &settings);
            let expected = expected.map(|(effect, delay_ms, reply)| Fault { effect, delay_ms, reply });
            assert_eq!(fault, expected, "{scenario:?} {moment:?}");
        }
        for (scenario, effect) in [(Scenario::ServerErrorCharged, true), (Scenario::ServerErrorUncharged, false)] {
            let fault = scenario.fault(Moment::Purchase, &settings);
            assert_eq!(fault.map(|fault| fault.effect), Some(effect), "{scenario:?}");
        }
    }

    #[test]
    fn each_scenario_has_one_code_and_one_name() {
        let codes: BTreeSet<_> = SCENARIOS.iter().map(|one| one.code).collect();
        let names: BTreeSet<_> = SCENARIOS.iter().map(|one| one.name).collect();
        assert_eq!((codes.len(), names.len()), (SCENARIOS.len(), SCENARIOS.len()));
        for one in &SCENARIOS {
            assert!(one.code.starts_with("sbx_") && one.code.len() <= 32, "{}", one.code);
            let same = SCENARIOS.iter().filter(|other| other.scenario == one.scenario).count();
            assert!(same == 1 && one.scenario != Scenario::Ordinary, "{}", one.code);
        }
    }
}
