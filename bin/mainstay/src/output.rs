//! What every command prints alike: exit codes, and aligned tables.

use std::io::Write;
use std::process::ExitCode;

/// Bad input: configuration, arguments, a port in use. Scripts can tell it from a failed action.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

/// 2 for bad input, 1 for everything else.
pub(crate) fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    if error.downcast_ref::<BadInput>().is_some() {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}

/// Prints to standard output. A reader that has gone (`| head`) is no error of ours.
pub(crate) fn emit(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Columns as wide as their widest cell, two spaces between them, no trailing space.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![
            vec!["server".to_owned(), "role".to_owned()],
            vec!["db1".to_owned(), "primary".to_owned()],
        ];
        assert_eq!(table(&rows), "server  role\ndb1     primary\n");
    }

    #[test]
    fn bad_input_has_its_own_exit_code() {
        let error = anyhow::Error::from(BadInput("a port".to_owned()));
        assert_eq!(exit_code_of(&error), ExitCode::from(2));
        assert_eq!(exit_code_of(&anyhow::anyhow!("other")), ExitCode::FAILURE);
    }
}
