//! The grammar of libconfig (its manual, chapter "Configuration Files"): what `proxysql.cnf` is
//! written in.
//!
//! As lenient as the programs that read it: separators between settings and between the items of a
//! list may be missing. `@include` is reported, not followed.

mod lexer;
#[cfg(test)]
mod tests;

use crate::format::ImportError;
use lexer::{Lexer, Token};

/// Deeper files are no configuration.
const DEPTH_MAX: usize = 32;

/// A value, with the line on which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a value is. Arrays are lists here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Group(Group),
}

/// `{ name = value; … }`, and the file itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Group {
    settings: Vec<(String, Value)>,
    /// What `@include` names, and where.
    pub(crate) includes: Vec<(usize, String)>,
}

impl Group {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let settings = self.settings.iter();
        settings.map(|(name, value)| (name.as_str(), value))
    }
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Result<Group, ImportError> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        depth: 0,
    };
    parser.group(None)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    depth: usize,
}

impl Parser<'_> {
    /// Settings until `end`, or until the end of the file.
    fn group(&mut self, end: Option<char>) -> Result<Group, ImportError> {
        let mut group = Group::default();
        loop {
            let token = self.lexer.next()?;
            match token {
                Token::End if end.is_none() => return Ok(group),
                Token::Mark(mark) if Some(mark) == end => return Ok(group),
                Token::Mark(';' | ',') => {}
                Token::Include(path) => group.includes.push((self.lexer.at(), path)),
                Token::Word(name) => {
                    let line = self.lexer.at();
                    if group.get(&name).is_some() {
                        return Err(error(line, format!("`{name}` is set twice")));
                    }
                    match self.lexer.next()? {
                        Token::Mark('=' | ':') => {}
                        other => return Err(self.unexpected("`=` or `:`", &other)),
                    }
                    let value = self.value()?;
                    group.settings.push((name, value));
                }
                other => return Err(self.unexpected("the name of a setting", &other)),
            }
        }
    }

    fn value(&mut self) -> Result<Value, ImportError> {
        let token = self.lexer.next()?;
        let line = self.lexer.at();
        let kind = match token {
            Token::Text(mut text) => {
                // Strings that follow each other are one.
                while let Some(more) = self.lexer.text_if_next()? {
                    text.push_str(&more);
                }
                Kind::Text(text)
            }
            Token::Int(number) => Kind::Int(number),
            Token::Float(number) => Kind::Float(number),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Kind::Bool(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Kind::Bool(false),
            Token::Mark(open @ ('{' | '(' | '[')) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(error(line, format!("more than {DEPTH_MAX} levels deep")));
                }
                let kind = match open {
                    '{' => Kind::Group(self.group(Some('}'))?),
                    '(' => Kind::List(self.list(')')?),
                    _ => Kind::List(self.list(']')?),
                };
                self.depth -= 1;
                kind
            }
            other => return Err(self.unexpected("a value", &other)),
        };
        Ok(Value { line, kind })
    }

    fn list(&mut self, end: char) -> Result<Vec<Value>, ImportError> {
        let mut items = Vec::new();
        loop {
            while self.lexer.mark_if_next(',')? {}
            if self.lexer.mark_if_next(end)? {
                return Ok(items);
            }
            items.push(self.value()?);
        }
    }

    fn unexpected(&self, expected: &str, found: &Token) -> ImportError {
        error(
            self.lexer.at(),
            format!("expected {expected}, found {found}"),
        )
    }
}

fn error(line: usize, sentence: String) -> ImportError {
    ImportError::Grammar { line, sentence }
}
