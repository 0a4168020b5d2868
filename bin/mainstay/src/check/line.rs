//! What was tried, and how it went.

use std::fmt;

use serde::Serialize;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It is as it must be.
    Ok,
    /// It works, and costs something on a bad day.
    Warning,
    /// A failover would fail, or lose something.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One precondition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// A server, or what is one of in a cluster.
    pub(super) place: String,
    /// How it went.
    pub(super) verdict: Verdict,
    /// What was tried or seen.
    pub(super) what: String,
    /// What to do; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Line {
    pub(super) fn ok(place: &str, what: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            verdict: Verdict::Ok,
            what: what.into(),
            remedy: None,
        }
    }

    pub(super) fn warning(place: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            ..Self::error(place, what, remedy)
        }
    }

    pub(super) fn error(place: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            verdict: Verdict::Error,
            what: what.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// All of them, for people: by their places, in the order in which these come first.
pub(super) fn text_of(lines: &[Line]) -> String {
    let mut text = String::new();
    let mut places: Vec<&str> = Vec::new();
    for line in lines {
        if !places.contains(&line.place.as_str()) {
            places.push(&line.place);
        }
    }
    for place in places {
        text.push_str(&format!("{place}\n"));
        for line in lines.iter().filter(|line| line.place == place) {
            text.push_str(&format!("  {:8} {}\n", line.verdict, line.what));
            if let Some(remedy) = &line.remedy {
                text.push_str(&format!("           → {remedy}\n"));
            }
        }
    }
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let (errors, warnings) = (count(Verdict::Error), count(Verdict::Warning));
    let summary = match (errors, warnings) {
        (0, 0) => "A failover would succeed now.".to_owned(),
        (0, warnings) => format!("A failover would succeed now; warnings: {warnings}."),
        (errors, _) => format!("A failover is not assured: {errors} of these must be mended."),
    };
    text.push_str(&format!("\n{summary} Nothing was changed.\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_their_places_and_errors_decide() {
        let lines = [
            Line::ok("db1", "it answers"),
            Line::warning("db2", "it is slow", "mend it"),
            Line::error("db1", "it is full", "empty it"),
        ];
        assert_eq!(
            text_of(&lines),
            "db1\n  ok       it answers\n  error    it is full\n           → empty it\n\
             db2\n  warning  it is slow\n           → mend it\n\n\
             A failover is not assured: 1 of these must be mended. Nothing was changed.\n"
        );
    }
}
