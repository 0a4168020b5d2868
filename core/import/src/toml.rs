//! Writes TOML: sections and keys, in the order in which they are given (toml.io, version 1.0).

/// A file that is being written.
#[derive(Debug, Default)]
pub(crate) struct Toml(String);

impl Toml {
    /// `# text`, each line of it.
    pub(crate) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            // A comment holds no control characters.
            let line: String = line.chars().filter(|c| !c.is_control()).collect();
            self.0.push_str(format!("# {line}").trim_end());
            self.0.push('\n');
        }
    }

    /// `[name]`.
    pub(crate) fn section(&mut self, name: &str) {
        self.0.push_str(&format!("\n[{name}]\n"));
    }

    /// `[[name]]`.
    pub(crate) fn item(&mut self, name: &str) {
        self.0.push_str(&format!("\n[[{name}]]\n"));
    }

    /// `key = "text"`.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &quoted(text));
    }

    /// `key = value`, the value as TOML writes it.
    pub(crate) fn raw(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    /// `key = ["a", "b"]`.
    pub(crate) fn texts<'a>(&mut self, key: &str, items: impl IntoIterator<Item = &'a str>) {
        let items: Vec<_> = items.into_iter().map(quoted).collect();
        self.raw(key, &format!("[{}]", items.join(", ")));
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// A basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_toml_is_escaped() {
        assert_eq!(quoted("a\"b\\c\n\u{7f}é"), "\"a\\\"b\\\\c\\n\\u007fé\"");
    }

    #[test]
    fn a_comment_stays_one() {
        let mut toml = Toml::default();
        toml.comment("two\nlines\u{0}");
        toml.texts("names", ["a", "b"]);
        assert_eq!(toml.finish(), "# two\n# lines\nnames = [\"a\", \"b\"]\n");
    }
}
