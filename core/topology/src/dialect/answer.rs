//! Reading values out of rows by their column names.

use std::time::Duration;

use mainstay_gtid::{Family as SetFamily, GtidSet};

use super::{DialectError, Row};
use crate::facts::{Applier, Receiver};
use crate::server::Address;

/// The answer to one statement.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) statement: &'static str,
    pub(super) rows: &'a [Row],
}

/// One row of it.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    statement: &'static str,
    row: &'a Row,
}

/// The answer to the statement at `index`.
pub(super) fn answer<'a>(
    statements: &[&'static str],
    answers: &'a [Vec<Row>],
    index: usize,
) -> Result<Answer<'a>, DialectError> {
    let statement = statements[index];
    let rows = answers.get(index).ok_or(DialectError::Missing {
        statement,
        column: "an answer",
    })?;
    Ok(Answer { statement, rows })
}

impl<'a> Answer<'a> {
    /// Its first row, if it has one.
    pub(super) fn first(self) -> Option<Values<'a>> {
        let statement = self.statement;
        self.rows.first().map(|row| Values { statement, row })
    }

    /// Its rows.
    pub(super) fn all(self) -> impl Iterator<Item = Values<'a>> {
        let statement = self.statement;
        let rows = self.rows.iter();
        rows.map(move |row| Values { statement, row })
    }

    /// Its first row.
    pub(super) fn one(self) -> Result<Values<'a>, DialectError> {
        self.first().ok_or(DialectError::Missing {
            statement: self.statement,
            column: "a row",
        })
    }

    /// The value of a variable or counter in rows of `Variable_name`, `Value`; 0 when there is
    /// none, as without the semi-synchronous plugins.
    pub(super) fn counter(self, name: &'static str) -> Result<u64, DialectError> {
        match self.setting(name) {
            Some(text) => number(name, text),
            None => Ok(0),
        }
    }

    pub(super) fn setting(self, name: &'static str) -> Option<&'a str> {
        let row = self.rows.iter().find(|row| {
            let named = row.first().and_then(|(_, value)| value.as_deref());
            named.is_some_and(|found| found.eq_ignore_ascii_case(name))
        })?;
        row.get(1).and_then(|(_, value)| value.as_deref())
    }
}

impl<'a> Values<'a> {
    /// The value of a column, `None` for NULL.
    pub(super) fn get(self, column: &'static str) -> Result<Option<&'a str>, DialectError> {
        self.row
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(column))
            .map(|(_, value)| value.as_deref())
            .ok_or(DialectError::Missing {
                statement: self.statement,
                column,
            })
    }

    /// The value of a column that not every version has; the empty text without one.
    pub(super) fn any(self, column: &'static str) -> &'a str {
        let value = self.get(column).ok().flatten();
        value.unwrap_or_default()
    }

    /// The value as text; NULL is the empty text.
    pub(super) fn text(self, column: &'static str) -> Result<&'a str, DialectError> {
        Ok(self.get(column)?.unwrap_or_default())
    }

    /// The value as a number; NULL is 0.
    pub(super) fn number<T: std::str::FromStr + Default>(
        self,
        column: &'static str,
    ) -> Result<T, DialectError> {
        self.get(column)?
            .map_or_else(|| Ok(T::default()), |text| number(column, text))
    }

    /// The value as a switch; NULL is off.
    pub(super) fn is_on(self, column: &'static str) -> Result<bool, DialectError> {
        Ok(matches!(self.text(column)?, "1" | "ON" | "YES"))
    }

    /// The value as a GTID set.
    pub(super) fn set(
        self,
        family: SetFamily,
        column: &'static str,
    ) -> Result<GtidSet, DialectError> {
        let text = self.text(column)?;
        GtidSet::parse(family, text).map_err(|_| DialectError::Value {
            column,
            value: text.to_owned(),
            expected: "a GTID set",
        })
    }

    /// Host and port of the source.
    pub(super) fn address(
        self,
        host: &'static str,
        port: &'static str,
    ) -> Result<Address, DialectError> {
        Ok(Address {
            host: self.text(host)?.to_owned(),
            port: self.number(port)?,
        })
    }

    /// The state of the receiver.
    pub(super) fn receiver(self, column: &'static str) -> Result<Receiver, DialectError> {
        match self.text(column)? {
            "Yes" => Ok(Receiver::Running),
            "Connecting" | "Preparing" => Ok(Receiver::Connecting),
            "No" => Ok(Receiver::Stopped),
            other => Err(DialectError::Value {
                column,
                value: other.to_owned(),
                expected: "Yes, Connecting or No",
            }),
        }
    }

    /// The state of the applier.
    pub(super) fn applier(
        self,
        running: &'static str,
        errno: &'static str,
    ) -> Result<Applier, DialectError> {
        let code: u32 = self.number(errno)?;
        Ok(match (self.text(running)?, code) {
            ("Yes", _) => Applier::Running,
            (_, 0) => Applier::Stopped,
            (_, code) => Applier::Failed(code),
        })
    }

    /// The lag, in whole seconds as servers count it.
    pub(super) fn lag(self, column: &'static str) -> Result<Option<Duration>, DialectError> {
        let text = self.get(column)?;
        text.map(|text| number(column, text).map(Duration::from_secs))
            .transpose()
    }
}

pub(super) fn number<T: std::str::FromStr>(
    column: &'static str,
    text: &str,
) -> Result<T, DialectError> {
    text.parse().map_err(|_| DialectError::Value {
        column,
        value: text.to_owned(),
        expected: "a number",
    })
}

/// One number that changes whenever anything arrives: FNV-1a over what the replica has counted.
pub(super) fn heard(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
