//! The regular expressions of all rules as one automaton.

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};

/// Room for the states that the automaton builds while it runs: enough for hundreds of expressions,
/// so that it is not built again and again.
const CACHE_BYTES: usize = 16 << 20;

/// As ProxySQL reads them: bytes, not letters of an alphabet.
pub(super) fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

/// The expression with its modifiers.
pub(super) fn modified(pattern: &str, caseless: bool) -> String {
    let flags = if caseless { "(?i)" } else { "" };
    format!("{flags}(?:{pattern})")
}

/// One expression by itself.
pub(super) fn single(pattern: &str) -> Result<Regex, String> {
    Regex::builder()
        .syntax(syntax())
        .configure(Config::new().utf8_empty(false))
        .build(pattern)
        .map_err(|error| reason(&error))
}

/// Says what is wrong with an expression.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    single(pattern).map(drop)
}

/// What PCRE knows and we do not is named, so that nobody has to guess.
fn reason(error: &regex_automata::meta::BuildError) -> String {
    match error.syntax_error() {
        Some(syntax) => {
            let text = syntax.to_string();
            let last = text.lines().last().unwrap_or_default();
            let last = last.strip_prefix("error: ").unwrap_or(last);
            format!("is no regular expression that can be used: {last}")
        }
        None => format!("is no regular expression that can be used: {error}"),
    }
}

/// Expressions that are matched together.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    regex: Option<Regex>,
    count: usize,
}

impl Patterns {
    pub(super) fn compile(patterns: &[String]) -> Result<Self, String> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let config = Config::new()
            // Of many that match, all are wanted, not the first.
            .match_kind(MatchKind::All)
            .utf8_empty(false)
            .hybrid_cache_capacity(CACHE_BYTES)
            .which_captures(regex_automata::nfa::thompson::WhichCaptures::None);
        let regex = Regex::builder()
            .syntax(syntax())
            .configure(config)
            .build_many(patterns)
            .map_err(|error| reason(&error))?;
        Ok(Self {
            regex: Some(regex),
            count: patterns.len(),
        })
    }

    /// A set with a place for each expression.
    pub(super) fn set(&self) -> PatternSet {
        PatternSet::new(self.count)
    }

    /// Puts those that match anywhere in `text` into `found`.
    pub(super) fn matches(&self, text: &[u8], found: &mut PatternSet) {
        found.clear();
        let Some(regex) = &self.regex else { return };
        if self.count > 1 {
            regex.which_overlapping_matches(&Input::new(text), found);
        } else if regex.is_match(text) {
            found.insert(regex_automata::PatternID::ZERO);
        }
    }
}
