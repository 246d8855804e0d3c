//! Who asks: the token in, the account out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use smscode_core::account::AccountId;

use crate::answer::{Code, Failure};
use crate::app::App;
use crate::limit::real_now;

/// The other end of the connection; the accept loop puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The address of the other end.
pub fn address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}

/// Whose token this is. Counts what is wrong against the address it came from; takes no permit of the account.
pub async fn authenticate(app: &App, address: IpAddr, token: &str) -> Result<AccountId, Failure> {
    let now = real_now();
    app.limits.may_try(address, now)?;
    match app.platform.authenticate(token).await {
        Ok(Some(account)) => Ok(account),
        Ok(None) => {
            app.limits.failed_try(address, now);
            Err(Failure::new(Code::Unauthorized, "a valid token is needed"))
        }
        Err(error) => {
            // every request ends here while the store is away; the workers say so once a second
            tracing::debug!(code = error.code(), %error, "a token could not be checked");
            Err(Failure::new(Code::Unavailable, "temporarily unavailable"))
        }
    }
}

/// The account behind the bearer token of a request. Counts as no request yet: see [`Caller`].
#[derive(Clone, Copy, Debug)]
pub struct Bearer(pub AccountId);

impl FromRequestParts<Arc<App>> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let token = bearer(parts).unwrap_or_default();
        authenticate(app, address(parts), token).await.map(Self)
    }
}

/// The account behind the bearer token of a request, with a permit taken.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub AccountId);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Bearer(account) = Bearer::from_request_parts(parts, app).await?;
        app.limits.request(account, real_now())?;
        Ok(Self(account))
    }
}

/// The token of `Authorization: Bearer <token>`, scheme in any case.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let text = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
