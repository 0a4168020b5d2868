//! Which table the row events that follow are of.

use crate::column::Column;
use crate::parse::Input;
use crate::{BinlogError, Event, Kind};

/// A table, as a `Table_map` event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The number by which row events name it.
    pub id: u64,
    /// Its schema.
    pub schema: Vec<u8>,
    /// Its name.
    pub name: Vec<u8>,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    /// Reads the event, if it describes a table.
    pub fn read(event: &Event) -> Result<Option<Self>, BinlogError> {
        if event.kind() != Kind::TableMap {
            return Ok(None);
        }
        let malformed = || event.malformed("its columns cannot be read");
        table(event.body()).map(Some).ok_or_else(malformed)
    }

    /// `schema.table`, for people.
    pub fn shown(&self) -> String {
        let part = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        format!("{}.{}", part(&self.schema), part(&self.name))
    }
}

fn table(body: &[u8]) -> Option<Table> {
    let mut input = Input(body);
    let id = input.uint(6)?;
    let _flags = input.u16()?;
    let schema = name(&mut input)?;
    let name = name(&mut input)?;
    let count = usize::try_from(input.lenenc()?).ok()?;
    let kinds = input.take(count)?;
    let metadata_bytes = usize::try_from(input.lenenc()?).ok()?;
    let mut metadata = Input(input.take(metadata_bytes)?);
    let columns = kinds
        .iter()
        .map(|&kind| Column::read(kind, &mut metadata))
        .collect::<Option<_>>()?;
    Some(Table {
        id,
        schema,
        name,
        columns,
    })
}

fn name(input: &mut Input<'_>) -> Option<Vec<u8>> {
    let bytes = usize::from(input.u8()?);
    let name = input.take(bytes)?.to_vec();
    input.take(1)?;
    Some(name)
}
