//! How many bytes a value takes in a row event.
//!
//! Source: `MySQL` source documentation, `Table_map_event` (types and metadata) and
//! `Field_types`; types 140 and 141 are `MariaDB`'s compressed columns.

use crate::parse::Input;

/// A column, as a table map describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    kind: u8,
    /// Two bytes at most, the first the lowest.
    metadata: u16,
}

const STRING: u8 = 254;
const ENUM: u8 = 247;
const SET: u8 = 248;

/// Bytes of the digits that do not fill a group of nine.
const DECIMAL_REST_BYTES: [usize; 9] = [0, 1, 1, 2, 2, 3, 3, 4, 4];

impl Column {
    /// The column of a type, which takes its metadata from the input; `None` for a type whose
    /// values cannot be measured.
    pub(crate) fn read(kind: u8, metadata: &mut Input<'_>) -> Option<Self> {
        let bytes = match kind {
            // FLOAT, DOUBLE, VECTOR, JSON, the BLOBs, GEOMETRY; times with fractions.
            4 | 5 | 17..=19 | 140 | 242 | 245 | 249..=252 | 255 => 1,
            // VARCHAR, BIT, DECIMAL, ENUM, SET, VAR_STRING, STRING.
            15 | 16 | 141 | 246..=248 | 253 | STRING => 2,
            // Fixed numbers, dates and NULL.
            0..=3 | 6..=14 => 0,
            _ => return None,
        };
        let metadata = metadata.uint(bytes)? as u16;
        Some(Self { kind, metadata })
    }

    /// Takes a value that is not NULL.
    pub(crate) fn skip(self, input: &mut Input<'_>) -> Option<()> {
        let [low, high] = self.metadata.to_le_bytes();
        let fraction = usize::from(low).div_ceil(2);
        let bytes = match self.kind {
            6 => 0,
            1 | 13 => 1,
            2 => 2,
            9..=11 | 14 => 3,
            3 | 7 => 4,
            8 | 12 => 8,
            17 => 4 + fraction,
            18 => 5 + fraction,
            19 => 3 + fraction,
            4 | 5 => usize::from(low),
            0 | 246 => decimal_bytes(usize::from(low), usize::from(high))?,
            16 => usize::from(high) + usize::from(low > 0),
            ENUM | SET => usize::from(high),
            15 | 141 | 253 => counted(input, if self.metadata < 256 { 1 } else { 2 })?,
            STRING => return string(low, high, input),
            _ => counted(input, usize::from(low).min(8))?,
        };
        input.take(bytes).map(|_| ())
    }
}

/// The value's own length stands before it.
fn counted(input: &mut Input<'_>, length_bytes: usize) -> Option<usize> {
    usize::try_from(input.uint(length_bytes)?).ok()
}

/// CHAR, and ENUM and SET that hide behind it. The length of a CHAR over 255 bytes borrows two
/// bits of the type.
fn string(first: u8, second: u8, input: &mut Input<'_>) -> Option<()> {
    let (kind, bytes_max) = if first & 0x30 == 0x30 {
        (first, usize::from(second))
    } else {
        let borrowed = usize::from(first & 0x30 ^ 0x30) << 4;
        (first | 0x30, usize::from(second) | borrowed)
    };
    let bytes = match kind {
        ENUM | SET => bytes_max,
        _ => counted(input, if bytes_max < 256 { 1 } else { 2 })?,
    };
    input.take(bytes).map(|_| ())
}

fn decimal_bytes(precision: usize, scale: usize) -> Option<usize> {
    let whole = precision.checked_sub(scale)?;
    let part = |digits: usize| digits / 9 * 4 + DECIMAL_REST_BYTES[digits % 9];
    Some(part(whole) + part(scale))
}
