//! The set of facts about a statement besides its kind. A plain bit set, so that it is `Copy`.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// Facts about a statement; combine them with `|`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr, $text:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            const NAMES: &[(Self, &'static str)] = &[$((Self::$name, $text)),*];
        }
    };
}

flags! {
    /// Takes row locks: `FOR UPDATE`, `FOR SHARE`, `LOCK IN SHARE MODE`, at any depth.
    LOCKING_READ = 0, "locking-read";
    /// Reads or sets the id of the last insert, which lives in one connection.
    LAST_INSERT_ID = 1, "last-insert-id";
    /// Reads the row count of the previous statement: `FOUND_ROWS()`, `ROW_COUNT()`.
    ROW_COUNT = 2, "row-count";
    /// Mentions a user variable (`@x`).
    READS_USER_VARIABLE = 3, "reads-variable";
    /// Assigns a user variable: `:=`, `SET @x`, `INTO @x`, an argument of `CALL`.
    ASSIGNS_USER_VARIABLE = 4, "assigns-variable";
    /// Writes a file on the server: `INTO OUTFILE`, `INTO DUMPFILE`.
    INTO_FILE = 5, "into-file";
    /// `SELECT … INTO` variables.
    INTO_VARIABLE = 6, "into-variable";
    /// `CREATE TEMPORARY TABLE`.
    CREATES_TEMPORARY = 7, "creates-temporary";
    /// `DROP TEMPORARY TABLE`.
    DROPS_TEMPORARY = 8, "drops-temporary";
    /// Takes, frees or asks for a named lock (`GET_LOCK` and its family).
    NAMED_LOCK = 9, "named-lock";
    /// Moves or reads a sequence.
    SEQUENCE = 10, "sequence";
    /// Asks for `SQL_CALC_FOUND_ROWS`: the next statement will read the count.
    CALC_FOUND_ROWS = 11, "calc-found-rows";
    /// Calls a function that is not a known built-in one: it may be a stored one, and write.
    UNKNOWN_FUNCTION = 12, "unknown-function";
    /// Reads the diagnostics of the previous statement (`SHOW WARNINGS`, `@@warning_count`).
    DIAGNOSTICS = 13, "diagnostics";
    /// Ends an open transaction by committing it first.
    IMPLICIT_COMMIT = 14, "implicit-commit";
    /// `START TRANSACTION READ ONLY`, or `SET … TRANSACTION READ ONLY`.
    READ_ONLY_TRANSACTION = 15, "read-only";
    /// `AND CHAIN`: a new transaction begins at once.
    CHAIN = 16, "chain";
    /// `RELEASE`: the server closes the connection afterwards.
    RELEASE = 17, "release";
    /// Turns the session's autocommit on.
    AUTOCOMMIT_ON = 18, "autocommit-on";
    /// Turns the session's autocommit off.
    AUTOCOMMIT_OFF = 19, "autocommit-off";
    /// `SET TRANSACTION` for the next transaction only.
    NEXT_TRANSACTION = 20, "next-transaction";
    /// Can run long by intent: `SLEEP`, `BENCHMARK`.
    WAITS = 21, "waits";
    /// `LOAD DATA LOCAL`: the server will ask the client for a file.
    LOCAL_FILE = 22, "local-file";
    /// Has an executable comment that only some server versions run.
    CONDITIONAL_COMMENT = 23, "conditional";
    /// Leaves state on the connection that cannot be set up again on another one.
    TIES = 24, "ties";
    /// Sets a global, persisted or write-once thing of the server.
    GLOBAL = 25, "global";
    /// Shows or sets what the server tells of session changes (`session_track_…`).
    TRACKING = 26, "tracking";
}

impl Flags {
    /// No fact at all.
    pub const NONE: Self = Self(0);

    /// True when all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when at least one of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// True when no fact is known.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the facts that are set, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.names()).finish()
    }
}
