//! JSON read lazily, level by level, so that numbers keep their literal text and no float is ever made.
//!
//! Nothing here recurses, so deep nesting costs nothing.
//!
//! ```
//! use smscode_core::money::Currency;
//! use smscode_providers::json::Json;
//! use smscode_providers::read;
//!
//! let said = Json::parse(r#"{"price": 0.29, "left": "12", "numbers": [{"id": 36028797018963969}]}"#).unwrap();
//! assert_eq!(read::cost(&said.text("price").unwrap(), Currency::Usd).unwrap().minor, 290_000);
//! assert_eq!(said.whole("left"), Some(12));
//! assert_eq!(said.rows("numbers", |row| row.text("id")).unwrap(), ["36028797018963969"]);
//! assert_eq!(said.known_rows("numbers", |row| Some(row.text("phone"))).unwrap(), [] as [String; 0]);
//! assert_eq!(said.known_rows("numbers", |row| Some(Some(row.text("phone")?))), None);
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A JSON value of an answer, not yet taken apart.
#[derive(Clone, Copy)]
pub struct Json<'a>(&'a RawValue);

/// What is in it is nobody's business.
impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.0.get().len())
    }
}

/// The members of an object; of members of one name the last counts.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(BTreeMap<String, Json<'a>>);

impl<'a> Deref for Members<'a> {
    type Target = BTreeMap<String, Json<'a>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = (String, Json<'a>);
    type IntoIter = std::collections::btree_map::IntoIter<String, Json<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> Members<'a> {
    /// The first of these members that says something.
    pub(crate) fn first(&self, names: &[&str]) -> Option<Json<'a>> {
        names.iter().find_map(|name| self.get(*name).copied().filter(|json| !json.is_absent()))
    }

    /// The first of these members that is a string or a number that is not empty, without blanks around it.
    pub(crate) fn first_scalar(&self, names: &[&str]) -> Option<String> {
        let found = self.first(names)?.scalar()?;
        let trimmed = found.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}

impl<'a> Json<'a> {
    /// The whole text as one JSON value.
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A member of an object. Each call looks through the object anew; for one with many members take
    /// [`Json::object`] once.
    pub fn member(self, name: &str) -> Option<Json<'a>> {
        self.object()?.get(name).copied()
    }

    /// A member that is a string, not empty, or the literal text of a number, without blanks around it.
    pub fn text(self, name: &str) -> Option<String> {
        self.object()?.first_scalar(&[name])
    }

    /// A member that is a whole number, also as a string; one beyond 32 bits is cut to the largest.
    pub fn whole(self, name: &str) -> Option<u32> {
        let whole: u64 = self.text(name)?.parse().ok()?;
        Some(u32::try_from(whole).unwrap_or(u32::MAX))
    }

    /// A member that is an array, its items read one by one. `None` if it is no array, or if one of them cannot be read:
    /// what is left of a list is not the list.
    pub fn rows<T>(self, name: &str, read: impl FnMut(Json<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.member(name)?.array()?.into_iter().map(read).collect()
    }

    /// As [`Json::rows`], but leaves out an item that can be read and is none of ours (`Some(None)`): an offer in a country
    /// that the market does not have.
    pub fn known_rows<T>(self, name: &str, read: impl FnMut(Json<'a>) -> Option<Option<T>>) -> Option<Vec<T>> {
        Some(self.rows(name, read)?.into_iter().flatten().collect())
    }

    /// The members of an object.
    pub fn object(self) -> Option<Members<'a>> {
        let raw: BTreeMap<String, &'a RawValue> = self.of_kind('{')?;
        Some(Members(raw.into_iter().map(|(name, value)| (name, Self(value))).collect()))
    }

    /// The items of an array.
    pub fn array(self) -> Option<Vec<Json<'a>>> {
        let raw: Vec<&'a RawValue> = self.of_kind('[')?;
        Some(raw.into_iter().map(Self).collect())
    }

    /// The content of a string.
    pub fn string(self) -> Option<String> {
        self.of_kind('"')
    }

    /// The content of a string, or the literal text of a number.
    pub fn scalar(self) -> Option<String> {
        self.string().or_else(|| {
            let raw = self.0.get();
            raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| raw.to_owned())
        })
    }

    /// The items of an array, also of one that PHP wrote as an object with the keys 0, 1, 2, ...
    pub fn items(self) -> Option<Vec<Json<'a>>> {
        if let Some(items) = self.array() {
            return Some(items);
        }
        let mut numbered = BTreeMap::new();
        for (name, item) in self.object()? {
            numbered.insert(name.parse::<u32>().ok()?, item);
        }
        if numbered.is_empty() { None } else { Some(numbered.into_values().collect()) }
    }

    /// The value, if it begins so. Looked at first, because a price list asks a million times and an error costs more.
    fn of_kind<T: Deserialize<'a>>(self, first: char) -> Option<T> {
        let raw = self.0.get();
        if raw.starts_with(first) { serde_json::from_str(raw).ok() } else { None }
    }

    /// `false`, or a string that says so.
    pub fn is_false(self) -> bool {
        self.0.get() == "false" || self.string().is_some_and(|text| text == "false")
    }

    /// One of the ways to say that nothing is there: `null`, `false`, an empty string, array or object.
    pub(crate) fn is_absent(self) -> bool {
        let raw = self.0.get();
        matches!(raw, "null" | "false" | "\"\"")
            || self.array().is_some_and(|items| items.is_empty())
            || self.object().is_some_and(|members| members.is_empty())
    }
}
