//! Tells code, comments and string literals of Rust text apart, so that a rule about one of them
//! does not stumble over the others.
//!
//! The three views have the lines and columns of the original; what belongs to another view is
//! blank. Only the tokens that can hide others are known here: comments, strings and characters.

/// The text three times, each time with only one kind of content.
#[derive(Debug, Default)]
pub(crate) struct RustText {
    pub(crate) code: String,
    pub(crate) comments: String,
    pub(crate) strings: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
}

impl RustText {
    pub(crate) fn split(text: &str) -> Self {
        let mut views = Self::default();
        let mut rest = text;
        let mut previous = ' ';
        while let Some(first) = rest.chars().next() {
            let (kind, bytes) = token(rest, previous, first);
            let (token, after) = rest.split_at(bytes);
            views.push(kind, token);
            previous = token.chars().next_back().unwrap_or(previous);
            rest = after;
        }
        views
    }

    fn push(&mut self, kind: Kind, token: &str) {
        let blank = || token.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        let views = [
            (Kind::Code, &mut self.code),
            (Kind::Comment, &mut self.comments),
            (Kind::Text, &mut self.strings),
        ];
        for (own, view) in views {
            if own == kind {
                view.push_str(token);
            } else {
                view.extend(blank());
            }
        }
    }
}

/// The kind of what stands at the start of `rest`, and its length in bytes.
fn token(rest: &str, previous: char, first: char) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if first == '"' {
        return (Kind::Text, escaped(rest, '"'));
    }
    // `r` starts a raw string unless it ends a name, as in `for"`.
    let in_name = previous.is_alphanumeric() || previous == '_';
    if let Some(bytes) = raw_string(rest).filter(|_| !in_name || previous == 'b') {
        return (Kind::Text, bytes);
    }
    if first == '\'' && is_character(rest) {
        return (Kind::Text, escaped(rest, '\''));
    }
    (Kind::Code, first.len_utf8())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a literal up to its closing quote, past escaped ones.
fn escaped(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let after_r = rest.strip_prefix('r')?;
    let body = after_r.trim_start_matches('#');
    let closing = format!("\"{}", "#".repeat(after_r.len() - body.len()));
    let content = body.strip_prefix('"')?;
    let start = rest.len() - content.len();
    Some(
        content
            .find(&closing)
            .map_or(rest.len(), |at| start + at + closing.len()),
    )
}

/// Whether a quote starts a character and not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    matches!(
        (characters.next(), characters.next()),
        (Some('\\'), _) | (Some(_), Some('\''))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(view: &str) -> String {
        view.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn code_comments_and_strings_come_apart() {
        let views = RustText::split("let a = \"// no\"; // \"yes\"\n/* x /* y */ z */ b();");
        assert_eq!(only(&views.code), "let a = ; b();");
        assert_eq!(only(&views.comments), "// \"yes\" /* x /* y */ z */");
        assert_eq!(only(&views.strings), "\"// no\"");
    }

    #[test]
    fn quotes_in_characters_raw_and_escaped_strings_do_not_end_them() {
        let views = RustText::split(r##"f('"', b"\"x", r#"a"b"#, br"\", '\'', c)"##);
        assert_eq!(only(&views.code), "f( , b , , b , , c)");
        let views = RustText::split("fn f<'a>(x: &'a str) { 'l: loop {} }");
        assert_eq!(only(&views.strings), "");
    }

    #[test]
    fn lines_and_columns_are_kept() {
        let text = "a \"é\n\" // b\nc";
        let views = RustText::split(text);
        for view in [&views.code, &views.comments, &views.strings] {
            let shape = |text: &str| text.lines().map(|l| l.chars().count()).collect::<Vec<_>>();
            assert_eq!(shape(view), shape(text));
        }
    }

    #[test]
    fn text_that_ends_in_the_middle_of_a_token_is_no_problem() {
        for text in ["\"a", "'", "/* /*", "r#\"x\"", "\"\\", "'\\", "r", "b'"] {
            assert_eq!(
                RustText::split(text).code.chars().count(),
                text.chars().count()
            );
        }
    }
}
