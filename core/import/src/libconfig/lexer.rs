//! Words, numbers, strings and marks of a libconfig file; comments are skipped.

use std::fmt;

use super::error;
use crate::format::ImportError;

/// The longest text that a message quotes.
const SHOWN_MAX: usize = 40;

/// One piece of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// One of `= : ; , { } ( ) [ ]`.
    Mark(char),
    /// `@include "path"`.
    Include(String),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => {
                let shown: String = word.chars().take(SHOWN_MAX).collect();
                write!(f, "`{shown}`")
            }
            // It may be a password.
            Self::Text(_) => write!(f, "a text"),
            Self::Int(_) | Self::Float(_) => write!(f, "a number"),
            Self::Mark(mark) => write!(f, "`{mark}`"),
            Self::Include(_) => write!(f, "`@include`"),
            Self::End => write!(f, "the end of the file"),
        }
    }
}

pub(super) struct Lexer<'t> {
    rest: &'t str,
    /// Where the rest begins.
    line: usize,
    /// Where the last token began.
    token_line: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
            token_line: 1,
        }
    }

    /// The line of the token that was read last.
    pub(super) fn at(&self) -> usize {
        self.token_line
    }

    pub(super) fn next(&mut self) -> Result<Token, ImportError> {
        self.skip()?;
        self.token_line = self.line;
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            '=' | ':' | ';' | ',' | '{' | '}' | '(' | ')' | '[' | ']' => {
                self.take(1);
                Ok(Token::Mark(first))
            }
            '"' => Ok(Token::Text(self.text()?)),
            '@' => self.include(),
            '0'..='9' | '+' | '-' | '.' => self.number(),
            'A'..='Z' | 'a'..='z' | '*' | '_' => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_*".contains(c);
                let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
                Ok(Token::Word(self.take(end).to_owned()))
            }
            other => Err(error(
                self.line,
                format!("`{}` has no meaning here", other.escape_default()),
            )),
        }
    }

    /// The next string, if what follows is one.
    pub(super) fn text_if_next(&mut self) -> Result<Option<String>, ImportError> {
        self.skip()?;
        if self.rest.starts_with('"') {
            return self.text().map(Some);
        }
        Ok(None)
    }

    /// Takes a mark, if it is what follows.
    pub(super) fn mark_if_next(&mut self, mark: char) -> Result<bool, ImportError> {
        self.skip()?;
        let is_next = self.rest.starts_with(mark);
        if is_next {
            self.take(mark.len_utf8());
        }
        Ok(is_next)
    }

    /// Takes `bytes` of the rest.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        taken
    }

    /// Skips white space and comments.
    fn skip(&mut self) -> Result<(), ImportError> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            let rest = self.rest;
            if rest.starts_with('#') || rest.starts_with("//") {
                self.take(rest.find('\n').unwrap_or(rest.len()));
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    return Err(error(self.line, "a comment is not closed".to_owned()));
                };
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn text(&mut self) -> Result<String, ImportError> {
        let began = self.line;
        let mut text = String::new();
        self.take(1);
        loop {
            let rest = self.rest;
            let Some(end) = rest.find(['"', '\\']) else {
                return Err(error(began, "a text is not closed".to_owned()));
            };
            text.push_str(self.take(end));
            if self.take(1) == "\"" {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, ImportError> {
        let mut chars = self.rest.chars();
        let Some(kind) = chars.next() else {
            return Err(error(self.line, "a text is not closed".to_owned()));
        };
        if kind == 'x' {
            let digits = self.rest.get(1..3);
            let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            if let Some(code) = code {
                self.take(3);
                return Ok(char::from(code));
            }
        }
        self.take(kind.len_utf8());
        Ok(match kind {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'v' => '\u{b}',
            // `\"` and `\\`, and what has no meaning stays what it is.
            other => other,
        })
    }

    fn include(&mut self) -> Result<Token, ImportError> {
        const WORD: &str = "@include";
        if !self.rest.starts_with(WORD) {
            return Err(error(self.line, "`@` has no meaning here".to_owned()));
        }
        self.take(WORD.len());
        let path = self.text_if_next()?;
        let missing = || error(self.line, "`@include` names no file".to_owned());
        path.map(Token::Include).ok_or_else(missing)
    }

    fn number(&mut self) -> Result<Token, ImportError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
        let text = self.take(end);
        let whole = text.trim_end_matches('L');
        if let Some(number) = integer(whole) {
            return Ok(Token::Int(number));
        }
        let float = text.parse().ok().filter(|number: &f64| number.is_finite());
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        let wrong = || error(self.token_line, format!("`{shown}` is no number"));
        float.map(Token::Float).ok_or_else(wrong)
    }
}

fn integer(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        // Hexadecimal numbers may have their highest bit set.
        return u64::from_str_radix(digits, 16).ok().map(u64::cast_signed);
    }
    text.parse().ok()
}
