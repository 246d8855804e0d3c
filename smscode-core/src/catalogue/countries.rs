//! The market's countries: one numbering that the SMS-Activate family of suppliers shares.
//!
//! The numbers are neither dial codes nor ISO numeric codes. Source: the `getCountries` dump of the protocol's original
//! provider; names are ISO 3166 short names, dial codes are E.164 country codes. A data table, so exempt from the file length rule.

/// A country as the market numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// The market's number. 0 is Russia, so 0 never means "absent".
    pub id: u16,
    /// ISO 3166-1 alpha-2, upper case. Unique except for `US`, which has a virtual and a physical pool.
    pub iso: &'static str,
    /// English name.
    pub name: &'static str,
    /// E.164 country code, digits without plus. All of the North American plan is `1`, without area codes: an island
    /// may have several of those, and the prefix of a number must always match.
    pub dial_code: &'static str,
    /// The pool sells virtual (VoIP) numbers, which many services refuse.
    pub virtual_pool: bool,
}

const fn country(id: u16, iso: &'static str, name: &'static str, dial_code: &'static str) -> Country {
    Country { id, iso, name, dial_code, virtual_pool: false }
}

const fn virtual_pool(id: u16, iso: &'static str, name: &'static str, dial_code: &'static str) -> Country {
    Country { id, iso, name, dial_code, virtual_pool: true }
}

/// Every country of the market, ascending by `id`. 200 and 202-204 exist at one supplier with an unverified meaning and are left out.
pub const COUNTRIES: &[Country] = &[
    country(0, "RU", "Russia", "7"),
    country(1, "UA", "Ukraine", "380"),
    country(2, "KZ", "Kazakhstan", "7"),
    country(3, "CN", "China", "86"),
    country(4, "PH", "Philippines", "63"),
    country(5, "MM", "Myanmar", "95"),
    country(6, "ID", "Indonesia", "62"),
    country(7, "MY", "Malaysia", "60"),
    country(8, "KE", "Kenya", "254"),
    country(9, "TZ", "Tanzania", "255"),
    country(10, "VN", "Vietnam", "84"),
    country(11, "KG", "Kyrgyzstan", "996"),
    virtual_pool(12, "US", "United States (virtual)", "1"),
    country(13, "IL", "Israel", "972"),
    country(14, "HK", "Hong Kong", "852"),
    country(15, "PL", "Poland", "48"),
    country(16, "GB", "United Kingdom", "44"),
    country(17, "MG", "Madagascar", "261"),
    country(18, "CD", "DR Congo", "243"),
    country(19, "NG", "Nigeria", "234"),
    country(20, "MO", "Macao", "853"),
    country(21, "EG", "Egypt", "20"),
    country(22, "IN", "India", "91"),
    country(23, "IE", "Ireland", "353"),
    country(24, "KH", "Cambodia", "855"),
    country(25, "LA", "Laos", "856"),
    country(26, "HT", "Haiti", "509"),
    country(27, "CI", "Ivory Coast", "225"),
    country(28, "GM", "Gambia", "220"),
    country(29, "RS", "Serbia", "381"),
    country(30, "YE", "Yemen", "967"),
    country(31, "ZA", "South Africa", "27"),
    country(32, "RO", "Romania", "40"),
    country(33, "CO", "Colombia", "57"),
    country(34, "EE", "Estonia", "372"),
    country(35, "AZ", "Azerbaijan", "994"),
    country(36, "CA", "Canada", "1"),
    country(37, "MA", "Morocco", "212"),
    country(38, "GH", "Ghana", "233"),
    country(39, "AR", "Argentina", "54"),
    country(40, "UZ", "Uzbekistan", "998"),
    country(41, "CM", "Cameroon", "237"),
    country(42, "TD", "Chad", "235"),
    country(43, "DE", "Germany", "49"),
    country(44, "LT", "Lithuania", "370"),
    country(45, "HR", "Croatia", "385"),
    country(46, "SE", "Sweden", "46"),
    country(47, "IQ", "Iraq", "964"),
    country(48, "NL", "Netherlands", "31"),
    country(49, "LV", "Latvia", "371"),
    country(50, "AT", "Austria", "43"),
    country(51, "BY", "Belarus", "375"),
    country(52, "TH", "Thailand", "66"),
    country(53, "SA", "Saudi Arabia", "966"),
    country(54, "MX", "Mexico", "52"),
    country(55, "TW", "Taiwan", "886"),
    country(56, "ES", "Spain", "34"),
    country(57, "IR", "Iran", "98"),
    country(58, "DZ", "Algeria", "213"),
    country(59, "SI", "Slovenia", "386"),
    country(60, "BD", "Bangladesh", "880"),
    country(61, "SN", "Senegal", "221"),
    country(62, "TR", "Turkey", "90"),
    country(63, "CZ", "Czechia", "420"),
    country(64, "LK", "Sri Lanka", "94"),
    country(65, "PE", "Peru", "51"),
    country(66, "PK", "Pakistan", "92"),
    country(67, "NZ", "New Zealand", "64"),
    country(68, "GN", "Guinea", "224"),
    country(69, "ML", "Mali", "223"),
    country(70, "VE", "Venezuela", "58"),
    country(71, "ET", "Ethiopia", "251"),
    country(72, "MN", "Mongolia", "976"),
    country(73, "BR", "Brazil", "55"),
    country(74, "AF", "Afghanistan", "93"),
    country(75, "UG", "Uganda", "256"),
    country(76, "AO", "Angola", "244"),
    country(77, "CY", "Cyprus", "357"),
    country(78, "FR", "France", "33"),
    country(79, "PG", "Papua New Guinea", "675"),
    country(80, "MZ", "Mozambique", "258"),
    country(81, "NP", "Nepal", "977"),
    country(82, "BE", "Belgium", "32"),
    country(83, "BG", "Bulgaria", "359"),
    country(84, "HU", "Hungary", "36"),
    country(85, "MD", "Moldova", "373"),
    country(86, "IT", "Italy", "39"),
    country(87, "PY", "Paraguay", "595"),
    country(88, "HN", "Honduras", "504"),
    country(89, "TN", "Tunisia", "216"),
    country(90, "NI", "Nicaragua", "505"),
    country(91, "TL", "Timor-Leste", "670"),
    country(92, "BO", "Bolivia", "591"),
    country(93, "CR", "Costa Rica", "506"),
    country(94, "GT", "Guatemala", "502"),
    country(95, "AE", "United Arab Emirates", "971"),
    country(96, "ZW", "Zimbabwe", "263"),
    country(97, "PR", "Puerto Rico", "1"),
    country(98, "SD", "Sudan", "249"),
    country(99, "TG", "Togo", "228"),
    country(100, "KW", "Kuwait", "965"),
    country(101, "SV", "El Salvador", "503"),
    country(102, "LY", "Libya", "218"),
    country(103, "JM", "Jamaica", "1"),
    country(104, "TT", "Trinidad and Tobago", "1"),
    country(105, "EC", "Ecuador", "593"),
    country(106, "SZ", "Eswatini", "268"),
    country(107, "OM", "Oman", "968"),
    country(108, "BA", "Bosnia and Herzegovina", "387"),
    country(109, "DO", "Dominican Republic", "1"),
    country(110, "SY", "Syria", "963"),
    country(111, "QA", "Qatar", "974"),
    country(112, "PA", "Panama", "507"),
    country(113, "CU", "Cuba", "53"),
    country(114, "MR", "Mauritania", "222"),
    country(115, "SL", "Sierra Leone", "232"),
    country(116, "JO", "Jordan", "962"),
    country(117, "PT", "Portugal", "351"),
    country(118, "BB", "Barbados", "1"),
    country(119, "BI", "Burundi", "257"),
    country(120, "BJ", "Benin", "229"),
    country(121, "BN", "Brunei", "673"),
    country(122, "BS", "Bahamas", "1"),
    country(123, "BW", "Botswana", "267"),
    country(124, "BZ", "Belize", "501"),
    country(125, "CF", "Central African Republic", "236"),
    country(126, "DM", "Dominica", "1"),
    country(127, "GD", "Grenada", "1"),
    country(128, "GE", "Georgia", "995"),
    country(129, "GR", "Greece", "30"),
    country(130, "GW", "Guinea-Bissau", "245"),
    country(131, "GY", "Guyana", "592"),
    country(132, "IS", "Iceland", "354"),
    country(133, "KM", "Comoros", "269"),
    country(134, "KN", "Saint Kitts and Nevis", "1"),
    country(135, "LR", "Liberia", "231"),
    country(136, "LS", "Lesotho", "266"),
    country(137, "MW", "Malawi", "265"),
    country(138, "NA", "Namibia", "264"),
    country(139, "NE", "Niger", "227"),
    country(140, "RW", "Rwanda", "250"),
    country(141, "SK", "Slovakia", "421"),
    country(142, "SR", "Suriname", "597"),
    country(143, "TJ", "Tajikistan", "992"),
    country(144, "MC", "Monaco", "377"),
    country(145, "BH", "Bahrain", "973"),
    country(146, "RE", "Réunion", "262"),
    country(147, "ZM", "Zambia", "260"),
    country(148, "AM", "Armenia", "374"),
    country(149, "SO", "Somalia", "252"),
    country(150, "CG", "Congo", "242"),
    country(151, "CL", "Chile", "56"),
    country(152, "BF", "Burkina Faso", "226"),
    country(153, "LB", "Lebanon", "961"),
    country(154, "GA", "Gabon", "241"),
    country(155, "AL", "Albania", "355"),
    country(156, "UY", "Uruguay", "598"),
    country(157, "MU", "Mauritius", "230"),
    country(158, "BT", "Bhutan", "975"),
    country(159, "MV", "Maldives", "960"),
    country(160, "GP", "Guadeloupe", "590"),
    country(161, "TM", "Turkmenistan", "993"),
    country(162, "GF", "French Guiana", "594"),
    country(163, "FI", "Finland", "358"),
    country(164, "LC", "Saint Lucia", "1"),
    country(165, "LU", "Luxembourg", "352"),
    country(166, "VC", "Saint Vincent and the Grenadines", "1"),
    country(167, "GQ", "Equatorial Guinea", "240"),
    country(168, "DJ", "Djibouti", "253"),
    country(169, "AG", "Antigua and Barbuda", "1"),
    country(170, "KY", "Cayman Islands", "1"),
    country(171, "ME", "Montenegro", "382"),
    country(172, "DK", "Denmark", "45"),
    country(173, "CH", "Switzerland", "41"),
    country(174, "NO", "Norway", "47"),
    country(175, "AU", "Australia", "61"),
    country(176, "ER", "Eritrea", "291"),
    country(177, "SS", "South Sudan", "211"),
    country(178, "ST", "São Tomé and Príncipe", "239"),
    country(179, "AW", "Aruba", "297"),
    country(180, "MS", "Montserrat", "1"),
    country(181, "AI", "Anguilla", "1"),
    country(182, "JP", "Japan", "81"),
    country(183, "MK", "North Macedonia", "389"),
    country(184, "SC", "Seychelles", "248"),
    country(185, "NC", "New Caledonia", "687"),
    country(186, "CV", "Cape Verde", "238"),
    country(187, "US", "United States", "1"),
    country(188, "PS", "Palestine", "970"),
    country(189, "FJ", "Fiji", "679"),
    country(190, "KR", "South Korea", "82"),
    country(191, "KP", "North Korea", "850"),
    country(192, "EH", "Western Sahara", "212"),
    country(193, "SB", "Solomon Islands", "677"),
    country(194, "JE", "Jersey", "44"),
    country(195, "BM", "Bermuda", "1"),
    country(196, "SG", "Singapore", "65"),
    country(197, "TO", "Tonga", "676"),
    country(198, "WS", "Samoa", "685"),
    country(199, "MT", "Malta", "356"),
    country(201, "GI", "Gibraltar", "350"),
];

/// The country with this market number.
pub fn by_id(id: u16) -> Option<&'static Country> {
    COUNTRIES.binary_search_by_key(&id, |country| country.id).ok().and_then(|at| COUNTRIES.get(at))
}

/// The country with this ISO 3166-1 alpha-2 code in either case; for `US` the pool of physical numbers.
pub fn by_iso(iso: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| !country.virtual_pool && country.iso.eq_ignore_ascii_case(iso))
}

/// The flag emoji: the ISO code in regional indicator letters.
pub fn flag(country: &Country) -> String {
    const REGIONAL_INDICATOR_A: u32 = 0x1F1E6;
    let letters = country.iso.bytes().map(|letter| REGIONAL_INDICATOR_A + u32::from(letter.saturating_sub(b'A')));
    letters.filter_map(char::from_u32).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    /// The provider's own list, as published.
    const PUBLISHED: &str = "
        0=RU 1=UA 2=KZ 3=CN 4=PH 5=MM 6=ID 7=MY 8=KE 9=TZ 10=VN 11=KG 12=US 13=IL 14=HK 15=PL 16=GB 17=MG
        18=CD 19=NG 20=MO 21=EG 22=IN 23=IE 24=KH 25=LA 26=HT 27=CI 28=GM 29=RS 30=YE 31=ZA 32=RO 33=CO
        34=EE 35=AZ 36=CA 37=MA 38=GH 39=AR 40=UZ 41=CM 42=TD 43=DE 44=LT 45=HR 46=SE 47=IQ 48=NL 49=LV
        50=AT 51=BY 52=TH 53=SA 54=MX 55=TW 56=ES 57=IR 58=DZ 59=SI 60=BD 61=SN 62=TR 63=CZ 64=LK 65=PE
        66=PK 67=NZ 68=GN 69=ML 70=VE 71=ET 72=MN 73=BR 74=AF 75=UG 76=AO 77=CY 78=FR 79=PG 80=MZ 81=NP
        82=BE 83=BG 84=HU 85=MD 86=IT 87=PY 88=HN 89=TN 90=NI 91=TL 92=BO 93=CR 94=GT 95=AE 96=ZW 97=PR
        98=SD 99=TG 100=KW 101=SV 102=LY 103=JM 104=TT 105=EC 106=SZ 107=OM 108=BA 109=DO 110=SY 111=QA
        112=PA 113=CU 114=MR 115=SL 116=JO 117=PT 118=BB 119=BI 120=BJ 121=BN 122=BS 123=BW 124=BZ 125=CF
        126=DM 127=GD 128=GE 129=GR 130=GW 131=GY 132=IS 133=KM 134=KN 135=LR 136=LS 137=MW 138=NA 139=NE
        140=RW 141=SK 142=SR 143=TJ 144=MC 145=BH 146=RE 147=ZM 148=AM 149=SO 150=CG 151=CL 152=BF 153=LB
        154=GA 155=AL 156=UY 157=MU 158=BT 159=MV 160=GP 161=TM 162=GF 163=FI 164=LC 165=LU 166=VC 167=GQ
        168=DJ 169=AG 170=KY 171=ME 172=DK 173=CH 174=NO 175=AU 176=ER 177=SS 178=ST 179=AW 180=MS 181=AI
        182=JP 183=MK 184=SC 185=NC 186=CV 187=US 188=PS 189=FJ 190=KR 191=KP 192=EH 193=SB 194=JE 195=BM
        196=SG 197=TO 198=WS 199=MT 201=GI
    ";

    /// Number, ISO code and dial code of the countries sold most.
    const MOST_USED: &[(u16, &str, &str)] = &[
        (0, "RU", "7"),
        (1, "UA", "380"),
        (2, "KZ", "7"),
        (3, "CN", "86"),
        (4, "PH", "63"),
        (5, "MM", "95"),
        (6, "ID", "62"),
        (7, "MY", "60"),
        (8, "KE", "254"),
        (9, "TZ", "255"),
        (10, "VN", "84"),
        (11, "KG", "996"),
        (12, "US", "1"),
        (13, "IL", "972"),
        (14, "HK", "852"),
        (15, "PL", "48"),
        (16, "GB", "44"),
        (19, "NG", "234"),
        (21, "EG", "20"),
        (22, "IN", "91"),
        (23, "IE", "353"),
        (24, "KH", "855"),
        (25, "LA", "856"),
        (31, "ZA", "27"),
        (32, "RO", "40"),
        (33, "CO", "57"),
        (34, "EE", "372"),
        (36, "CA", "1"),
        (37, "MA", "212"),
        (38, "GH", "233"),
        (39, "AR", "54"),
        (40, "UZ", "998"),
        (41, "CM", "237"),
        (43, "DE", "49"),
        (44, "LT", "370"),
        (45, "HR", "385"),
        (46, "SE", "46"),
        (47, "IQ", "964"),
        (48, "NL", "31"),
        (49, "LV", "371"),
        (50, "AT", "43"),
        (51, "BY", "375"),
        (52, "TH", "66"),
        (53, "SA", "966"),
        (54, "MX", "52"),
        (55, "TW", "886"),
        (56, "ES", "34"),
        (58, "DZ", "213"),
        (60, "BD", "880"),
        (62, "TR", "90"),
        (63, "CZ", "420"),
        (66, "PK", "92"),
        (73, "BR", "55"),
        (78, "FR", "33"),
        (86, "IT", "39"),
        (117, "PT", "351"),
        (128, "GE", "995"),
        (163, "FI", "358"),
        (172, "DK", "45"),
        (175, "AU", "61"),
        (182, "JP", "81"),
        (187, "US", "1"),
    ];

    #[test]
    fn numbers_are_unique_and_ascending() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn fields_have_their_shape() {
        for country in COUNTRIES {
            assert!(country.iso.len() == 2 && country.iso.bytes().all(|byte| byte.is_ascii_uppercase()), "{country:?}");
            assert!((1..=3).contains(&country.dial_code.len()), "{country:?}");
            assert!(country.dial_code.bytes().all(|byte| byte.is_ascii_digit()), "{country:?}");
            assert!(!country.dial_code.starts_with('0') && !country.name.trim().is_empty(), "{country:?}");
            assert_eq!(country.virtual_pool, country.id == 12, "{country:?}");
        }
    }

    #[test]
    fn iso_codes_and_names_stand_for_one_country() {
        for (at, country) in COUNTRIES.iter().enumerate() {
            for other in COUNTRIES.iter().skip(at + 1) {
                assert_ne!(country.name, other.name);
                assert!(country.iso != other.iso || country.iso == "US", "{country:?} and {other:?}");
            }
        }
    }

    #[test]
    fn the_published_list_is_complete() {
        let ours: Vec<String> = COUNTRIES.iter().map(|country| format!("{}={}", country.id, country.iso)).collect();
        let theirs: Vec<&str> = PUBLISHED.split_whitespace().collect();
        assert_eq!(ours, theirs);
        assert_eq!(COUNTRIES.len(), 201);
    }

    #[test]
    fn the_most_used_have_the_published_dial_codes() {
        for (id, iso, dial_code) in MOST_USED {
            let found = by_id(*id).unwrap();
            assert_eq!((found.iso, found.dial_code), (*iso, *dial_code));
        }
    }

    #[test]
    fn look_ups() {
        assert_eq!(by_id(0).map(|country| country.iso), Some("RU"));
        assert_eq!(by_id(200), None);
        assert_eq!(by_id(u16::MAX), None);
        assert_eq!(by_iso("us").map(|country| country.id), Some(187));
        assert_eq!(by_iso("ID").map(|country| country.id), Some(6));
        assert_eq!(by_iso("XX"), None);
        assert_eq!(by_iso(""), None);
    }

    #[test]
    fn flags_are_two_regional_indicators() {
        assert_eq!(flag(by_id(6).unwrap()), "\u{1F1EE}\u{1F1E9}");
        assert!(COUNTRIES.iter().all(|country| flag(country).chars().count() == 2));
    }
}
