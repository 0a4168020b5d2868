//! Puts a digest text together piece by piece, and folds lists while they are written, so that the
//! text never grows much beyond its limit.

use super::TEXT_MAX;

/// Values of a list that stay.
const VALUES_MAX: usize = 3;
/// A list is folded when it has more values than this.
const VALUES_KEPT: usize = 4;
/// Values that are written before it is known whether the list is folded: the last one may turn out
/// to be the beginning of an expression.
const VALUES_WRITTEN: usize = VALUES_KEPT + 1;
/// Equal lists in a row that stay.
const LISTS_MAX: usize = 10;

/// A run of `?,?,…` inside parentheses.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    /// Values seen; only the first few are written.
    values: usize,
    /// The last thing seen was a comma.
    comma: bool,
}

/// A row of equal lists `(?,?),(?,?)`.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Where its first list begins.
    start: usize,
    /// The length of each list.
    list: usize,
    lists: usize,
    /// Where what is written of it ends.
    end: usize,
}

/// The text of a digest while it is written.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    text: &'a mut Vec<u8>,
    /// White space is due before the next piece, unless that forbids it.
    blank: bool,
    run: Option<Run>,
    row: Option<Row>,
    /// Where the parenthesis is that was opened last and not closed.
    open: Option<usize>,
    /// Nothing but values and commas stands behind it.
    plain: bool,
    /// Signs behind a comma of the run: gone when a value follows, else written.
    signs: Signs,
}

/// A few signs that are not written yet.
#[derive(Debug, Clone, Copy, Default)]
struct Signs {
    bytes: [u8; 8],
    count: usize,
}

fn is_operator(byte: u8) -> bool {
    matches!(byte, b'+' | b'-' | b'*' | b'/' | b'%')
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

impl<'a> Writer<'a> {
    pub(super) fn new(text: &'a mut Vec<u8>) -> Self {
        Self {
            text,
            blank: false,
            run: None,
            row: None,
            open: None,
            plain: false,
            signs: Signs::default(),
        }
    }

    /// What follows cannot be seen any more.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() > TEXT_MAX + VALUES_WRITTEN * 2
    }

    /// White space stood here, or a comment.
    pub(super) fn blank(&mut self) {
        self.blank = true;
    }

    /// A piece that is no value.
    pub(super) fn copy(&mut self, piece: &[u8]) {
        let Some(&first) = piece.first() else { return };
        if let ([b','], Some(run)) = (piece, &mut self.run)
            && !run.comma
        {
            run.comma = true;
            let written = run.values <= VALUES_WRITTEN;
            self.blank = false;
            if written {
                self.text.push(b',');
            }
            return;
        }
        if matches!(piece, b"+" | b"-")
            && self.run.is_some_and(|run| run.comma)
            && let Some(place) = self.signs.bytes.get_mut(self.signs.count)
        {
            *place = first;
            self.signs.count += 1;
            self.blank = false;
            return;
        }
        if self.run.is_some() || self.signs.count > 0 {
            self.end_run(first);
            self.put_signs();
        }
        // Two dashes could be read as the beginning of a comment.
        self.blank |= first == b'-' && self.text.last() == Some(&b'-');
        self.put_blank(first);
        let at = self.text.len();
        let room = (TEXT_MAX + 1).saturating_sub(at);
        self.text.extend_from_slice(&piece[..piece.len().min(room)]);
        match piece {
            [b'('] => (self.open, self.plain) = (Some(at), true),
            [b')'] => self.close(),
            [b',' | b'.'] => {}
            _ => self.plain = false,
        }
    }

    /// No value followed the signs.
    fn put_signs(&mut self) {
        let signs = std::mem::take(&mut self.signs);
        for &sign in &signs.bytes[..signs.count] {
            let blank = std::mem::replace(&mut self.blank, false);
            self.copy(&[sign]);
            self.blank = blank;
        }
    }

    /// A value.
    pub(super) fn value(&mut self) {
        if let Some(run) = &mut self.run {
            if run.comma {
                self.signs.count = 0;
                run.comma = false;
                run.values += 1;
                self.blank = false;
                if run.values <= VALUES_WRITTEN {
                    self.text.push(b'?');
                }
                return;
            }
            self.end_run(b'?');
        }
        self.put_blank(b'?');
        self.strip_signs();
        let at = self.text.len();
        let after_operator = at > 0 && is_operator(self.text[at - 1]);
        self.text.push(b'?');
        if self.open.is_some() && !after_operator {
            self.run = Some(Run {
                start: at,
                values: 1,
                comma: false,
            });
        }
        if self
            .open
            .is_none_or(|open| at != open + 1 && self.text[at - 1] != b',')
        {
            self.plain = false;
        }
    }

    /// The text is whole.
    pub(super) fn finish(&mut self) {
        self.end_run(b'?');
        self.put_signs();
        self.text.truncate(TEXT_MAX);
        while let Some(b' ' | b';') = self.text.last() {
            self.text.pop();
        }
    }

    /// What is written.
    pub(super) fn text(&self) -> &[u8] {
        self.text
    }

    fn put_blank(&mut self, next: u8) {
        if !std::mem::take(&mut self.blank) {
            return;
        }
        let Some(&last) = self.text.last() else {
            return;
        };
        let forbidden = matches!(last, b'(' | b',' | b' ')
            || matches!(next, b')' | b',')
            || (is_operator(last) && next == b'?')
            || (is_operator(next) && last == b'?');
        if !forbidden {
            self.text.push(b' ');
        }
    }

    /// Takes the signs away that belong to the value that comes now. `c +1` loses it too, as with
    /// ProxySQL, since nobody can tell without a grammar; `c+1` and `1 + 1` keep it.
    fn strip_signs(&mut self) {
        loop {
            let len = self.text.len();
            let gap = usize::from(self.text.last() == Some(&b' '));
            let Some(sign) = (len - gap).checked_sub(1) else {
                break;
            };
            if !matches!(self.text[sign], b'+' | b'-') {
                break;
            }
            let belongs = match self.text[..sign] {
                [] => false,
                [b' '] => true,
                [.., before, b' '] => is_name(before) || !matches!(before, b'?' | b')'),
                [.., before] => !is_name(before) && !matches!(before, b'?' | b')'),
            };
            if !belongs {
                break;
            }
            self.text.truncate(sign);
        }
        if let [.., last, b' '] = self.text[..]
            && is_operator(last)
        {
            self.text.pop();
        }
    }

    /// Something other than the next value of a list comes.
    fn end_run(&mut self, next: u8) {
        let Some(run) = self.run.take() else { return };
        // A value that no comma follows counts only at the end of the list.
        let whole = run.values - usize::from(!run.comma && next != b')');
        let folded = whole > VALUES_KEPT;
        if folded {
            self.text.truncate(run.start + 2 * VALUES_MAX);
            self.text.extend_from_slice(b"...");
            if run.comma || next != b')' {
                self.text.push(b',');
            }
            if !run.comma && next != b')' {
                self.text.push(b'?');
            }
        }
        if next != b')' {
            self.plain &= run.comma && next == b'.';
        }
    }

    /// A parenthesis was closed: the list may be equal to the one before it.
    fn close(&mut self) {
        let Some(start) = self.open.take().filter(|_| self.plain) else {
            return;
        };
        let end = self.text.len();
        let list = end - start;
        let row = self.row.filter(|row| {
            let next = row.end + 1 == start && self.text[row.end] == b',';
            next && row.list == list && self.text[row.start..row.start + list] == self.text[start..]
        });
        let mut row = row.unwrap_or(Row {
            start,
            list,
            lists: 0,
            end,
        });
        row.lists += 1;
        row.end = end;
        if row.lists > LISTS_MAX {
            let kept = row.start + LISTS_MAX * (list + 1);
            self.text.truncate(kept);
            self.text.extend_from_slice(b"...");
            row.end = self.text.len();
        }
        self.row = Some(row);
    }
}
