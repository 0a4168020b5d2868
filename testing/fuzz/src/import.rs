//! Files of other programs: any text is read or refused.

use mainstay_import::{Format, import as read};

pub(crate) fn import(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Format::detect(&text);
    let Ok(imported) = read(Format::ProxySql, &text, "0123456789abcdef") else {
        return;
    };
    let again = read(Format::ProxySql, &text, "0123456789abcdef");
    assert_eq!(Ok(imported), again, "a file becomes the same each time");
}
