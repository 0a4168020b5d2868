//! A number that changes with rows, for those who compare configurations.

use sha1::{Digest, Sha1};

use crate::figures::{Cell, Row};

/// Sixteen hexadecimal digits, as `0x…`; the order of rows counts.
pub fn of(rows: &[Row]) -> String {
    let mut hash = Sha1::new();
    for row in rows {
        for cell in row {
            let (kind, text) = match cell {
                Cell::Null => (b'n', String::new()),
                Cell::Integer(_) | Cell::Real(_) => (b'i', cell.shown()),
                Cell::Text(text) => (b't', text.clone()),
            };
            hash.update([kind]);
            hash.update(text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(b"\n");
    }
    let digits = hash.finalize();
    let first = digits.iter().take(8).map(|byte| format!("{byte:02X}"));
    format!("0x{}", first.collect::<String>())
}
