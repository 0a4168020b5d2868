//! The digest of a statement: its text without its values, and a hash of that. Both are those of
//! ProxySQL 2.7 with its default settings, so that rules and graphs made for it go on working.
//!
//! - literals become `?`, comments vanish, a run of white space is one blank;
//! - no blank next to parentheses and commas, nor between a value and an operator; no sign before
//!   a value: `= -1` is `= ?`;
//! - of a list of more than four values three stay: `(?,?,?,...)`; of equal lists in a row, ten;
//! - it ends at [`TEXT_MAX`] bytes, and has no semicolon at its end.
//!
//! Where this lexer knows better than ProxySQL's the texts differ: names in backticks are kept as
//! they are, executable comments are read as code, `a - b` keeps its sign, and of equal short lists
//! (`(?,?),(?,?),…`) only ten stay too, so that a bulk insert has one digest for any row count.

mod spooky;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::lexer::{Lexer, Reading, Token, TokenKind};
use writer::Writer;

/// The longest text of a digest, in bytes.
pub const TEXT_MAX: usize = 2048;

/// The hash of a digest text; prints as `0x00C0FFEE00C0FFEE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// The hash of a digest text.
    pub fn of_text(text: &[u8]) -> Self {
        Self(spooky::hash64(text))
    }

    /// What [`fmt::Display`] prints; the `0x` may be left out.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("0x").or(text.strip_prefix("0X"));
        let hex = hex.unwrap_or(text);
        let digits = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u64::from_str_radix(hex, 16).ok().filter(|_| digits)?;
        Some(Self(value))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016X}", self.0)
    }
}

/// Writes the digest text of `sql` over what is in `text`, and gives its hash. Nothing is allocated
/// when `text` has room for [`TEXT_MAX`] bytes and a little more.
pub fn digest(sql: &[u8], text: &mut Vec<u8>) -> Digest {
    let mut pass = Pass::new(text);
    for token in Lexer::new(sql, Reading::USUAL) {
        pass.take(token);
        if pass.full {
            break;
        }
    }
    pass.finish()
}

/// One pass over the tokens of a statement.
pub(crate) struct Pass<'a> {
    writer: Writer<'a>,
    /// Where the last token ended.
    end: usize,
    /// Nothing that follows can be seen.
    full: bool,
}

impl<'a> Pass<'a> {
    /// Writes over what is in `text`.
    pub(crate) fn new(text: &'a mut Vec<u8>) -> Self {
        text.clear();
        Self {
            writer: Writer::new(text),
            end: 0,
            full: false,
        }
    }

    /// The next token.
    pub(crate) fn take(&mut self, token: Token<'_>) {
        if self.full {
            return;
        }
        if token.start > self.end {
            self.writer.blank();
        }
        self.end = token.end();
        put(&mut self.writer, token);
        self.full = self.writer.is_full();
    }

    /// The text is whole.
    pub(crate) fn finish(mut self) -> Digest {
        self.writer.finish();
        Digest::of_text(self.writer.text())
    }
}

fn put(writer: &mut Writer<'_>, token: Token<'_>) {
    match token.kind {
        TokenKind::Text | TokenKind::DoubleQuoted | TokenKind::Punctuation(b'?') => writer.value(),
        TokenKind::Number => match token.text {
            // ProxySQL takes the dot for one that parts names.
            [b'.', ..] => {
                writer.copy(b".");
                writer.value();
            }
            number if is_value(number) => writer.value(),
            name => writer.copy(name),
        },
        // `'user'@'host'`
        TokenKind::UserVariable if matches!(token.text.get(1), Some(b'\'' | b'"')) => {
            writer.copy(b"@");
            writer.value();
        }
        // A string without an end must not be seen either.
        TokenKind::Broken if matches!(token.text.first(), Some(b'\'' | b'"')) => writer.value(),
        TokenKind::Word
        | TokenKind::Name
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Assign
        | TokenKind::Semicolon
        | TokenKind::Punctuation(_)
        | TokenKind::Broken
        | TokenKind::Unclear => writer.copy(token.text),
    }
}

/// True for a number; false for a name that begins with digits, which the lexer cannot tell apart.
fn is_value(text: &[u8]) -> bool {
    let all = |digits: &[u8], is: fn(&u8) -> bool| !digits.is_empty() && digits.iter().all(is);
    match text {
        [b'\\', ..] => true,
        [b'0', b'x', hex @ ..] => all(hex, u8::is_ascii_hexdigit),
        [b'0', b'b', bits @ ..] => all(bits, |bit| matches!(bit, b'0' | b'1')),
        _ => {
            let mut rest = text.iter().skip_while(|byte| byte.is_ascii_digit());
            match rest.next() {
                None | Some(b'.') => true,
                // `1e5` and `1e+5`, but `1east` is a name.
                Some(b'e' | b'E') => {
                    text.last().is_some_and(u8::is_ascii_digit)
                        && rest.all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-'))
                }
                Some(_) => false,
            }
        }
    }
}
