//! What programs of this protocol send, and in how many ways.

use std::collections::BTreeMap;

/// Names and values together, of a body. The longest honest request is below 1 KiB.
pub(super) const BODY_MAX: usize = 64 * 1024;
/// Parameters that are looked at; no program sends more than a dozen.
const PARAMETERS_MAX: usize = 100;

/// The parameters of a request: query and form together, names and values without blanks around them. Of one name the
/// last value counts that is not empty, the form's before the query's. Unknown names are never asked for.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// From the query and the body of a form.
    pub(super) fn read(query: &[u8], form: &[u8]) -> Self {
        let mut all = BTreeMap::new();
        let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(form));
        for (name, value) in pairs.take(PARAMETERS_MAX) {
            let (name, value) = (name.trim(), value.trim());
            if !name.is_empty() && !value.is_empty() {
                all.insert(name.to_owned(), value.to_owned());
            }
        }
        Self(all)
    }

    /// The value under the first of these names that is there.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str)
    }

    /// A whole number that is there and readable.
    pub(super) fn whole(&self, names: &[&str]) -> Option<usize> {
        self.text(names)?.parse().ok()
    }

    /// Which country is meant.
    pub(super) fn country(&self) -> Country {
        match self.text(&["country"]) {
            None => Country::Any,
            Some(text) if text.eq_ignore_ascii_case("any") => Country::Any,
            Some(text) => text.parse().map_or(Country::Unreadable, Country::Id),
        }
    }

    /// Whether numbers of another kind than ours are wanted: of one operator, or for calls. Anything else that narrows
    /// the choice is unknown here and so ignored, as the protocol has it.
    pub(super) fn wants_other_numbers(&self) -> bool {
        let any = |list: &str| list.split(',').any(|name| name.trim().eq_ignore_ascii_case("any"));
        self.text(&["operator"]).is_some_and(|list| !any(list))
            || self.text(&["activationType"]).is_some_and(|kind| kind != "0")
    }
}

/// A country as it is named in a request. 0 is Russia.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Country {
    /// None named, or `any`.
    Any,
    /// The market's id.
    Id(u16),
    /// Something that is no id.
    Unreadable,
}

#[cfg(test)]
mod tests {
    use super::{Country, Parameters};

    fn read(query: &str, form: &str) -> Parameters {
        Parameters::read(query.as_bytes(), form.as_bytes())
    }

    #[test]
    fn query_and_form_are_one() {
        let cases = [
            ("api_key=k&action=getNumber&country=6", "", Some("6")),
            ("", "api_key=k&country=6", Some("6")),
            ("country=1", "country=6", Some("6")),
            ("country=6", "country=", Some("6")),
            ("country%20=6%20", "", Some("6")),
            ("country+=+6", "", Some("6")),
            (" country =6", "", Some("6")),
            ("Country=6", "", None),
            ("country", "", None),
            ("&&=&country=6&ref=1&softId=%FF", "", Some("6")),
        ];
        for (query, form, country) in cases {
            assert_eq!(read(query, form).text(&["country"]), country, "{query} | {form}");
        }
    }

    #[test]
    fn only_so_many_parameters_are_looked_at() {
        let many = "a=1&".repeat(200);
        assert_eq!(read(&format!("{many}country=6"), "").text(&["country"]), None);
    }

    #[test]
    fn countries_and_other_numbers() {
        assert_eq!(read("country=0", "").country(), Country::Id(0));
        assert_eq!(read("country=any", "").country(), Country::Any);
        assert_eq!(read("country=", "").country(), Country::Any);
        assert_eq!(read("country=Russia", "").country(), Country::Unreadable);
        assert_eq!(read("country=70000", "").country(), Country::Unreadable);
        let cases = [
            ("operator=any", false),
            ("operator=mts,any", false),
            ("operator=", false),
            ("operator=mts", true),
            ("activationType=0", false),
            ("activationType=1", true),
            ("forward=1&ref=2", false),
        ];
        for (query, other) in cases {
            assert_eq!(read(query, "").wants_other_numbers(), other, "{query}");
        }
    }
}
