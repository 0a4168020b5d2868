//! `main.config_drift`: what file, memory, runtime and disk do not say alike.

use std::collections::BTreeMap;

use mainstay_command::Module;

use crate::admin::Admin;
use crate::checksum;
use crate::error::AdminError;
use crate::figures::{Cell, Row};
use crate::layers::whole;
use crate::runtime::Table;
use crate::schema;

/// File, memory, runtime, disk.
const LAYERS: usize = 4;

/// Of one row, what each layer has.
type Versions<'r> = [Option<&'r Row>; LAYERS];

pub(crate) fn rows(admin: &Admin) -> Result<Vec<Row>, AdminError> {
    let mut drift = Vec::new();
    for module in Module::ALL {
        // A file that cannot be read says nothing.
        let file = admin.sources.runtime.file(module).ok();
        let layers = [
            file,
            Some(admin.memory(module)?),
            Some(admin.sources.runtime.rows(module)),
            admin.on_disk(module)?,
        ];
        let layers = layers.map(|tables| tables.map(|tables| whole(module, &tables)));
        for (at, name) in module.tables().iter().enumerate() {
            let tables = layers
                .each_ref()
                .map(|layer| layer.as_ref().and_then(|tables| tables.get(at)));
            compare(module, name, tables, &mut drift);
        }
    }
    let waits = "waits for a restart: the process runs with what it started with";
    drift.extend(admin.sources.runtime.waiting().into_iter().map(|key| {
        let nothing = [const { Cell::Null }; LAYERS];
        let mut row = vec!["SETTINGS".into(), "".into(), key.into(), "".into()];
        row.extend(nothing);
        row.push(waits.into());
        row
    }));
    Ok(drift)
}

fn compare(
    module: Module,
    name: &'static str,
    tables: [Option<&Table>; LAYERS],
    drift: &mut Vec<Row>,
) {
    let mut found: BTreeMap<String, Versions<'_>> = BTreeMap::new();
    for (layer, table) in tables.iter().enumerate() {
        let Some(table) = table else { continue };
        for row in &table.rows {
            found.entry(table.row_name(row)).or_default()[layer] = Some(row);
        }
    }
    let speaks = tables.map(|table| table.is_some());
    for (key, versions) in found {
        let there = versions.map(|row| row.is_some());
        if different(&there, speaks) {
            let says = |there: bool| there.then_some("a row");
            let values = there.map(says).map(Cell::from);
            drift.push(line((module, name), (&key, "*"), values, speaks));
            continue;
        }
        for (at, column) in schema::columns(name).iter().enumerate() {
            let values = versions.map(|row| row.map(|row| &row[at]));
            if different(&values, speaks) {
                let shown = values.map(|cell| shown(name, &key, column, cell));
                drift.push(line((module, name), (&key, column), shown, speaks));
            }
        }
    }
}

/// Whether the layers that speak of the module differ.
fn different<T: PartialEq>(values: &[T; LAYERS], speaks: [bool; LAYERS]) -> bool {
    let mut spoken = values.iter().zip(speaks).filter(|(_, speaks)| *speaks);
    let first = spoken.next();
    first.is_some_and(|(first, _)| spoken.any(|(value, _)| value != first))
}

/// A secret is shown by what tells two of them apart.
fn shown(table: &str, key: &str, column: &str, cell: Option<&Cell>) -> Cell {
    let Some(cell) = cell else { return Cell::Null };
    let secret = column == "password"
        || table == "global_variables" && (key.contains("password") || key.contains("credentials"));
    if secret {
        return Cell::Text(format!("*** {}", checksum::of(&[vec![cell.clone()]])));
    }
    cell.text().into()
}

fn line(
    (module, table): (Module, &str),
    (key, column): (&str, &str),
    values: [Cell; LAYERS],
    speaks: [bool; LAYERS],
) -> Row {
    let mut comment = Vec::new();
    let [file, memory, runtime, disk] = &values;
    if memory != runtime {
        comment.push("memory is not loaded");
    }
    if speaks[0] && file != runtime {
        comment.push("what runs is not what the file says");
    }
    if speaks[3] && disk != runtime {
        comment.push("what was saved does not run");
    } else if !speaks[3] && speaks[0] && file != runtime {
        comment.push("not saved: the next start runs the file");
    }
    let mut row = vec![
        module.name().into(),
        table.into(),
        key.into(),
        column.into(),
    ];
    let comment = comment.join("; ");
    row.extend(values);
    row.push(comment.into());
    row
}
