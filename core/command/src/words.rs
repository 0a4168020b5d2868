//! Words of a statement: names, numbers, quoted texts and single symbols; comments are left out.

/// One word, with its quotes if it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    /// As it stands in the text.
    pub(crate) text: &'t str,
    /// Where it begins, in bytes.
    pub(crate) at: usize,
}

impl Word<'_> {
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    pub(crate) fn quote(&self) -> Option<char> {
        let first = self.text.chars().next();
        first.filter(|c| matches!(c, '\'' | '"' | '`'))
    }

    /// The text without its quotes; a doubled quote stands for one.
    pub(crate) fn value(&self) -> String {
        let Some(quote) = self.quote() else {
            return self.text.to_owned();
        };
        let inner = &self.text[1..self.text.len() - 1];
        let mut double = [0; 2];
        double.fill(quote as u8);
        let double: String = double.iter().map(|byte| char::from(*byte)).collect();
        inner.replace(&double, &quote.to_string())
    }

    pub(crate) fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    }

    pub(crate) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// Splits a text; `None` when a quotation or a comment has no end. One `;` at the end is dropped.
pub(crate) fn split(text: &str) -> Option<Vec<Word<'_>>> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let rest = &bytes[at..];
        let end = if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if rest.starts_with(b"--") || byte == b'#' {
            at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            continue;
        } else if rest.starts_with(b"/*") {
            at += text[at..].find("*/")? + 2;
            continue;
        } else if matches!(byte, b'\'' | b'"' | b'`') {
            at + quoted(rest)?
        } else if is_part(byte) {
            at + name(rest)
        } else {
            at + text[at..].chars().next().map_or(1, char::len_utf8)
        };
        words.push(Word {
            text: &text[at..end],
            at,
        });
        at = end;
    }
    if words.last().is_some_and(|last| last.text == ";") {
        words.pop();
    }
    Some(words)
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$') || byte >= 0x80
}

/// The length of a name; `mysql-threads`, `main.mysql_users` and `3.5` are one each.
fn name(rest: &[u8]) -> usize {
    let mut len = 0;
    while len < rest.len() {
        let joins =
            matches!(rest[len], b'-' | b'.') && rest.get(len + 1).is_some_and(|b| is_part(*b));
        if !is_part(rest[len]) && !joins {
            break;
        }
        len += 1;
    }
    len
}

fn quoted(rest: &[u8]) -> Option<usize> {
    let quote = rest[0];
    let mut at = 1;
    loop {
        at += rest[at..].iter().position(|byte| *byte == quote)?;
        if rest.get(at + 1) != Some(&quote) {
            return Some(at + 1);
        }
        at += 2;
    }
}
