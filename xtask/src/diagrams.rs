//! Generated parts of documents: written by `docs`, checked for freshness by `tidy`.
//!
//! A document holds two marker lines; what stands between them belongs to the generator:
//! ```text
//! <!-- generated NAME: cargo run -p xtask -- docs -->
//! <!-- end NAME -->
//! ```

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::source::SourceFile;
use crate::violation::Violation;

/// One diagram in one document.
pub(crate) struct Diagram {
    /// The document, relative to the root.
    pub(crate) document: &'static str,
    /// The name in the markers.
    pub(crate) name: &'static str,
    /// Gives the Mermaid text, without the fence.
    pub(crate) generate: fn() -> String,
}

/// Every diagram that is derived from a table in the code.
pub(crate) const DIAGRAMS: &[Diagram] = &[
    Diagram {
        document: "docs/life-of-a-failover.md",
        name: "phases",
        generate: mainstay_failover::phase::mermaid,
    },
    Diagram {
        document: "docs/vip.md",
        name: "router",
        generate: mainstay_vrrp::state::mermaid,
    },
];

/// Documents whose diagrams are missing or differ from the code.
pub(crate) fn check(files: &[SourceFile], diagrams: &[Diagram]) -> Vec<Violation> {
    let stale = |diagram: &Diagram| {
        let file = files.iter().find(|file| file.path == diagram.document);
        let (what, remedy) = match file.map(|file| replaced(&file.text, diagram)) {
            Some(Some(fresh)) if file.is_some_and(|file| file.text == fresh) => return None,
            Some(Some(_)) => (
                format!("the diagram `{}` is not what the code says", diagram.name),
                "run `cargo run -p xtask -- docs`".to_owned(),
            ),
            Some(None) | None => (
                format!("no place for the diagram `{}`", diagram.name),
                format!(
                    "add the lines `{}` and `{}`",
                    opening(diagram),
                    closing(diagram)
                ),
            ),
        };
        let line = file.map_or(1, |file| line_of(&file.text, &opening(diagram)));
        let why = "a diagram that has drifted from the code misleads";
        Some(Violation {
            path: diagram.document.to_owned(),
            line,
            what,
            why,
            remedy,
        })
    };
    diagrams.iter().filter_map(stale).collect()
}

/// Brings every document up to date; returns those that changed.
pub(crate) fn rewrite(root: &Path, diagrams: &[Diagram]) -> anyhow::Result<Vec<&'static str>> {
    let mut changed = Vec::new();
    for diagram in diagrams {
        let path = root.join(diagram.document);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let Some(fresh) = replaced(&text, diagram) else {
            let (opening, closing) = (opening(diagram), closing(diagram));
            bail!(
                "{}: add the lines `{opening}` and `{closing}`",
                diagram.document
            );
        };
        if fresh != text {
            fs::write(&path, fresh).with_context(|| format!("writing {}", path.display()))?;
            changed.push(diagram.document);
        }
    }
    Ok(changed)
}

fn opening(diagram: &Diagram) -> String {
    format!(
        "<!-- generated {}: cargo run -p xtask -- docs -->",
        diagram.name
    )
}

fn closing(diagram: &Diagram) -> String {
    format!("<!-- end {} -->", diagram.name)
}

/// The document with the diagram as the code has it; `None` if a marker is missing.
fn replaced(text: &str, diagram: &Diagram) -> Option<String> {
    let opening = opening(diagram);
    let (before, rest) = text.split_once(&opening)?;
    let (_, after) = rest.split_once(&closing(diagram))?;
    let mermaid = (diagram.generate)();
    let (mermaid, closing) = (mermaid.trim_end(), closing(diagram));
    Some(format!(
        "{before}{opening}\n```mermaid\n{mermaid}\n```\n{closing}{after}"
    ))
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines()
        .position(|line| line.contains(part))
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIAGRAM: Diagram = Diagram {
        document: "docs/a.md",
        name: "machine",
        generate: || "a --> b\n".to_owned(),
    };

    fn document(between: &str) -> String {
        format!(
            "# A\n\n{}\n{between}{}\nend\n",
            opening(&DIAGRAM),
            closing(&DIAGRAM)
        )
    }

    fn violations(text: &str) -> Vec<(usize, String)> {
        let file = SourceFile {
            path: DIAGRAM.document.to_owned(),
            text: text.to_owned(),
        };
        let found = check(&[file], &[DIAGRAM]);
        found
            .into_iter()
            .map(|violation| (violation.line, violation.what))
            .collect()
    }

    #[test]
    fn a_fresh_diagram_is_in_order_and_a_stale_one_is_named_with_its_line() {
        assert_eq!(violations(&document("```mermaid\na --> b\n```\n")), []);
        let stale = violations(&document("```mermaid\na --> c\n```\n"));
        assert_eq!(
            stale,
            [(
                3,
                "the diagram `machine` is not what the code says".to_owned()
            )]
        );
    }

    #[test]
    fn a_document_without_the_markers_is_found() {
        assert_eq!(violations("# A\n").len(), 1);
        assert_eq!(check(&[], &[DIAGRAM]).len(), 1);
    }

    #[test]
    fn rewriting_makes_it_fresh_and_is_then_idle() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join(DIAGRAM.document);
        fs::create_dir(root.path().join("docs")).expect("a folder");
        fs::write(&path, document("")).expect("a file");
        assert_eq!(
            rewrite(root.path(), &[DIAGRAM]).expect("written"),
            ["docs/a.md"]
        );
        assert_eq!(violations(&fs::read_to_string(&path).expect("a file")), []);
        assert_eq!(rewrite(root.path(), &[DIAGRAM]).expect("idle"), [""; 0]);
    }
}
