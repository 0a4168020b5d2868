//! The admin interface: tables of configuration and figures in embedded `SQLite`, commands that
//! move rows between memory, runtime and disk, and a listener that speaks the `MySQL` protocol.
//!
//! What the rows do is the business of whoever implements [`Figures`].

mod figures;

pub use figures::{Cell, Figures, Row};
