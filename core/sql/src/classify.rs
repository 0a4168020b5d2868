//! Reads a statement in every way that a server might, and joins what was found.

use crate::digest::{Digest, Pass};
use crate::flags::Flags;
use crate::lexer::{Lexer, Reading, Token};
use crate::statement::{Access, Kind, Statement};
use crate::trusted::Trusted;

mod head;
mod hint;
mod scan;

use scan::{Part, scan_part};

/// Says what `sql` is. It allocates nothing, and accepts any bytes.
pub fn classify(sql: &[u8]) -> Statement {
    classify_trusting(sql, &Trusted::NONE)
}

/// The same, with stored functions and procedures that are known to be reads.
pub fn classify_trusting(sql: &[u8], trusted: &Trusted) -> Statement {
    classify_seeing(sql, trusted, &mut |_| {})
}

/// The same, and [`crate::digest`] of it in the same pass: every statement needs both.
pub fn classify_and_digest(
    sql: &[u8],
    trusted: &Trusted,
    text: &mut Vec<u8>,
) -> (Statement, Digest) {
    let mut pass = Pass::new(text);
    let statement = classify_seeing(sql, trusted, &mut |token| pass.take(token));
    (statement, pass.finish())
}

/// `seen` is given every token once, as servers read them by default.
fn classify_seeing(sql: &[u8], trusted: &Trusted, seen: &mut impl FnMut(Token<'_>)) -> Statement {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    let usual = read(&mut lexer, trusted, seen);
    let mut found = usual;
    if lexer.doubts.any() {
        found = join_all(sql, trusted);
    }
    let Found {
        kind,
        mut access,
        mut flags,
        rejected: _,
    } = found;
    if kind == Kind::Unknown {
        flags |= Flags::TIES;
        access = Access::Write;
    }
    Statement {
        kind,
        access,
        flags,
        hint: hint::leading(sql),
    }
}

/// The schema that a `USE` names, as written, with its quotes if it has any.
pub fn use_schema(sql: &[u8]) -> Option<&[u8]> {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    lexer.next().filter(|first| first.is("USE"))?;
    lexer.next().map(|name| name.text)
}

/// What one reading of the whole text found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    kind: Kind,
    access: Access,
    flags: Flags,
    /// A server that reads the text this way refuses it before it does anything.
    rejected: bool,
}

/// The modes of the server decide between these; any of them may be the true one. Those that
/// leave conditional comments out come last.
const READINGS: [Reading; 6] = [
    Reading::USUAL,
    Reading {
        escapes_single: true,
        escapes_double: false,
        conditional_is_code: true,
    },
    Reading {
        escapes_single: false,
        escapes_double: false,
        conditional_is_code: true,
    },
    Reading {
        escapes_single: true,
        escapes_double: true,
        conditional_is_code: false,
    },
    Reading {
        escapes_single: true,
        escapes_double: false,
        conditional_is_code: false,
    },
    Reading {
        escapes_single: false,
        escapes_double: false,
        conditional_is_code: false,
    },
];

fn join_all(sql: &[u8], trusted: &Trusted) -> Found {
    let mut joined: Option<Found> = None;
    let mut conditional = false;
    for reading in READINGS {
        if !conditional && !reading.conditional_is_code {
            break;
        }
        let mut lexer = Lexer::new(sql, reading);
        let found = read(&mut lexer, trusted, &mut |_| {});
        conditional |= lexer.doubts.conditional;
        if !found.rejected {
            joined = Some(joined.map_or(found, |other| join(other, found)));
        }
    }
    let mut joined = joined.unwrap_or(Found {
        kind: Kind::Unknown,
        access: Access::Write,
        flags: Flags::NONE,
        rejected: true,
    });
    if conditional {
        // With several versions in one text each comment may be in or out by itself: only the two
        // extremes were read, so nothing is proved.
        joined.access = Access::Write;
        joined.flags |= Flags::CONDITIONAL_COMMENT;
    }
    joined
}

fn join(one: Found, other: Found) -> Found {
    // A server for which all of it is a comment does nothing.
    let kind = if other.kind == Kind::Empty || one.kind == other.kind {
        one.kind
    } else if one.kind == Kind::Empty {
        other.kind
    } else {
        Kind::Unknown
    };
    Found {
        kind,
        access: one.access.max(other.access),
        flags: one.flags | other.flags,
        rejected: false,
    }
}

/// Reads all statements of the text.
fn read(lexer: &mut Lexer<'_>, trusted: &Trusted, seen: &mut impl FnMut(Token<'_>)) -> Found {
    let mut whole: Option<Part> = None;
    let mut parts = 0_usize;
    let mut last = scan_part(lexer, trusted, seen);
    loop {
        if last.kind != Kind::Empty {
            parts += 1;
            whole = Some(whole.map_or(last, |first| first.and(last)));
        }
        if !last.more {
            break;
        }
        last = scan_part(lexer, trusted, seen);
    }
    let Some(whole) = whole else {
        return Found {
            kind: Kind::Empty,
            access: Access::Read,
            flags: Flags::NONE,
            rejected: false,
        };
    };
    Found {
        kind: whole.kind,
        access: whole.access,
        flags: whole.flags,
        rejected: whole.broken && parts == 1,
    }
}
