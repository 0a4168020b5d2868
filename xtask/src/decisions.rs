//! The form of decision records: `docs/decisions/NNNN-title.md`.

use crate::source::SourceFile;
use crate::violation::Violation;

const FOLDER: &str = "docs/decisions/";
const STATES: [&str; 4] = ["proposed", "accepted", "superseded by ", "withdrawn"];
const HEADINGS: [&str; 4] = ["Context", "Decision", "Consequences", "Rejected"];
const LINES_MAX: usize = 60;

pub(crate) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let records = files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER) && file.is_markdown());
    let mut found = Vec::new();
    let mut next = 1;
    for record in records {
        found.extend(check_form(record));
        let Some(number) = number(record) else {
            found.push(violation(
                record,
                1,
                "not named NNNN-title.md".to_owned(),
                "records are cited by number",
                "give it the next free number and a title of small letters and dashes",
            ));
            continue;
        };
        if number != next {
            found.push(violation(
                record,
                1,
                format!("number {number:04}, but {next:04} was expected"),
                "a gap looks like a record that was lost",
                "number the records without gaps or doubles",
            ));
        }
        next = number + 1;
    }
    found
}

fn number(record: &SourceFile) -> Option<u32> {
    let (number, title) = record.stem().split_once('-')?;
    let title_fits = !title.is_empty()
        && title
            .bytes()
            .all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit());
    (number.len() == 4 && title_fits).then(|| number.parse().ok())?
}

fn check_form(record: &SourceFile) -> Vec<Violation> {
    let lines = || record.text.lines().map(str::trim_end);
    let has_status = STATES.iter().any(|state| {
        lines().any(|line| {
            line.strip_prefix("Status: ")
                .is_some_and(|is| is.starts_with(state))
        })
    });
    let missing_status = (!has_status).then(|| {
        let what = format!("no line `Status: …` with one of: {}", STATES.join(", "));
        let why = "a reader must know whether the decision still holds";
        violation(record, 1, what, why, "say what is true today")
    });
    let missing = HEADINGS
        .iter()
        .filter(|heading| !lines().any(|line| line.strip_prefix("## ") == Some(**heading)))
        .map(|heading| {
            let what = format!("no heading `## {heading}`");
            let why = "a decision without it cannot be weighed again later";
            violation(
                record,
                1,
                what,
                why,
                "add it; one honest sentence is enough",
            )
        });
    let mut found: Vec<_> = missing_status.into_iter().chain(missing).collect();
    let lines = record.text.lines().count();
    if lines > LINES_MAX {
        found.push(violation(
            record,
            lines,
            format!("{lines} lines, {LINES_MAX} allowed"),
            "a record is read by people in a hurry",
            "keep what decided the matter, cut the rest",
        ));
    }
    found
}

fn violation(
    record: &SourceFile,
    line: usize,
    what: String,
    why: &'static str,
    remedy: &str,
) -> Violation {
    Violation {
        path: record.path.clone(),
        line,
        what,
        why,
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# Title\nStatus: accepted\n## Context\n## Decision\n## Consequences\n## Rejected\n";

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(name, text): &(&str, &str)| SourceFile {
            path: format!("{FOLDER}{name}"),
            text: (*text).to_owned(),
        };
        let files: Vec<_> = files.iter().map(file).collect();
        check(&files)
            .into_iter()
            .map(|violation| violation.what)
            .collect()
    }

    #[test]
    fn a_row_of_complete_records_is_in_order() {
        assert_eq!(
            whats(&[("0001-one.md", GOOD), ("0002-two-b.md", GOOD)]),
            [""; 0]
        );
    }

    #[test]
    fn gaps_doubles_and_other_names_are_found() {
        assert_eq!(
            whats(&[("0002-one.md", GOOD)]),
            ["number 0002, but 0001 was expected"]
        );
        let doubled = [("0001-a.md", GOOD), ("0001-b.md", GOOD)];
        assert_eq!(whats(&doubled), ["number 0001, but 0002 was expected"]);
        assert_eq!(
            whats(&[("1-one.md", GOOD), ("Notes.md", GOOD)]),
            ["not named NNNN-title.md"; 2]
        );
    }

    #[test]
    fn missing_headings_and_length_are_found() {
        let headless = GOOD.replace("## Rejected\n", "Rejected\n");
        assert_eq!(
            whats(&[("0001-one.md", &headless)]),
            ["no heading `## Rejected`"]
        );
        let undecided = GOOD.replace("accepted", "unclear");
        assert!(whats(&[("0001-one.md", &undecided)])[0].starts_with("no line `Status: …`"));
        let long = format!("{GOOD}{}", "line\n".repeat(55));
        assert_eq!(whats(&[("0001-one.md", &long)]), ["61 lines, 60 allowed"]);
    }
}
