//! Pushes of this protocol: a supplier tells an address of ours that an SMS came. Unsigned, repeated, out of order, also about
//! activations of others; so all that is taken from one is whom to ask about.

use smscode_core::port::ActivationId;

use crate::json::Json;

/// How suppliers of this family call the activation.
const NAMES: [&str; 2] = ["activationId", "activation_id"];
/// Longest id: none is known of more than 20.
const ID_MAX: usize = 64;

/// Which activation a push is about, by its query and body: JSON, as all known suppliers of this family send it, or
/// parameters. `None` if that cannot be read: then it may be any.
///
/// ```
/// use smscode_providers::sms::sms_activate::pushed;
///
/// let body = br#"{"activationId":3900000000,"service":"go","text":"G-415127 is your code","code":"415127"}"#;
/// assert_eq!(pushed("", body).map(|id| id.0).as_deref(), Some("3900000000"));
/// assert!(pushed("", b"<html>").is_none());
/// ```
pub fn pushed(query: &str, body: &[u8]) -> Option<ActivationId> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let in_body = Json::parse(text).and_then(|json| json.object()?.first_scalar(&NAMES));
    let found = in_body.or_else(|| parameter(text)).or_else(|| parameter(query))?;
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    ((1..=ID_MAX).contains(&found.len()) && found.bytes().all(fine)).then_some(ActivationId(found))
}

/// An id has no letter that would be written otherwise in a form.
fn parameter(form: &str) -> Option<String> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| NAMES.contains(name)).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::pushed;

    #[test]
    fn the_activation_is_found_or_it_may_be_any() {
        let long = format!(r#"{{"activationId":"{}"}}"#, "7".repeat(65));
        let cases = [
            ("", r#"{"activationId":123456,"service":"go","text":"x","code":null}"#, Some("123456")),
            ("", r#"{"activationId":"1152921508506846976"}"#, Some("1152921508506846976")),
            ("", r#" {"activationId":36028797018963969,"id":5} "#, Some("36028797018963969")),
            ("", r#"{"activation_id":"a-1"}"#, Some("a-1")),
            ("activationId=77", r#"{"activationId":78}"#, Some("78")),
            ("x=1&activationId=77&text=%41", "", Some("77")),
            ("", "code=1&activation_id=12", Some("12")),
            ("", r#"{"id":5}"#, None),
            ("", r#"{"activationId":{"a":1}}"#, None),
            ("", r#"{"activationId":"1 or 1"}"#, None),
            ("", r#"["activationId"]"#, None),
            ("", "activationId", None),
            ("activationId=", "", None),
            ("", "<html>", None),
            ("", &long, None),
        ];
        for (query, body, expected) in cases {
            assert_eq!(pushed(query, body.as_bytes()).map(|id| id.0).as_deref(), expected, "{query} {body}");
        }
        assert_eq!(pushed("", b"\xff\xfe\x00"), None);
    }
}
