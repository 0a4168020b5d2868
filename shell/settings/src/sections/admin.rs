//! `[admin]`: the port that speaks SQL, and its accounts. Without this section there is none.

use std::path::Path;

use super::account::{self, Keys};
use super::api::listen;
use crate::reader::Section;
use crate::settings::AdminSettings;

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

const STATS_KEYS: Keys = Keys {
    user: "stats_user",
    password: "stats_password",
    password_file: "stats_password_file",
};

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<AdminSettings> {
    let listen = listen(&mut section, 6032);
    let account = account::read(&mut section, &KEYS, Some("admin"), folder);
    let named = [
        STATS_KEYS.user,
        STATS_KEYS.password,
        STATS_KEYS.password_file,
    ];
    let stats = if named.iter().any(|key| section.has(key)) {
        account::read(&mut section, &STATS_KEYS, Some("stats"), folder)
    } else {
        section.knows(&named);
        None
    };
    let same = account.as_ref().zip(stats.as_ref());
    if same.is_some_and(|(admin, stats)| admin.user == stats.user) {
        let sentence = "is the name of the other account too: which one would log in?";
        section.wrong(STATS_KEYS.user, sentence.to_owned());
    }
    section.end();
    Some(AdminSettings {
        listen,
        account: account?,
        stats,
    })
}
