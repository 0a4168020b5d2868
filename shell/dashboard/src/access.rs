//! Who may use the API: one user with one password, by HTTP basic authentication (RFC 7617).

use std::fmt;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The credentials that every request but `/healthz` must carry.
#[derive(Clone)]
pub struct Access {
    expected: String,
}

impl Access {
    /// One user and its password.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            expected: authorization(user, password),
        }
    }

    fn allows(&self, given: &[u8]) -> bool {
        let expected = self.expected.as_bytes();
        // The whole of both is always compared: the time taken tells nothing about the password.
        let difference = expected
            .iter()
            .zip(given.iter().chain(std::iter::repeat(&0)))
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        difference == 0 && expected.len() == given.len()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(..)")
    }
}

/// The value of the `Authorization` header that carries these credentials.
pub fn authorization(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// The layer in front of every route that needs credentials.
pub(crate) async fn require(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    if given.is_some_and(|value| access.allows(value.as_bytes())) {
        return next.run(request).await;
    }
    let error = json!({ "error": "the API needs the user and the password of `[api]`" });
    let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"mainstay\"")];
    (StatusCode::UNAUTHORIZED, challenge, Json(error)).into_response()
}

/// The layer that refuses what a page of another site makes a browser ask for: the browser would
/// send along the credentials that it keeps for the API.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    if is_foreign(request.headers()) {
        let error = json!({ "error": "a page of another site cannot use the API" });
        return (StatusCode::FORBIDDEN, Json(error)).into_response();
    }
    next.run(request).await
}

/// A program sends no origin (RFC 6454, section 7); a browser may send `null`.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let authority = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    own.is_none() || authority.map(|(_, authority)| authority) != own
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let octet = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (octet(0) << 16) | (octet(1) << 8) | octet(2);
        for position in 0..4 {
            let sextet = (bits >> (18 - 6 * position)) & 63;
            let padding = position > chunk.len();
            text.push(if padding {
                '='
            } else {
                char::from(ALPHABET[sextet as usize])
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (length, expected) in vectors.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), expected);
        }
    }

    #[test]
    fn only_the_whole_credentials_are_allowed() {
        let access = Access::new("Aladdin", "open sesame");
        assert!(access.allows(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        for wrong in [
            &b""[..],
            b"Basic ",
            b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x",
            b"Basic QWxh",
        ] {
            assert!(!access.allows(wrong));
        }
    }
}
