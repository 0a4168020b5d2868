//! JSON that is only written: objects, lists, texts, numbers.

use std::fmt::Write;

/// A text of JSON that grows.
#[derive(Debug, Default)]
pub(crate) struct Json {
    text: String,
    /// Something stands before in the innermost object or list.
    follows: bool,
}

impl Json {
    /// Begins a value; without a key in a list, or for the whole.
    fn begin(&mut self, key: Option<&str>) {
        if std::mem::replace(&mut self.follows, true) {
            self.text.push(',');
        }
        if let Some(key) = key {
            put_text(&mut self.text, key);
            self.text.push(':');
        }
    }

    fn nest(&mut self, key: Option<&str>, ends: [char; 2], fill: impl FnOnce(&mut Self)) {
        self.begin(key);
        self.text.push(ends[0]);
        self.follows = false;
        fill(self);
        self.text.push(ends[1]);
        self.follows = true;
    }

    /// An object under a key.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.nest(Some(key), ['{', '}'], fill);
    }

    /// An object in a list, or the whole.
    pub(crate) fn item(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nest(None, ['{', '}'], fill);
    }

    /// A list under a key.
    pub(crate) fn list(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.nest(Some(key), ['[', ']'], fill);
    }

    /// A text under a key.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.begin(Some(key));
        put_text(&mut self.text, value);
    }

    /// A text in a list.
    pub(crate) fn text_item(&mut self, value: &str) {
        self.begin(None);
        put_text(&mut self.text, value);
    }

    /// A whole number under a key.
    pub(crate) fn number(&mut self, key: &str, value: impl Into<i128>) {
        self.begin(Some(key));
        // Writing into a text cannot fail.
        let _ = write!(self.text, "{}", value.into());
    }

    /// `true` or `false` under a key.
    pub(crate) fn truth(&mut self, key: &str, value: bool) {
        self.begin(Some(key));
        self.text.push_str(if value { "true" } else { "false" });
    }

    /// The whole.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A text as JSON writes it (RFC 8259 section 7).
fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_lists_and_odd_letters_are_written_as_json() {
        let mut json = Json::default();
        json.item(|json| {
            json.text("a", "\"\\\n\u{1}é");
            json.object("b", |json| json.number("c", -1_i64));
            json.list("d", |json| {
                json.text_item("x");
                json.item(|json| json.truth("e", true));
                json.item(|_| {});
            });
            json.number("f", 7_u64);
        });
        let expected = "{\"a\":\"\\\"\\\\\\n\\u0001é\",\"b\":{\"c\":-1},\
                        \"d\":[\"x\",{\"e\":true},{}],\"f\":7}";
        assert_eq!(json.into_text(), expected);
    }
}
