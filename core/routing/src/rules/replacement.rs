//! Rewriting a statement by an expression: `\1` to `\9` are what its groups matched, `\0` all of
//! it.

use regex_automata::meta::Regex;

use super::patterns;

/// A piece of what takes the place of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

/// An expression and what takes the place of its matches.
#[derive(Debug)]
pub(super) struct Replacement {
    regex: Regex,
    pieces: Vec<Piece>,
    global: bool,
}

impl Replacement {
    pub(super) fn compile(pattern: &str, with: &str, global: bool) -> Result<Self, String> {
        let regex = patterns::single(pattern)?;
        let groups = regex.captures_len();
        let pieces = pieces(with)?;
        for piece in &pieces {
            if let Piece::Group(group) = piece
                && *group >= groups
            {
                let last = groups - 1;
                return Err(format!("names group \\{group}; match_pattern has {last}"));
            }
        }
        Ok(Self {
            regex,
            pieces,
            global,
        })
    }

    /// The text after the replacement; `None` when nothing matches.
    pub(super) fn apply(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut rewritten: Option<Vec<u8>> = None;
        let mut at = 0;
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get_match() else {
                continue;
            };
            let out = rewritten.get_or_insert_with(|| Vec::with_capacity(text.len() + 64));
            out.extend_from_slice(&text[at..whole.start()]);
            for piece in &self.pieces {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Group(group) => {
                        let found = captures.get_group(*group);
                        let range = found.map(|span| span.range());
                        out.extend_from_slice(range.map_or(&[][..], |range| &text[range]));
                    }
                }
            }
            at = whole.end();
            if !self.global {
                break;
            }
        }
        let mut out = rewritten?;
        out.extend_from_slice(&text[at..]);
        Some(out)
    }
}

fn pieces(with: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut bytes = with.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'\\') => text.push(b'\\'),
            Some(digit @ b'0'..=b'9') => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Group(usize::from(digit - b'0')));
            }
            Some(_) | None => {
                return Err("has a \\ before neither a digit nor another \\".to_owned());
            }
        }
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| *piece != Piece::Text(Vec::new()));
    Ok(pieces)
}
