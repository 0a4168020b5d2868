//! The hint in a leading comment: `/* mainstay: primary */`, `/* mainstay: replica */`.

use crate::lexer::is_space;
use crate::statement::Hint;

/// The first hint among the comments before the statement.
pub(super) fn leading(sql: &[u8]) -> Option<Hint> {
    let mut rest = sql;
    loop {
        let blanks = rest.iter().take_while(|&&byte| is_space(byte)).count();
        let body = rest[blanks..].strip_prefix(b"/*")?;
        let end = body.windows(2).position(|pair| pair == b"*/")?;
        if let Some(hint) = hint(&body[..end]) {
            return Some(hint);
        }
        rest = &body[end + 2..];
    }
}

fn hint(comment: &[u8]) -> Option<Hint> {
    const NAME: &[u8] = b"mainstay:";
    let comment = comment.trim_ascii();
    let (name, wish) = comment.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let wish = wish.trim_ascii();
    if wish.eq_ignore_ascii_case(b"primary") {
        Some(Hint::Primary)
    } else if wish.eq_ignore_ascii_case(b"replica") {
        Some(Hint::Replica)
    } else {
        None
    }
}
