//! `[[alert]]`: who is told of findings that stay, and of operations.

use std::path::Path;
use std::time::Duration;

use super::Found;
use super::account::{self, Keys};
use crate::alert::{AlertMeans, AlertSettings, MailEncryption, MailSettings};
use crate::reader::{Report, Section};

const AFTER: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(30);
const LIMIT_LEAST: Duration = Duration::from_millis(100);

/// One of these says how the message travels.
const MEANS: [&str; 3] = ["command", "url", "mail_to"];

const KEYS: Keys = Keys {
    user: "smtp_user",
    password: "smtp_password",
    password_file: "smtp_password_file",
};

const ENCRYPTIONS: &[(&str, MailEncryption)] = &[
    ("off", MailEncryption::Off),
    ("starttls", MailEncryption::StartTls),
    ("tls", MailEncryption::Tls),
];

pub(super) fn read(
    tables: &[Found<'_, '_>],
    folder: &Path,
    report: &mut Report<'_>,
) -> Vec<AlertSettings> {
    let read = tables.iter().filter_map(|found| {
        let section = Section::new("alert", found.clone(), report);
        one(section, folder)
    });
    read.collect()
}

fn one(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<AlertSettings> {
    let after = section.duration("after", AFTER, Duration::ZERO);
    let limit = section.duration("limit", LIMIT, LIMIT_LEAST);
    let given: Vec<_> = MEANS.into_iter().filter(|key| section.has(key)).collect();
    let command = command(&mut section);
    let url = section.value("url", "an address with http:// or https://", |value| {
        let url = value.as_str()?;
        let known = ["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        known.then(|| url.to_owned())
    });
    let mail = mail(&mut section, given == ["mail_to"], folder);
    match given.as_slice() {
        [_] => {}
        [] => section.missing("command", "or `url`, or `mail_to`: say how people are told"),
        [first, second, ..] => {
            let sentence =
                format!("cannot stand beside `{first}`: make it an [[alert]] of its own");
            section.wrong(second, sentence);
        }
    }
    section.end();
    let means = match given.as_slice() {
        ["command"] => command?,
        ["url"] => AlertMeans::Webhook { url: url? },
        ["mail_to"] => AlertMeans::Mail(mail?),
        _ => return None,
    };
    Some(AlertSettings {
        means,
        after,
        limit,
    })
}

fn command(section: &mut Section<'_, '_, '_>) -> Option<AlertMeans> {
    let program = section.value("command", "the whole path of a program", |value| {
        let path = value.as_str()?;
        path.starts_with('/').then(|| path.into())
    });
    let arguments = section.texts("arguments", "[\"--urgent\"]");
    Some(AlertMeans::Command {
        program: program?,
        arguments,
    })
}

fn mail(section: &mut Section<'_, '_, '_>, is_wanted: bool, folder: &Path) -> Option<MailSettings> {
    let to = section.texts("mail_to", "[\"dba@example.com\"]");
    let from = section.text("mail_from", "an address, such as \"mainstay@example.com\"");
    let server = section.value(
        "smtp",
        "a host and a port, such as \"mail.example.com:587\"",
        |value| {
            let (host, port) = value.as_str()?.rsplit_once(':')?;
            Some((host.to_owned(), port.parse().ok()?))
        },
    );
    let encryption = section.choice("smtp_encryption", ENCRYPTIONS);
    let wants_account = [KEYS.user, KEYS.password, KEYS.password_file];
    let account = if wants_account.iter().any(|key| section.has(key)) {
        Some(account::read(section, &KEYS, None, folder)?)
    } else {
        section.knows(&wants_account);
        None
    };
    if is_wanted {
        for (key, why) in [("mail_from", "who writes"), ("smtp", "the mail server")] {
            if !section.has(key) {
                section.missing(key, why);
            }
        }
    }
    let (server, port) = server?;
    Some(MailSettings {
        server,
        port,
        encryption: encryption.unwrap_or(MailEncryption::StartTls),
        account,
        from: from?,
        to,
    })
}
