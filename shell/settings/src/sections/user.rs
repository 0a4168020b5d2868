//! `[[user]]`.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_session::policy::{Credential, Plugin, Require};

use super::Found;
use super::account::{self, Keys};
use super::proxy::CAUSAL;
use crate::reader::{Report, Section};
use crate::settings::UserSettings;

const KEYS: Keys = Keys {
    user: "name",
    password: "password",
    password_file: "password_file",
};
const REQUIREMENTS: [(&str, Require); 3] = [
    ("nothing", Require::Nothing),
    ("tls", Require::Tls),
    ("certificate", Require::Certificate),
];
const PLUGINS: [(&str, Plugin); 4] = [
    ("mysql_native_password", Plugin::Native),
    ("caching_sha2_password", Plugin::CachingSha2),
    ("client_ed25519", Plugin::Ed25519),
    ("mysql_clear_password", Plugin::Clear),
];
const PASSWORD_HASH: &str = "password_hash";

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
        let name = account::user(&mut section, &KEYS, None);
        let credential = credential(&mut section, folder);
        let default_schema = section.text("default_schema", "the name of a schema");
        let require = section.choice("require", &REQUIREMENTS);
        let plugin = section.choice("plugin", &PLUGINS);
        let transaction_replay = section.boolean("transaction_replay", false);
        let causal_reads = section.choice("causal_reads", &CAUSAL);
        let default_hostgroup = section.value("default_hostgroup", "a whole number", |value| {
            value.as_integer()?.as_str().parse().ok()
        });
        let schema_locked = section.boolean("schema_locked", false);
        let fast_forward = section.boolean("fast_forward", false);
        section.knows(&["comment"]);
        let limits = super::hostgroups::limits(&mut section);
        if !section.boolean("transaction_persistent", true) {
            let sentence = "cannot be false: the statements of a transaction stay on its server, \
                            since on another one they would read other data";
            section.wrong("transaction_persistent", sentence.to_owned());
        }
        if let Some((name, credential)) = name.zip(credential) {
            if let Some(first) = names.insert(name.clone(), number) {
                let sentence = format!("`{name}` is the name of user {first} too");
                section.wrong("name", sentence);
            }
            if spared.contains(&name) {
                let sentence = format!("`{name}` is an account of [manager]: give clients another");
                section.wrong("name", sentence);
            }
            let hashed = matches!(credential, Credential::Hash(_));
            if hashed && matches!(plugin, Some(Plugin::Native | Plugin::Ed25519)) {
                let sentence = "cannot be checked by `password_hash`: leave it out";
                section.wrong("plugin", sentence.to_owned());
            }
            users.push(UserSettings {
                name,
                credential,
                default_schema,
                connections_max: limits.connections_max,
                require: require.unwrap_or_default(),
                plugin,
                causal_reads,
                transaction_replay,
                default_hostgroup,
                schema_locked,
                fast_forward,
                queries_per_second: limits.queries_per_second,
                bytes_per_second: limits.bytes_per_second,
            });
        }
        section.end();
    }
    users
}

/// What the password is checked against: exactly one of three keys.
fn credential(section: &mut Section<'_, '_, '_>, folder: &Path) -> Option<Credential> {
    let expected = "what `mysql.user.authentication_string` holds of a user with \
                    caching_sha2_password, \"$A$005$\" and 63 characters, or of \
                    mysql_native_password, \"*\" and 40 hexadecimal digits";
    let hash = section.value(PASSWORD_HASH, expected, |value| {
        Credential::stored_hash(value.as_str()?)
    });
    let clear = [KEYS.password, KEYS.password_file];
    let beside = clear.into_iter().find(|key| section.has(key));
    if !section.has(PASSWORD_HASH) && beside.is_some() {
        return account::password(section, &KEYS, folder).map(Credential::Clear);
    }
    section.knows(&clear);
    match beside {
        Some(beside) => {
            let sentence = format!("cannot stand beside `{beside}`: give one of them");
            section.wrong(PASSWORD_HASH, sentence);
            None
        }
        None if section.has(PASSWORD_HASH) => hash,
        None => {
            let sentence = "give it, or `password_file`, or `password_hash`";
            section.missing(KEYS.password, sentence);
            None
        }
    }
}
