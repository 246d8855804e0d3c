//! JSON read lazily, level by level, so that numbers keep their literal text and no float is ever made.
//!
//! Nothing here recurses, so deep nesting costs nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A JSON value of a reply, not yet taken apart.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Json<'a>(#[serde(borrow)] &'a RawValue);

/// The members of an object; of members of one name the last counts.
pub(super) type Members<'a> = BTreeMap<String, Json<'a>>;

impl<'a> Json<'a> {
    /// The whole text as one JSON value.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn object(self) -> Option<Members<'a>> {
        self.of_kind('{')
    }

    /// The items of an array.
    pub(super) fn array(self) -> Option<Vec<Json<'a>>> {
        self.of_kind('[')
    }

    /// The items of an array, also of one that PHP wrote as an object with the keys 0, 1, 2, ...
    pub(super) fn rows(self) -> Option<Vec<Json<'a>>> {
        if let Some(items) = self.array() {
            return Some(items);
        }
        let mut numbered = BTreeMap::new();
        for (name, item) in self.object()? {
            numbered.insert(name.parse::<u32>().ok()?, item);
        }
        if numbered.is_empty() { None } else { Some(numbered.into_values().collect()) }
    }

    /// The content of a string.
    pub(super) fn string(self) -> Option<String> {
        self.of_kind('"')
    }

    /// The value, if it begins so. Looked at first, because a price list asks a million times and an error costs more.
    fn of_kind<T: Deserialize<'a>>(self, first: char) -> Option<T> {
        let raw = self.0.get();
        if raw.starts_with(first) { serde_json::from_str(raw).ok() } else { None }
    }

    /// The content of a string, or the literal text of a number.
    pub(super) fn scalar(self) -> Option<String> {
        self.string().or_else(|| {
            let raw = self.0.get();
            raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| raw.to_owned())
        })
    }

    /// `false`, or a string that says so.
    pub(super) fn is_false(self) -> bool {
        self.0.get() == "false" || self.string().is_some_and(|text| text == "false")
    }

    /// One of the ways to say that nothing is there: `null`, `false`, an empty string, array or object.
    pub(super) fn is_absent(self) -> bool {
        let raw = self.0.get();
        matches!(raw, "null" | "false" | "\"\"")
            || self.array().is_some_and(|items| items.is_empty())
            || self.object().is_some_and(|members| members.is_empty())
    }
}

/// The first of these members that says something.
pub(super) fn first<'a>(members: &Members<'a>, names: &[&str]) -> Option<Json<'a>> {
    names.iter().find_map(|name| members.get(*name).copied().filter(|json| !json.is_absent()))
}

/// The first of these members that is a string or a number that is not empty, without blanks around it.
pub(super) fn first_scalar(members: &Members<'_>, names: &[&str]) -> Option<String> {
    let found = first(members, names)?.scalar()?;
    let trimmed = found.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
