//! Blanks what text quotes: code fences, spans in backticks, and addresses.

/// The text with every quotation replaced by spaces. A span ends on its line: a lone backtick
/// would otherwise hide the rest of the document.
pub(crate) fn blank(text: &str) -> String {
    let mut in_fence = false;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let content = line.trim_start_matches([' ', '/', '!', '*', '>']);
        let fences = content.starts_with("```") || content.starts_with("~~~");
        if fences || in_fence {
            out.extend(line.chars().map(|_| ' '));
        } else {
            blank_spans(line, &mut out);
        }
        in_fence ^= fences;
        out.push('\n');
    }
    out
}

fn blank_spans(line: &str, out: &mut String) {
    let parts: Vec<_> = line.split('`').collect();
    let last = parts.len() - 1;
    for (index, part) in parts.into_iter().enumerate() {
        let is_span = index % 2 == 1 && index < last;
        if is_span {
            out.extend(part.chars().map(|_| ' '));
        } else {
            blank_addresses(part, out);
        }
        out.extend((index < last).then_some('`'));
    }
}

fn blank_addresses(text: &str, out: &mut String) {
    for token in text.split_inclusive(' ') {
        if token.contains("://") {
            out.extend(token.chars().map(|_| ' '));
        } else {
            out.push_str(token);
        }
    }
}

#[test]
fn spans_fences_and_addresses_are_blank_and_lines_stay() {
    assert_eq!(blank("a `b` c `d"), "a ` ` c `d\n");
    assert_eq!(blank("see http://x/y now"), "see            now\n");
    assert_eq!(
        blank("/// ```sql\n/// SHOW\n/// ```\n/// x"),
        "          \n        \n       \n/// x\n"
    );
}
