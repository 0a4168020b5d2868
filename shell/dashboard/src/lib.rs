//! The HTTP API and its JSON views. No JavaScript, no state: every answer is made from what a
//! [`Source`] gives at that moment. How the manager works is left to `mainstay-manager`.

mod access;
mod error;
mod server;
mod source;
pub mod views;

#[cfg(test)]
mod tests;

pub use access::{Access, authorization};
pub use error::{ApiError, ServeError};
pub use server::{Server, guarded_router, router};
pub use source::{Pending, Source};
