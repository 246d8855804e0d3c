//! Golden files: a stored form may not move unseen.

use std::fs;
use std::path::Path;

use super::Failure;

/// Set to `1`, golden files are written instead of compared.
pub const BLESS: &str = "SMSCODE_BLESS";

/// Compares bytes with the file of that name in `dir`.
///
/// # Errors
///
/// The file is missing or has other content; the text says where they part and how to bless the new form.
pub fn check(dir: impl AsRef<Path>, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = dir.as_ref().join(name);
    let shown = path.display();
    if std::env::var(BLESS).is_ok_and(|value| value == "1") {
        return fs::create_dir_all(dir.as_ref())
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| Failure::new(format!("cannot write {shown}: {error}")));
    }
    let hint = format!("if that is meant, run the test once with {BLESS}=1 and commit the file");
    let golden = fs::read(&path).map_err(|error| Failure::new(format!("cannot read {shown}: {error}; {hint}")))?;
    if golden == bytes {
        return Ok(());
    }
    let at = golden.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(Failure::new(format!(
        "{shown} has {} bytes, the form written now has {} and parts from it at byte {at}; old forms must stay \
         readable; {hint}",
        golden.len(),
        bytes.len()
    )))
}
