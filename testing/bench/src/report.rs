//! Medians and tables, for the terminal and as JSON and Markdown.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// All tables of a run.
#[derive(Debug, Default)]
pub struct Report {
    tables: Vec<Table>,
    notes: Vec<String>,
}

/// One table: rows of text cells, and the same as numbers.
#[derive(Debug)]
pub struct Table {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub fn new(title: &str, columns: &[&'static str]) -> Self {
        Self {
            title: title.to_owned(),
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; its cells in the order of the columns.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// As Markdown, columns aligned so that it reads well in a terminal too.
    fn markdown(&self) -> String {
        let width = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let cells = cells.map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(self.columns[index].len())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::from("|");
            for (cell, width) in cells.zip(&widths) {
                let _ = write!(text, " {cell:<width$} |");
            }
            text + "\n"
        };
        let mut text = format!("## {}\n\n", self.title);
        text += &line(&mut self.columns.iter().copied());
        let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        text += &line(&mut dashes.iter().map(String::as_str));
        for row in &self.rows {
            text += &line(&mut row.iter().map(String::as_str));
        }
        text
    }

    fn json(&self) -> Value {
        let row = |cells: &Vec<String>| -> Value {
            let pairs = self.columns.iter().zip(cells);
            pairs
                .map(|(column, cell)| ((*column).to_owned(), cell_value(cell)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        json!({"title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>()})
    }
}

fn cell_value(cell: &str) -> Value {
    cell.parse::<f64>()
        .map_or_else(|_| json!(cell), |number| json!(number))
}

impl Report {
    /// Prints the table and keeps it.
    pub fn add(&mut self, table: Table) {
        say(&format!("\n{}", table.markdown()));
        self.tables.push(table);
    }

    /// Prints the sentence and keeps it.
    pub fn note(&mut self, sentence: String) {
        say(&sentence);
        self.notes.push(sentence);
    }

    /// Writes NAME.json and NAME.md.
    pub fn write(&self, name: &Path) -> Result<()> {
        let tables: Vec<Value> = self.tables.iter().map(Table::json).collect();
        let json = json!({"notes": self.notes, "tables": tables});
        let mut text = self.notes.join("\n\n") + "\n\n";
        for table in &self.tables {
            text += &table.markdown();
            text.push('\n');
        }
        let write = |extension: &str, text: String| {
            let path = name.with_extension(extension);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            say(&format!("written: {}", path.display()));
            Ok::<_, anyhow::Error>(())
        };
        write("json", serde_json::to_string_pretty(&json)?)?;
        write("md", text)
    }
}

/// A line for the person at the terminal, who may have gone.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The median; of two in the middle, their mean.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// The geometric mean, which ratios want.
pub fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len().max(1) as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median([4.0, 1.0]).to_bits(), 2.5_f64.to_bits());
    }
}
