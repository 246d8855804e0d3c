//! The search for planted markers.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Whether a marker is in the bytes: as it is, in hex, in UTF-16 or inside base64 at any offset.
///
/// Take markers of 8 bytes and more, so that nothing is found by chance.
pub fn find(raw: &[u8], marker: &[u8]) -> bool {
    !marker.is_empty() && forms(marker).iter().any(|form| contains(raw, form))
}

fn forms(marker: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = marker.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![marker.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    if let Ok(text) = std::str::from_utf8(marker) {
        forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    for alphabet in [STANDARD, URL_SAFE] {
        forms.extend((0..3).filter_map(|offset| in_base64(&alphabet, marker, offset)));
    }
    forms
}

/// The characters of base64 that depend on the marker alone when it begins `offset` bytes into a group of three.
fn in_base64(alphabet: &Alphabet, marker: &[u8], offset: usize) -> Option<Vec<u8>> {
    let padded = [&[0; 2][..offset], marker].concat();
    let text = GeneralPurpose::new(alphabet, NO_PAD).encode(&padded);
    let first = (offset * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    text.as_bytes().get(first..end).map(<[u8]>::to_vec)
}

fn contains(raw: &[u8], form: &[u8]) -> bool {
    !form.is_empty() && raw.windows(form.len()).any(|window| window == form)
}
