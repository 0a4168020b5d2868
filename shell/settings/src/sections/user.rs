//! `[[user]]`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Found;
use super::account::{self, Keys};
use crate::reader::{Report, Section};
use crate::settings::UserSettings;

const KEYS: Keys = Keys {
    user: "name",
    password: "password",
    password_file: "password_file",
};

/// Reads the users. `spared` are the accounts whose connections survive a fence: a client that
/// used one of them could go on writing to a fenced primary.
pub(super) fn read(
    tables: &[Found<'_, '_>],
    folder: &Path,
    spared: &[String],
    report: &mut Report<'_>,
) -> Vec<UserSettings> {
    let mut names = BTreeMap::new();
    let mut users = Vec::new();
    for (number, (table, span)) in (1..).zip(tables) {
        let mut section = Section::new("user", (*table, span.clone()), report);
        let account = account::read(&mut section, &KEYS, None, folder);
        let default_schema = section.text("default_schema", "the name of a schema");
        if let Some(account) = account {
            let name = &account.user;
            if let Some(first) = names.insert(name.clone(), number) {
                let sentence = format!("`{name}` is the name of user {first} too");
                section.wrong("name", sentence);
            }
            if spared.contains(name) {
                let sentence = format!("`{name}` is an account of [manager]: give clients another");
                section.wrong("name", sentence);
            }
            users.push(UserSettings {
                account,
                default_schema,
            });
        }
        section.end();
    }
    users
}
