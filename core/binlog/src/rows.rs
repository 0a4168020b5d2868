//! The rows of one event, as images that are measured but not decoded.
//!
//! Source: `MySQL` source documentation, `Rows_event`.

use std::ops::Range;

use crate::parse::Input;
use crate::{BinlogError, Event, Kind, Table};

/// What happened to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// They were inserted.
    Write,
    /// They were changed: each row has two images.
    Update,
    /// They were deleted.
    Delete,
}

/// The rows of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// What happened.
    pub change: Change,
    /// The number of their table.
    pub table: u64,
    /// `STMT_END_F` and others.
    pub(crate) flags: u16,
    has_extra: bool,
    width: usize,
    /// Every column is in every image.
    pub(crate) is_full: bool,
    data: Vec<u8>,
    images: Vec<Range<usize>>,
}

/// How an event type stores its rows. Compressed ones were unpacked before.
struct Layout {
    change: Change,
    has_extra: bool,
}

impl Layout {
    fn of(kind: Kind) -> Option<Self> {
        let (change, has_extra) = match kind {
            Kind::WriteRowsV1 => (Change::Write, false),
            Kind::UpdateRowsV1 => (Change::Update, false),
            Kind::DeleteRowsV1 => (Change::Delete, false),
            Kind::WriteRows => (Change::Write, true),
            Kind::UpdateRows => (Change::Update, true),
            Kind::DeleteRows => (Change::Delete, true),
            _ => return None,
        };
        Some(Self { change, has_extra })
    }
}

impl Rows {
    /// The number of the table whose rows the event holds, if it holds rows.
    pub(crate) fn table_of(event: &Event) -> Option<u64> {
        let is_rows = Layout::of(event.kind()).is_some() || event.kind() == Kind::PartialUpdateRows;
        is_rows.then(|| Input(event.body()).uint(6))?
    }

    /// Reads the event, if it holds rows of this table.
    pub fn read(event: &Event, table: &Table) -> Result<Option<Self>, BinlogError> {
        let Some(layout) = Layout::of(event.kind()) else {
            return Ok(None);
        };
        let malformed = || event.malformed("its rows do not fit its table");
        rows(event.body(), &layout, table)
            .map(Some)
            .ok_or_else(malformed)
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        match self.change {
            Change::Update => self.images.len() / 2,
            Change::Write | Change::Delete => self.images.len(),
        }
    }

    /// Each row's images, as they are stored: one, or the old and the new one of a changed row.
    pub(crate) fn row_images(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let width = if self.change == Change::Update { 2 } else { 1 };
        let of_row = |ranges: &[Range<usize>]| {
            let images = ranges.iter().map(|range| &self.data[range.clone()]);
            images.collect()
        };
        self.images.chunks(width).map(of_row)
    }

    /// The type and the body of an event that undoes this one: what was inserted is deleted, what
    /// was deleted inserted, and what was changed has its images exchanged; the last row first.
    pub(crate) fn undone(&self, flags: u16) -> (Kind, Vec<u8>) {
        let (v1, v2) = match self.change {
            Change::Write => (Kind::DeleteRowsV1, Kind::DeleteRows),
            Change::Update => (Kind::UpdateRowsV1, Kind::UpdateRows),
            Change::Delete => (Kind::WriteRowsV1, Kind::WriteRows),
        };
        let reversed = self.images.iter().rev();
        let body = self.body(flags, reversed);
        (if self.has_extra { v2 } else { v1 }, body)
    }

    fn body<'a>(&self, flags: u16, images: impl Iterator<Item = &'a Range<usize>>) -> Vec<u8> {
        let mut body = self.table.to_le_bytes()[..6].to_vec();
        body.extend(flags.to_le_bytes());
        if self.has_extra {
            // The length counts itself: no extra data.
            body.extend(2_u16.to_le_bytes());
        }
        put_lenenc(&mut body, self.width);
        let bitmaps = if self.change == Change::Update { 2 } else { 1 };
        for _ in 0..bitmaps {
            put_full_bitmap(&mut body, self.width);
        }
        for image in images {
            body.extend_from_slice(&self.data[image.clone()]);
        }
        body
    }
}

fn rows(body: &[u8], layout: &Layout, table: &Table) -> Option<Rows> {
    let mut input = Input(body);
    let id = input.uint(6)?;
    let flags = input.u16()?;
    if layout.has_extra {
        let extra_bytes = usize::from(input.u16()?).checked_sub(2)?;
        input.take(extra_bytes)?;
    }
    let width = usize::try_from(input.lenenc()?).ok()?;
    if id != table.id || width != table.columns.len() {
        return None;
    }
    let first = input.take(width.div_ceil(8))?;
    let second = match layout.change {
        Change::Update => input.take(width.div_ceil(8))?,
        Change::Write | Change::Delete => first,
    };
    let data = input.0.to_vec();
    let mut images = Vec::new();
    let mut rest = Input(&data);
    while !rest.0.is_empty() {
        let is_second = layout.change == Change::Update && images.len() % 2 == 1;
        let begin = data.len() - rest.0.len();
        skip_image(&mut rest, if is_second { second } else { first }, table)?;
        images.push(begin..data.len() - rest.0.len());
    }
    if layout.change == Change::Update && images.len() % 2 == 1 {
        return None;
    }
    let is_full = [first, second].iter().all(|present| {
        let has = |column: usize| present[column / 8] >> (column % 8) & 1 == 1;
        (0..width).all(has)
    });
    Some(Rows {
        change: layout.change,
        table: id,
        flags,
        has_extra: layout.has_extra,
        width,
        is_full,
        data,
        images,
    })
}

/// The NULL bits of the columns that are present, then the values of those that are not NULL.
fn skip_image(input: &mut Input<'_>, present: &[u8], table: &Table) -> Option<()> {
    let has = |bits: &[u8], at: usize| bits[at / 8] >> (at % 8) & 1 == 1;
    let columns = || {
        let numbered = table.columns.iter().enumerate();
        numbered.filter(|(at, _)| has(present, *at))
    };
    let count = columns().count();
    // An image without columns would never end.
    if count == 0 {
        return None;
    }
    let nulls = input.take(count.div_ceil(8))?;
    for (at, (_, column)) in columns().enumerate() {
        if !has(nulls, at) {
            column.skip(input)?;
        }
    }
    Some(())
}

fn put_full_bitmap(body: &mut Vec<u8>, width: usize) {
    body.extend(std::iter::repeat_n(0xff, width / 8));
    if !width.is_multiple_of(8) {
        body.push((1 << (width % 8)) - 1);
    }
}

/// A table has at most 4096 columns.
fn put_lenenc(body: &mut Vec<u8>, n: usize) {
    match u8::try_from(n) {
        Ok(small) if small < 251 => body.push(small),
        _ => {
            body.push(0xfc);
            body.extend((n as u16).to_le_bytes());
        }
    }
}
