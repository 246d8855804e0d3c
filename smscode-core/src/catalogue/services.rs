//! The market's services: what a number is rented for, with the short codes the SMS-Activate family shares.
//!
//! Popular codes are stable across suppliers; newer ones diverge and belong in a dialect's own table. A data table, so exempt from
//! the file length rule. Rent (`full`) is not sold and has no entry.

/// What kind of service it is; some kinds are blocked unless the host unblocks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Chat.
    Messenger,
    /// Social networks, video, professional networks.
    Social,
    /// Mail providers and the account suites built around them.
    Mail,
    /// Shops, classified ads, restaurants and loyalty cards.
    Shop,
    /// Rides, stays, deliveries by riders.
    Travel,
    /// Games and game shops.
    Game,
    /// Dating.
    Dating,
    /// Banks.
    Bank,
    /// Wallets, payment services, exchanges.
    Payment,
    /// Loans and instalments.
    Credit,
    /// Authorities and state identities.
    Government,
    /// All else, including the code for services without one of their own.
    Other,
}

impl Category {
    /// Whether a fresh platform refuses to sell this kind: a number that many people have rented must not open a bank account,
    /// a wallet, a loan or a state identity.
    pub const fn blocked_by_default(self) -> bool {
        match self {
            Self::Bank | Self::Payment | Self::Credit | Self::Government => true,
            Self::Messenger
            | Self::Social
            | Self::Mail
            | Self::Shop
            | Self::Travel
            | Self::Game
            | Self::Dating
            | Self::Other => false,
        }
    }
}

/// A service of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Our number, from 1, stored in products and orders.
    pub id: u16,
    /// The market's code, lower case, 2-4 letters or digits.
    pub code: &'static str,
    /// Name for addresses and our own surfaces: lower case letters, digits and hyphens.
    pub slug: &'static str,
    /// Name for people. Not in capitals: old clients search whole bodies for upper case error words.
    pub name: &'static str,
    /// Kind of service.
    pub category: Category,
}

const fn service(id: u16, code: &'static str, slug: &'static str, name: &'static str, category: Category) -> Service {
    Service { id, code, slug, name, category }
}

/// Every service, ascending by `id`. Ids are stored in products and orders: **never renumber, never reuse; add at the end.**
/// The market publishes no code of the kinds bank, credit and government here; a host that adds some gets them blocked by their category.
pub const SERVICES: &[Service] = &[
    service(1, "tg", "telegram", "Telegram", Category::Messenger),
    service(2, "wa", "whatsapp", "WhatsApp", Category::Messenger),
    service(3, "go", "google", "Google", Category::Mail),
    service(4, "vk", "vkontakte", "VKontakte", Category::Social),
    service(5, "ok", "odnoklassniki", "Odnoklassniki", Category::Social),
    service(6, "fb", "facebook", "Facebook", Category::Social),
    service(7, "ig", "instagram", "Instagram", Category::Social),
    service(8, "ds", "discord", "Discord", Category::Messenger),
    service(9, "tw", "x", "X", Category::Social),
    service(10, "mm", "microsoft", "Microsoft", Category::Mail),
    service(11, "vi", "viber", "Viber", Category::Messenger),
    service(12, "wb", "wechat", "WeChat", Category::Messenger),
    service(13, "am", "amazon", "Amazon", Category::Shop),
    service(14, "mt", "steam", "Steam", Category::Game),
    service(15, "oi", "tinder", "Tinder", Category::Dating),
    service(16, "lf", "tiktok", "TikTok", Category::Social),
    service(17, "wx", "apple", "Apple", Category::Other),
    service(18, "ub", "uber", "Uber", Category::Travel),
    service(19, "me", "line", "Line", Category::Messenger),
    service(20, "kt", "kakaotalk", "KakaoTalk", Category::Messenger),
    service(21, "rd", "lenta", "Lenta", Category::Shop),
    service(22, "mb", "yahoo", "Yahoo", Category::Mail),
    service(23, "ya", "yandex", "Yandex", Category::Mail),
    service(24, "ym", "youla", "Youla", Category::Shop),
    service(25, "ma", "mail-ru", "Mail.ru", Category::Mail),
    service(26, "av", "avito", "Avito", Category::Shop),
    service(27, "sn", "olx", "OLX", Category::Shop),
    service(28, "ot", "other", "Any other service", Category::Other),
    service(29, "fu", "snapchat", "Snapchat", Category::Social),
    service(30, "dr", "openai", "OpenAI", Category::Other),
    service(31, "acz", "claude", "Claude", Category::Other),
    service(32, "ts", "paypal", "PayPal", Category::Payment),
    service(33, "tn", "linkedin", "LinkedIn", Category::Social),
    service(34, "uk", "airbnb", "Airbnb", Category::Travel),
    service(35, "mo", "bumble", "Bumble", Category::Dating),
    service(36, "nv", "naver", "Naver", Category::Social),
    service(37, "yw", "grindr", "Grindr", Category::Dating),
    service(38, "kf", "weibo", "Weibo", Category::Social),
    service(39, "ka", "shopee", "Shopee", Category::Shop),
    service(40, "gt", "gett", "Gett", Category::Travel),
    service(41, "dl", "lazada", "Lazada", Category::Shop),
    service(42, "bd", "x5-id", "X5 ID", Category::Shop),
    service(43, "pm", "aol", "AOL", Category::Mail),
    service(44, "nf", "netflix", "Netflix", Category::Other),
    service(45, "dh", "ebay", "eBay", Category::Shop),
    service(46, "hb", "twitch", "Twitch", Category::Social),
    service(47, "re", "coinbase", "Coinbase", Category::Payment),
    service(48, "ew", "nike", "Nike", Category::Shop),
    service(49, "tx", "bolt", "Bolt", Category::Travel),
    service(50, "ni", "gojek", "Gojek", Category::Travel),
    service(51, "jg", "grab", "Grab", Category::Travel),
    service(52, "qq", "tencent-qq", "Tencent QQ", Category::Messenger),
    service(53, "nz", "foodpanda", "Foodpanda", Category::Shop),
    service(54, "xd", "tokopedia", "Tokopedia", Category::Shop),
    service(55, "bl", "bigo-live", "Bigo Live", Category::Social),
    service(56, "hw", "alipay", "Alipay", Category::Payment),
    service(57, "fd", "mamba", "Mamba", Category::Dating),
    service(58, "mj", "zalo", "Zalo", Category::Messenger),
    service(59, "sg", "ozon", "Ozon", Category::Shop),
    service(60, "df", "happn", "Happn", Category::Dating),
    service(61, "bz", "blizzard", "Blizzard", Category::Game),
    service(62, "ip", "burger-king", "Burger King", Category::Shop),
];

/// The service with this number of ours.
pub fn by_id(id: u16) -> Option<&'static Service> {
    SERVICES.binary_search_by_key(&id, |service| service.id).ok().and_then(|at| SERVICES.get(at))
}

/// The service with this market code, in either case.
pub fn by_code(code: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.code.eq_ignore_ascii_case(code))
}

/// The service with this slug, exactly as written.
pub fn by_slug(slug: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.slug == slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes as published, column by column, with the one that is not sold.
    const PUBLISHED: &str = "
        tg wa go vk ok fb ig ds tw mm vi wb am mt oi lf wx ub me kt rd mb ya ym ma av sn ot full fu dr acz
        ts tn uk mo nv yw kf ka gt dl bd pm nf dh hb re ew tx ni jg qq nz xd bl hw fd mj sg df bz ip
    ";

    #[test]
    fn every_published_code_but_rent_is_present() {
        let mut theirs: Vec<&str> = PUBLISHED.split_whitespace().filter(|code| *code != "full").collect();
        let mut ours: Vec<&str> = SERVICES.iter().map(|service| service.code).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs);
        assert_eq!(by_code("full"), None);
    }

    #[test]
    fn ids_count_from_one_without_gaps() {
        assert!(SERVICES.iter().map(|service| service.id).eq(1..=62));
    }

    #[test]
    fn ids_that_are_already_stored_stay() {
        for (id, code) in [(1, "tg"), (2, "wa"), (3, "go"), (28, "ot"), (32, "ts"), (47, "re"), (56, "hw"), (62, "ip")]
        {
            assert_eq!(by_id(id).map(|service| service.code), Some(code));
        }
    }

    #[test]
    fn codes_slugs_and_names_are_unique_and_have_their_shape() {
        for (at, service) in SERVICES.iter().enumerate() {
            let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!((2..=4).contains(&service.code.len()) && service.code.bytes().all(alphanumeric), "{service:?}");
            assert!(service.slug.bytes().all(|byte| alphanumeric(byte) || byte == b'-'), "{service:?}");
            assert!(!service.slug.is_empty() && !service.name.trim().is_empty(), "{service:?}");
            for other in SERVICES.iter().skip(at + 1) {
                assert!(
                    service.code != other.code && service.slug != other.slug && service.name != other.name,
                    "{service:?}"
                );
            }
        }
    }

    #[test]
    fn no_name_holds_a_word_that_old_clients_take_for_an_error() {
        for word in ["NO_", "BAD", "ERROR", "WRONG", "BANNED"] {
            assert!(SERVICES.iter().all(|service| !service.name.contains(word)), "{word}");
        }
    }

    #[test]
    fn look_ups() {
        assert_eq!(by_code("WA").map(|service| service.slug), Some("whatsapp"));
        assert_eq!(by_code("acz").map(|service| service.name), Some("Claude"));
        assert_eq!(by_slug("tencent-qq").map(|service| service.code), Some("qq"));
        assert_eq!(by_slug("WhatsApp"), None);
        assert_eq!(by_code(""), None);
        assert_eq!(by_id(0), None);
        assert_eq!(by_id(63), None);
    }

    #[test]
    fn money_and_state_are_blocked_by_default() {
        let table = [
            (Category::Messenger, false),
            (Category::Social, false),
            (Category::Mail, false),
            (Category::Shop, false),
            (Category::Travel, false),
            (Category::Game, false),
            (Category::Dating, false),
            (Category::Bank, true),
            (Category::Payment, true),
            (Category::Credit, true),
            (Category::Government, true),
            (Category::Other, false),
        ];
        for (category, blocked) in table {
            assert_eq!(category.blocked_by_default(), blocked, "{category:?}");
        }
        let blocked = SERVICES.iter().filter(|service| service.category.blocked_by_default());
        assert_eq!(blocked.map(|service| service.code).collect::<Vec<_>>(), ["ts", "re", "hw"]);
    }
}
