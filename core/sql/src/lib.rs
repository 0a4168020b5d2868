//! What a statement is: read, write, transaction edge, session effect, hint.
//!
//! The judgement is lexical, so it errs in one direction only: a statement is [`Access::Read`] when
//! every token of it is understood and none of them can write; everything else is for the writer.
//!
//! What no lexer can see is left to the server: a view or a trigger that calls a writing function
//! (a replica refuses it, being read-only), and the session state that a stored procedure leaves.
//! In client character sets whose second bytes look like ASCII (GBK, Big5, SJIS) a backslash or a
//! quote may be half of a letter: see [`set::hides_quotes`].

mod statement;

mod flags;

mod classify;

pub mod annotation;
pub mod digest;
mod trusted;

mod lexer;

mod dialect;
mod functions;
mod keywords;
mod kill;

pub mod named;
mod repeatable;
pub mod set;
mod tables;

#[cfg(test)]
mod tests;

pub use annotation::{Annotations, HostgroupWish};
pub use classify::{classify, classify_and_digest, classify_trusting, use_schema};
pub use dialect::names_replication_variable;
pub use digest::{Digest, digest};
pub use flags::Flags;
pub use kill::{Kill, KillTarget, connection_id_column, kill};
pub use repeatable::is_repeatable;
pub use statement::{Access, Hint, Kind, Statement};
pub use tables::{table, tables};
pub use trusted::Trusted;
