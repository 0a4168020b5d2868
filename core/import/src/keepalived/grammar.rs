//! The grammar of `keepalived.conf(5)`: words on a line, and blocks in braces.
//!
//! It takes more than keepalived does: a brace may stand on the next line or in the middle of one.
//! Variables (`$NAME=value`) are replaced. What includes another file, or holds for one host only,
//! is kept as a line for its reader to refuse.

use std::collections::BTreeMap;

use crate::format::ImportError;

/// More levels are no configuration.
const DEPTH_MAX: usize = 16;

/// A keyword with its words, and what stands in its braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// From 1.
    pub(super) line: usize,
    /// The keyword and what follows it; never empty.
    pub(super) words: Vec<String>,
    /// In the order of the file; `None` without braces.
    pub(super) block: Option<Vec<Statement>>,
}

impl Statement {
    pub(super) fn keyword(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The word after the keyword.
    pub(super) fn value(&self) -> Option<&str> {
        self.words.get(1).map(String::as_str)
    }

    pub(super) fn children(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The statement of this keyword in the block; of several the last, which is in force.
    pub(super) fn child(&self, keyword: &str) -> Option<&Self> {
        let mut found = self.children().iter().rev();
        found.find(|child| child.keyword() == keyword)
    }

    /// All words, as they are shown.
    pub(super) fn shown(&self) -> String {
        self.words.join(" ")
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, ImportError> {
    let mut variables = BTreeMap::new();
    let mut stack: Vec<Vec<Statement>> = vec![Vec::new()];
    let mut opened: Vec<usize> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut began = 0;
    for (line, token) in tokens(text)? {
        match token {
            Token::Word(word) => {
                if words.is_empty() {
                    began = line;
                }
                words.push(replaced(&word, &variables));
            }
            Token::End => finish(&mut words, began, &mut variables, top(&mut stack)),
            Token::Open => {
                finish(&mut words, began, &mut variables, top(&mut stack));
                let owner = top(&mut stack).last().filter(|last| last.block.is_none());
                let sentence = "a `{` that belongs to nothing";
                owner.ok_or_else(|| grammar(line, sentence))?;
                if stack.len() > DEPTH_MAX {
                    return Err(grammar(line, "more blocks in one another than make sense"));
                }
                opened.push(line);
                stack.push(Vec::new());
            }
            Token::Close => {
                finish(&mut words, began, &mut variables, top(&mut stack));
                let block = stack.pop().filter(|_| opened.pop().is_some());
                let block = block.ok_or_else(|| grammar(line, "a `}` that closes nothing"))?;
                if let Some(owner) = top(&mut stack).last_mut() {
                    owner.block = Some(block);
                }
            }
        }
    }
    finish(&mut words, began, &mut variables, top(&mut stack));
    if let Some(line) = opened.first() {
        return Err(grammar(*line, "this `{` is never closed"));
    }
    Ok(stack.pop().unwrap_or_default())
}

fn top(stack: &mut Vec<Vec<Statement>>) -> &mut Vec<Statement> {
    if stack.is_empty() {
        stack.push(Vec::new());
    }
    stack.last_mut().expect("there is one now")
}

fn grammar(line: usize, sentence: &str) -> ImportError {
    ImportError::Grammar {
        line,
        sentence: sentence.to_owned(),
    }
}

fn finish(
    words: &mut Vec<String>,
    line: usize,
    variables: &mut BTreeMap<String, String>,
    into: &mut Vec<Statement>,
) {
    let words = std::mem::take(words);
    let Some(first) = words.first() else { return };
    let definition = first
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('='));
    if let Some((name, value)) = definition {
        let rest = words.iter().skip(1).map(String::as_str);
        let value: Vec<_> = std::iter::once(value).chain(rest).collect();
        variables.insert(name.to_owned(), value.join(" "));
        return;
    }
    let block = None;
    into.push(Statement { line, words, block });
}

/// `$NAME` and `${NAME}`, where they are known. A definition stays as it is up to its `=`.
fn replaced(word: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let plain = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let (name, next) = match after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some(found) => found,
            None => after.split_at(after.find(plain).unwrap_or(after.len())),
        };
        let is_definition = next.starts_with('=');
        if let Some(value) = variables.get(name).filter(|_| !is_definition) {
            out.push_str(value);
            rest = next;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out + rest
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ImportError> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut line = 1;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let ends_word = c.is_whitespace() || matches!(c, '{' | '}' | '"' | '\'');
        // `${NAME}` is a word.
        let in_name = word.as_ref().is_some_and(|word| {
            (c == '{' && word.ends_with('$'))
                || (c == '}'
                    && word
                        .rsplit_once("${")
                        .is_some_and(|(_, name)| !name.contains('}')))
        });
        if ends_word && !in_name {
            tokens.extend(word.take().map(|word| (line, Token::Word(word))));
        }
        match c {
            _ if in_name => word.get_or_insert_default().push(c),
            '\n' => {
                tokens.push((line, Token::End));
                line += 1;
            }
            '\\' if characters.peek() == Some(&'\n') => {
                characters.next();
                line += 1;
            }
            '#' | '!' if word.is_none() => {
                while characters.peek().is_some_and(|c| *c != '\n') {
                    characters.next();
                }
            }
            '{' => tokens.push((line, Token::Open)),
            '}' => tokens.push((line, Token::Close)),
            '"' | '\'' => {
                let began = line;
                let mut quoted = String::new();
                loop {
                    match characters.next() {
                        Some(end) if end == c => break,
                        Some('\n') | None => {
                            return Err(grammar(began, "a quotation mark that is never closed"));
                        }
                        Some(inner) => quoted.push(inner),
                    }
                }
                tokens.push((began, Token::Word(quoted)));
            }
            _ if c.is_whitespace() => {}
            _ => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.map(|word| (line, Token::Word(word))));
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(statements: &[Statement]) -> String {
        let one = |statement: &Statement| {
            let block = statement.block.as_ref();
            let block = block.map_or(String::new(), |block| format!("{{{}}}", shown(block)));
            format!("{}{block}", statement.words.join("|"))
        };
        statements.iter().map(one).collect::<Vec<_>>().join(";")
    }

    fn read(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |found| shown(&found))
    }

    #[test]
    fn words_blocks_quotes_and_comments() {
        let text = "! a comment\nglobal_defs {\n  router_id A # why\n}\n\
                    vrrp_script x {\n script \"a { b } # c\"\n weight -10\n}\n";
        assert_eq!(
            read(text),
            "global_defs{router_id|A};vrrp_script|x{script|a { b } # c;weight|-10}"
        );
    }

    #[test]
    fn braces_may_stand_where_people_put_them() {
        assert_eq!(read("a b\n{\nc\n}"), "a|b{c}");
        assert_eq!(read("a { b c } d"), "a{b|c};d");
        assert_eq!(read("a { b { c } }"), "a{b{c}}");
        assert_eq!(read("a\\\n b"), "a|b");
    }

    #[test]
    fn variables_are_replaced() {
        let text = "$IF=eth0\n$IFACE=eth1\ninterface $IF\ninterface ${IFACE}.7\nx $IFACE\n";
        assert_eq!(read(text), "interface|eth0;interface|eth1.7;x|eth1");
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        assert_eq!(read("a {\n b {\n }\n"), "line 1: this `{` is never closed");
        assert_eq!(read("a\n}\n"), "line 2: a `}` that closes nothing");
        assert_eq!(read("{\n}"), "line 1: a `{` that belongs to nothing");
        assert_eq!(
            read("a\nb \"c\n"),
            "line 2: a quotation mark that is never closed"
        );
        let deep = "a {\n".repeat(99);
        assert!(read(&deep).contains("more blocks"), "{}", read(&deep));
    }

    proptest! {
        #[test]
        fn text_of_a_stranger_never_panics(text in "[a{}\"'$=!#\\\\ \n]{0,60}") {
            let _ = parse(&text);
        }
    }
}
