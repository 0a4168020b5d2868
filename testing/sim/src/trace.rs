//! The story of one seed in English, one line for each thing that happened.

use mainstay_clock::Timestamp;

/// Lines, kept only when somebody wants to read them.
#[derive(Debug)]
pub(crate) struct Trace {
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            lines: kept.then(Vec::new),
        }
    }

    pub(crate) fn say(&mut self, at: Timestamp, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{at:>12}  {}", line()));
        }
    }

    /// Whether a line has this in it.
    pub(crate) fn says(&self, text: &str) -> bool {
        let mut lines = self.lines.iter().flatten();
        lines.any(|line| line.contains(text))
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
