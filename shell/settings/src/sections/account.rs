//! A user and its password: in the file, or in a file of its own.

use std::path::Path;

use mainstay_session::policy::Secret;

use crate::reader::Section;
use crate::settings::Account;

/// The keys of one account.
pub(super) struct Keys {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) password_file: &'static str,
}

/// Reads an account; `None` when something of it is missing or wrong.
pub(super) fn read(
    section: &mut Section<'_, '_, '_>,
    keys: &Keys,
    default_user: Option<&str>,
    folder: &Path,
) -> Option<Account> {
    let user = user(section, keys, default_user);
    let password = password(section, keys, folder);
    Some(Account {
        user: user?,
        password: password?,
    })
}

pub(super) fn user(
    section: &mut Section<'_, '_, '_>,
    keys: &Keys,
    default_user: Option<&str>,
) -> Option<String> {
    let user = match default_user {
        Some(default) if !section.has(keys.user) => {
            section.text(keys.user, "a user's name");
            Some(default.to_owned())
        }
        Some(_) | None => section.text(keys.user, "a user's name"),
    };
    if user.is_none() && !section.has(keys.user) {
        section.missing(keys.user, "the name of the user");
    }
    user
}

pub(super) fn password(
    section: &mut Section<'_, '_, '_>,
    keys: &Keys,
    folder: &Path,
) -> Option<Secret> {
    let written = section.text(keys.password, "a password");
    let file = section.text(keys.password_file, "the path of a file");
    match (section.has(keys.password), section.has(keys.password_file)) {
        (true, false) => written.map(|text| Secret::new(&text)),
        (false, true) => {
            let path = folder.join(file?);
            match std::fs::read_to_string(&path) {
                Ok(text) if !text.trim_end().is_empty() => Some(Secret::new(text.trim_end())),
                Ok(_) => {
                    let sentence = format!("the file {} is empty", path.display());
                    section.wrong(keys.password_file, sentence);
                    None
                }
                Err(error) => {
                    let sentence = format!("the file {} cannot be read: {error}", path.display());
                    section.wrong(keys.password_file, sentence);
                    None
                }
            }
        }
        (true, true) => {
            let sentence = format!("cannot stand beside `{}`: give one of them", keys.password);
            section.wrong(keys.password_file, sentence);
            None
        }
        (false, false) => {
            let sentence = format!("give it, or `{}`", keys.password_file);
            section.missing(keys.password, &sentence);
            None
        }
    }
}
