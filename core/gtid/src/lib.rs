//! GTID sets and their algebra: parse, union, subtract, contains.
//!
//! A GTID names one transaction by its origin. The two families of servers differ in form and in
//! what a set means; [`mysql`] and [`mariadb`] hold the two, and [`GtidSet`] is the value that the
//! rest of the product carries. Nothing here talks to a server or knows its statements.

pub mod mariadb;
pub mod mysql;

mod difference;
mod error;
mod set;

pub use difference::Difference;
pub use error::GtidError;
pub use set::{Family, GtidSet};
