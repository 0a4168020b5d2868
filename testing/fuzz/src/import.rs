//! Files of other programs: any text is read or refused.

use mainstay_import::{Format, import as read};

const PASSWORD: &str = "0123456789abcdef";

pub(crate) fn import(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Format::detect(&text);
    for format in Format::names().into_iter().filter_map(Format::named) {
        let Ok(imported) = read(format, &text, PASSWORD) else {
            continue;
        };
        let again = read(format, &text, PASSWORD);
        assert_eq!(Ok(imported), again, "a file becomes the same each time");
    }
}
