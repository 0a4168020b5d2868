//! `[logs]`: the files in which statements and clients are recorded.

use std::path::Path;
use std::time::Duration;

use mainstay_session::policy::LogPolicy;

use crate::reader::Section;
use crate::settings::LogSettings;
use crate::value;

/// Which statements the query log gets of which no rule speaks.
const OF: [(&str, bool); 2] = [("rules", false), ("all", true)];

/// Smaller files would only be moved about.
const BYTES_LEAST: usize = 4 << 10;

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> LogSettings {
    let default = LogPolicy::default();
    let path = |section: &mut Section<'_, '_, '_>, key| {
        let path = section.text(key, "the path of a file");
        path.map(|path| folder.join(path))
    };
    let settings = LogSettings {
        queries: path(&mut section, "queries"),
        all_queries: section.choice("queries_of", &OF).unwrap_or(false),
        slow: path(&mut section, "slow"),
        slow_after: section.duration("slow_after", default.slow_after, Duration::ZERO),
        audit: path(&mut section, "audit"),
        file_bytes_max: size(&mut section, "file_bytes_max", 100 << 20).max(BYTES_LEAST),
        files_kept: section.count("files_kept", 5, 0),
        text_bytes_max: size(&mut section, "text_bytes_max", default.text_bytes_max),
    };
    if section.has("queries_of") && settings.queries.is_none() {
        let sentence = "has no meaning without `queries`, the path of the log";
        section.wrong("queries_of", sentence.to_owned());
    }
    section.end();
    settings
}

fn size(section: &mut Section<'_, '_, '_>, key: &'static str, default: usize) -> usize {
    let read = section.value(key, "a size, such as \"100MiB\"", |value| {
        value::size(value.as_str()?)
    });
    read.unwrap_or(default)
}
