//! The admin interface: tables of configuration and figures in embedded `SQLite`, commands that
//! move rows between memory, runtime and disk, and a listener that speaks the `MySQL` protocol.
//!
//! What the rows do is the business of whoever implements [`Runtime`] and [`Figures`].

mod figures;
mod runtime;
mod schema;
mod variables;

mod admin;
mod checksum;
mod drift;
mod history;
mod information;
mod layers;
mod show;
mod states;

mod database;
mod dialect;
mod functions;
mod guard;

mod attempts;
mod listener;
mod login;
mod session;

mod error;

#[cfg(test)]
mod tests;

pub use admin::{Admin, Options, Sources};
pub use checksum::of as checksum;
pub use error::{AdminError, Refused};
pub use figures::{Cell, Figures, Row};
pub use listener::{Account, Listener, Listening};
pub use runtime::{Event, Happened, Runtime, Table};
pub use schema::{Schema, TableInfo, columns, table, tables};
pub use states::SERVER_STATES;
pub use variables::defaults;
