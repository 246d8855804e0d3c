//! What the simulated supplier sells: countries with their numbers, services with their prices, texts.

use smscode_core::money::Currency;

use super::scenario::{SCENARIOS, Scenario};

/// A country with numbers in it.
pub(super) struct Place {
    /// The market's id.
    pub(super) country: u16,
    /// A number: `#` is any digit, `%` one from 2 to 9. Ranges that are set aside for films where there are such (US, GB,
    /// FR), an unused prefix (ID), otherwise any. No SMS is ever sent to them.
    pub(super) pattern: &'static str,
    /// Its prices, in hundredths of the base price.
    pub(super) percent: i64,
}

pub(super) const PLACES: [Place; 14] = [
    Place { country: 0, pattern: "7900#######", percent: 130 },
    Place { country: 1, pattern: "38050#######", percent: 140 },
    Place { country: 2, pattern: "7700#######", percent: 135 },
    Place { country: 4, pattern: "63900#######", percent: 110 },
    Place { country: 6, pattern: "62810########", percent: 100 },
    Place { country: 7, pattern: "6010#######", percent: 115 },
    Place { country: 10, pattern: "8490#######", percent: 105 },
    Place { country: 15, pattern: "4850#######", percent: 150 },
    Place { country: 16, pattern: "447700900###", percent: 160 },
    Place { country: 22, pattern: "9190########", percent: 120 },
    Place { country: 43, pattern: "49151########", percent: 190 },
    Place { country: 73, pattern: "55119########", percent: 125 },
    Place { country: 78, pattern: "3363998####", percent: 180 },
    Place { country: 187, pattern: "1%##55501##", percent: 170 },
];

/// Ordinary services by the market's code, with their base prices in units (see [`unit_minor`]).
pub(super) const SERVICES: [(&str, i64); 27] = [
    ("tg", 40),
    ("wa", 45),
    ("go", 15),
    ("vk", 20),
    ("ok", 12),
    ("fb", 10),
    ("ig", 8),
    ("ds", 6),
    ("tw", 7),
    ("mm", 6),
    ("vi", 14),
    ("wb", 60),
    ("am", 9),
    ("mt", 11),
    ("oi", 25),
    ("lf", 8),
    ("wx", 18),
    ("ub", 10),
    ("me", 16),
    ("kt", 30),
    ("fu", 9),
    ("dr", 22),
    ("ya", 7),
    ("ma", 6),
    ("ka", 12),
    ("xd", 13),
    ("ot", 5),
];

/// What a price unit is: about one US cent.
pub(super) const fn unit_minor(currency: Currency) -> i64 {
    match currency {
        Currency::Usd | Currency::Usdt => 10_000,
        Currency::Rub => 9_000,
        Currency::Idr => 160,
    }
}

/// The behaviour and the base price of a service; `None` if it is not sold.
pub(super) fn service(code: &str) -> Option<(Scenario, i64)> {
    let scenario = SCENARIOS.iter().find(|one| one.code == code).map(|one| (one.scenario, one.units));
    scenario
        .or_else(|| SERVICES.iter().find(|(known, _)| *known == code).map(|(_, units)| (Scenario::Ordinary, *units)))
}

/// All codes with their names for people.
#[cfg(any(test, feature = "sandbox"))]
pub(super) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ordinary = SERVICES.iter().map(|(code, _)| {
        (*code, smscode_core::catalogue::services::by_code(code).map_or(*code, |service| service.name))
    });
    ordinary.chain(SCENARIOS.iter().map(|one| (one.code, one.name)))
}

/// Sentences with a code, `{}` being the code. No other digit is in them.
pub(super) const TEXTS: [&str; 12] = [
    "Your verification code is {}. Do not share it with anyone.",
    "{} is your login code. It expires in ten minutes.",
    "Kode verifikasi Anda: {}. Jangan berikan kepada siapa pun.",
    "Ваш код подтверждения: {}. Никому его не сообщайте.",
    "Tu código de verificación es {}. No lo compartas.",
    "Seu código de confirmação é {}. Não compartilhe.",
    "Ihr Bestätigungscode lautet {}. Geben Sie ihn nicht weiter.",
    "Votre code de vérification est {}. Ne le partagez pas.",
    "Mã xác minh của bạn là {}. Không chia sẻ mã này.",
    "आपका सत्यापन कोड {} है। इसे किसी के साथ साझा न करें।",
    "Twój kod weryfikacyjny to {}. Nikomu go nie podawaj.",
    "Ваш код підтвердження: {}. Нікому його не повідомляйте.",
];

/// A text as some suppliers hand it on: with a colon, line breaks, and a code that begins with zeros.
pub(super) const ODD_TEXT: &str = "Code:\r\n00{}\n\n-- valid until: tomorrow";

/// The text of an SMS after an activation's end. Nobody is to see it.
pub(super) const LATE_TEXT: &str = "Your verification code is 90210077. It is late.";

/// Sentences without a code.
pub(super) const TEXTS_WITHOUT_CODE: [&str; 3] = [
    "Welcome! Your account is ready to use.",
    "Terima kasih telah mendaftar. Akun Anda sudah aktif.",
    "Добро пожаловать! Ваш аккаунт готов.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_scenario_is_the_cheapest_everywhere() {
        let (_, manual) = service("sbx_manual").unwrap_or((Scenario::NoSms, i64::MAX));
        let dearest_manual = PLACES.iter().map(|place| manual * place.percent).max();
        let others = names().filter(|(code, _)| *code != "sbx_manual").filter_map(|(code, _)| service(code));
        let cheapest_other = others.map(|(_, units)| units * 100).min();
        assert!(dearest_manual < cheapest_other);
    }

    #[test]
    fn numbers_begin_with_their_countrys_dial_code_and_texts_hold_no_other_digit() {
        for place in &PLACES {
            let country = smscode_core::catalogue::countries::by_id(place.country);
            assert!(country.is_some_and(|country| place.pattern.starts_with(country.dial_code)), "{}", place.country);
            assert!((9..=15).contains(&place.pattern.len()));
        }
        for text in TEXTS {
            assert_eq!(text.matches("{}").count(), 1, "{text}");
            assert!(!text.contains(|c: char| c.is_numeric()), "{text}");
        }
        assert!(names().all(|(code, name)| service(code).is_some() && code.len() < 32 && name != code));
    }
}
