//! Bytes to tokens, as the servers' own lexers cut them (`sql_lex.cc` of MySQL and MariaDB),
//! without allocation. Comments vanish here, executable ones become code. It knows no grammar.

/// How to read what the bytes alone do not settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// A backslash escapes in `'…'` (not under `NO_BACKSLASH_ESCAPES`).
    pub(crate) escapes_single: bool,
    /// A backslash escapes in `"…"` (not under `ANSI_QUOTES`, where it is an identifier).
    pub(crate) escapes_double: bool,
    /// Executable comments that depend on the server's version are code.
    pub(crate) conditional_is_code: bool,
}

impl Reading {
    /// A server with its default `sql_mode`, new enough for every executable comment.
    pub(crate) const USUAL: Self = Self {
        escapes_single: true,
        escapes_double: true,
        conditional_is_code: true,
    };
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An unquoted word that may be a keyword.
    Word,
    /// An identifier that cannot be a keyword: quoted, or next to a dot.
    Name,
    /// A string in single quotes.
    Text,
    /// A string in double quotes, or an identifier under `ANSI_QUOTES`.
    DoubleQuoted,
    /// A number, in any base.
    Number,
    /// `@x`.
    UserVariable,
    /// `@@x`, `@@session.x`.
    SystemVariable,
    /// `:=`.
    Assign,
    /// `;`.
    Semicolon,
    /// Any other single byte.
    Punctuation(u8),
    /// An open quote or comment, a stray backslash: the server refuses the whole text after it.
    Broken,
    /// Bytes that a server may read in another way.
    Unclear,
}

/// One token of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a [u8],
    pub(crate) start: usize,
}

impl Token<'_> {
    /// The same keyword, whatever its case. `keyword` is in capitals.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword.as_bytes())
    }

    pub(crate) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(crate) fn is_punctuation(&self, byte: u8) -> bool {
        self.kind == TokenKind::Punctuation(byte)
    }

    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The lexer: an iterator over tokens.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    reading: Reading,
    /// Inside an executable comment, whose `*/` is then white space.
    in_comment: bool,
    /// The next identifier follows a dot.
    after_dot: bool,
    /// What has been met so far that another server may read otherwise.
    pub(crate) doubts: Doubts,
}

/// What the bytes alone do not settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Doubts {
    /// A backslash before a quote was read as an escape: another mode would end the string there.
    pub(crate) escaped_quote: bool,
    /// An executable comment depends on the server's version.
    pub(crate) conditional: bool,
}

impl Doubts {
    pub(crate) fn any(self) -> bool {
        self.escaped_quote || self.conditional
    }
}

pub(crate) fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES[usize::from(byte)]
}

/// Most bytes of a statement are asked.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut number = 0;
    while number < table.len() {
        let byte = number as u8;
        table[number] =
            byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
        number += 1;
    }
    table
};

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a [u8], reading: Reading) -> Self {
        Self {
            sql,
            at: 0,
            reading,
            in_comment: false,
            after_dot: false,
            doubts: Doubts::default(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.at + ahead).copied()
    }

    /// Skips white space and comments; `false` when a comment has no end.
    fn skip_blanks(&mut self) -> bool {
        if self.peek(0) == Some(b' ') {
            self.at += 1;
        }
        // Mostly that is all.
        if self.peek(0).is_some_and(is_name_byte) {
            return true;
        }
        while let Some(byte) = self.peek(0) {
            match byte {
                _ if is_space(byte) => self.at += 1,
                b'#' => self.skip_line(),
                b'-' if self.peek(1) == Some(b'-') && self.peek(2).is_none_or(ends_dashes) => {
                    self.skip_line();
                }
                b'/' if self.peek(1) == Some(b'*') => {
                    if !self.comment() {
                        return false;
                    }
                }
                b'*' if self.in_comment && self.peek(1) == Some(b'/') => {
                    self.in_comment = false;
                    self.at += 2;
                }
                _ => return true,
            }
        }
        !self.in_comment
    }

    fn skip_line(&mut self) {
        let rest = &self.sql[self.at..];
        self.at += rest
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(rest.len(), |end| end + 1);
    }

    /// At a `/*`. Enters an executable comment, skips any other; `false` when it has no end.
    fn comment(&mut self) -> bool {
        let maria = matches!(self.peek(2), Some(b'M' | b'm')) && self.peek(3) == Some(b'!');
        if !(maria || self.peek(2) == Some(b'!')) {
            return self.skip_comment(false);
        }
        let body = if maria { 4 } else { 3 };
        let versioned = self.peek(body).is_some_and(|byte| byte.is_ascii_digit());
        if maria || (versioned && !self.always_runs(body)) {
            self.doubts.conditional = true;
            if !self.reading.conditional_is_code {
                return self.skip_comment(true);
            }
        }
        self.at += body;
        // A version has five or six digits.
        let digits = (0..6).take_while(|&i| self.peek(i).is_some_and(|b| b.is_ascii_digit()));
        self.at += digits.count();
        self.in_comment = true;
        true
    }

    /// True for a version of five digits that every supported server has reached: 5.6 is the
    /// oldest, and what `MariaDB` leaves out begins at 5.7.
    fn always_runs(&self, from: usize) -> bool {
        let digits = self.sql.get(self.at + from..self.at + from + 5);
        let more = self
            .peek(from + 5)
            .is_some_and(|byte| byte.is_ascii_digit());
        !more
            && digits
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_digit) && digits <= b"50600")
    }

    /// Only the body of an executable comment that is skipped may hold other comments.
    fn skip_comment(&mut self, nests: bool) -> bool {
        self.at += 2;
        let mut inner = false;
        while self.at < self.sql.len() {
            match (self.peek(0), self.peek(1)) {
                (Some(b'*'), Some(b'/')) => {
                    self.at += 2;
                    if !inner {
                        return true;
                    }
                    inner = false;
                }
                (Some(b'/'), Some(b'*')) if nests && !inner => {
                    self.at += 2;
                    inner = true;
                }
                _ => self.at += 1,
            }
        }
        false
    }

    /// At an opening quote: moves behind the closing one; `false` when there is none.
    fn quoted(&mut self, quote: u8, escapes: bool) -> bool {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            if byte == b'\\' && escapes {
                self.doubts.escaped_quote |= self.peek(1) == Some(quote);
                self.at += 2;
            } else if byte != quote {
                self.at += 1;
            } else if self.peek(1) == Some(quote) {
                self.at += 2;
            } else {
                self.at += 1;
                return true;
            }
        }
        self.at = self.sql.len();
        false
    }

    /// False when some of them are not ASCII.
    fn skip_names(&mut self) -> bool {
        let (mut at, mut all) = (self.at, 0);
        while let Some(&byte) = self.sql.get(at).filter(|&&byte| is_name_byte(byte)) {
            all |= byte;
            at += 1;
        }
        self.at = at;
        all.is_ascii()
    }

    fn skip_digits(&mut self) {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// An unquoted word. Next to a dot it is a name, never a keyword.
    fn word(&mut self, after_dot: bool) -> TokenKind {
        let start = self.at;
        let ascii = self.skip_names();
        if !ascii && std::str::from_utf8(&self.sql[start..self.at]).is_err() {
            // In Latin-1 the byte A0 is white space: this "word" may hide a keyword.
            return TokenKind::Unclear;
        }
        let before_dot = self.peek(0) == Some(b'.') && self.peek(1).is_some_and(is_name_byte);
        if after_dot || before_dot {
            self.after_dot = before_dot;
            TokenKind::Name
        } else {
            TokenKind::Word
        }
    }

    /// `1e5FOR` is a number and a keyword, `1FOR` is one identifier: so the servers cut them.
    fn number(&mut self) -> TokenKind {
        self.skip_digits();
        if self.peek(0) == Some(b'.') {
            self.at += 1;
            self.skip_digits();
            self.exponent();
        } else if !self.exponent() && self.peek(0).is_some_and(is_name_byte) {
            self.skip_names();
        }
        TokenKind::Number
    }

    fn exponent(&mut self) -> bool {
        if !matches!(self.peek(0), Some(b'e' | b'E')) {
            return false;
        }
        let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        let found = self
            .peek(1 + sign)
            .is_some_and(|byte| byte.is_ascii_digit());
        if found {
            self.at += 1 + sign;
            self.skip_digits();
        }
        found
    }

    /// At an `@`.
    fn variable(&mut self) -> TokenKind {
        let system = self.peek(1) == Some(b'@');
        self.at += if system { 2 } else { 1 };
        let kind = if system {
            TokenKind::SystemVariable
        } else {
            TokenKind::UserVariable
        };
        loop {
            let closed = match self.peek(0) {
                Some(b'`') => self.quoted(b'`', false),
                Some(b'\'') if !system => self.quoted(b'\'', self.reading.escapes_single),
                Some(b'"') if !system => self.quoted(b'"', self.reading.escapes_double),
                Some(byte) if is_name_byte(byte) => {
                    self.skip_names();
                    true
                }
                _ => return kind,
            };
            if !closed {
                return TokenKind::Broken;
            }
            if self.peek(0) != Some(b'.') {
                return kind;
            }
            self.at += 1;
        }
    }
}

fn ends_dashes(byte: u8) -> bool {
    is_space(byte) || byte.is_ascii_control()
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if !self.skip_blanks() {
            let start = self.at.min(self.sql.len());
            self.at = self.sql.len();
            self.in_comment = false;
            return Some(Token {
                kind: TokenKind::Broken,
                text: &self.sql[start..],
                start,
            });
        }
        let byte = self.peek(0)?;
        let start = self.at;
        let after_dot = std::mem::take(&mut self.after_dot);
        let kind = match byte {
            _ if is_name_byte(byte) && (after_dot || !byte.is_ascii_digit()) => {
                self.word(after_dot)
            }
            b'\'' => closed(
                self.quoted(b'\'', self.reading.escapes_single),
                TokenKind::Text,
            ),
            b'"' => closed(
                self.quoted(b'"', self.reading.escapes_double),
                TokenKind::DoubleQuoted,
            ),
            b'`' => closed(self.quoted(b'`', false), TokenKind::Name),
            b'@' => self.variable(),
            b'.' if !after_dot && self.peek(1).is_some_and(|next| next.is_ascii_digit()) => {
                self.number()
            }
            b'.' => {
                self.at += 1;
                self.after_dot = self.peek(0).is_some_and(is_name_byte);
                TokenKind::Punctuation(b'.')
            }
            _ if byte.is_ascii_digit() => self.number(),
            b':' if self.peek(1) == Some(b'=') => {
                self.at += 2;
                TokenKind::Assign
            }
            b';' => {
                self.at += 1;
                TokenKind::Semicolon
            }
            b'\\' if self.peek(1) == Some(b'N') => {
                self.at += 2;
                TokenKind::Number
            }
            b'\\' => {
                self.at += 1;
                TokenKind::Broken
            }
            0 => {
                self.at += 1;
                TokenKind::Unclear
            }
            _ => {
                self.at += 1;
                TokenKind::Punctuation(byte)
            }
        };
        self.at = self.at.min(self.sql.len());
        Some(Token {
            kind,
            text: &self.sql[start..self.at],
            start,
        })
    }
}

fn closed(closed: bool, kind: TokenKind) -> TokenKind {
    if closed { kind } else { TokenKind::Broken }
}
