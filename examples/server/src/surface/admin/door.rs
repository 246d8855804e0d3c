//! Who may come in: whoever has the operators' token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smscode_core::account::AccountId;
use smscode_core::store::StoreError;

use crate::answer::{Code, Failure};
use crate::app::App;
use crate::auth::{address, bearer};
use crate::config::Hidden;
use crate::mark::Marks;

/// What makes tokens of any length comparable in the same time.
const PURPOSE: &[u8] = b"smscode operators' token";

/// What the operators' routes work with.
pub struct Admin {
    token: Hidden,
    marks: Marks,
}

impl Admin {
    /// With the token of the settings and the store's names of customers.
    pub(crate) const fn new(token: Hidden, marks: Marks) -> Self {
        Self { token, marks }
    }

    /// Whether this is the token. Takes as long for a nearly right one as for any other.
    fn is_token(&self, text: &str) -> bool {
        let (Some(wanted), Some(given)) = (keyed(self.token.reveal()), keyed(text)) else {
            return false;
        };
        given.verify_slice(&wanted.finalize().into_bytes()).is_ok()
    }

    /// The account behind a name of the settings.
    pub(super) async fn account(&self, name: &str) -> Result<Option<AccountId>, StoreError> {
        self.marks.account(name).await
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin(..)")
    }
}

fn keyed(text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(PURPOSE).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// The bearer of the operators' token. What is wrong counts against the address it came from, as wrong tokens of
/// customers do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let (address, now) = (address(parts), app.platform.now());
        app.limits.may_try(address, now)?;
        let token = bearer(parts).unwrap_or_default();
        if app.admin.as_ref().is_some_and(|admin| admin.is_token(token)) {
            return Ok(Self);
        }
        app.limits.failed_try(address, now);
        Err(Failure::new(Code::Unauthorized, "the operators' token is needed"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use smscode_core::store::MemoryStore;

    use super::Admin;
    use crate::config::Hidden;
    use crate::mark::Marks;

    #[test]
    fn only_the_token_itself_opens() {
        let token = "0123456789abcdef0123456789abcdef";
        let admin = Admin::new(Hidden::new(token), Marks::of(Arc::new(MemoryStore::new()), "memory".into()));
        assert!(admin.is_token(token));
        for other in ["", " ", &token[1..], &token.to_uppercase(), &format!("{token}0")] {
            assert!(!admin.is_token(other), "{other}");
        }
        assert_eq!(format!("{admin:?}"), "Admin(..)");
    }
}
