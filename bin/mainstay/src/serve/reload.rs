//! Reads the settings of a running `mainstay serve` again: all of the file or nothing, and a word
//! on what has to wait for a restart.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_session::Policy;
use mainstay_settings::{ProxySettings, Settings};

/// The settings of the file, and what they let the proxy do from now on. `None`, and everything
/// stays as it is, when the file is wrong.
pub(super) fn read(
    path: &Path,
    before: &Settings,
    running: Option<&Policy>,
) -> Option<(Settings, Option<Policy>)> {
    let after = match Settings::load(path) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("the settings stay as they were: {error}");
            return None;
        }
    };
    let waiting = needs_restart(before, &after);
    let policy = running.and_then(|running| policy(&after, running));
    if waiting.is_empty() {
        tracing::info!("the settings were read again");
    } else {
        let waiting = waiting.join(", ");
        tracing::warn!(
            waiting,
            "the settings were read again; what is listed waits for a restart"
        );
    }
    // What waits is still compared with what runs when the file is read once more.
    let alone = is_alone(before) && is_alone(&after);
    let mut settings = Settings {
        api: before.api.clone(),
        ..after
    };
    if !alone {
        let intents = settings.intents();
        settings.cluster = before.cluster.clone();
        settings.control = before.control.clone();
        settings.servers.clone_from(&before.servers);
        settings.set_intents(&intents);
    }
    Some((settings, policy))
}

/// Whether a monitor looks at the servers, which takes up anything at once.
fn is_alone(settings: &Settings) -> bool {
    settings.control.monitor().is_some()
}

/// The policy of the file, with what the proxy found out itself when it started.
fn policy(settings: &Settings, running: &Policy) -> Option<Policy> {
    let proxy = settings.proxy.as_ref()?;
    let mut policy = settings.session_policy()?;
    if proxy.server_version.is_none() {
        policy.server_version.clone_from(&running.server_version);
    }
    if proxy.auth_plugin.is_none() {
        policy.auth_plugin = running.auth_plugin;
    }
    policy.capabilities = running.capabilities;
    policy.collation = running.collation;
    policy.key.clone_from(&running.key);
    if policy.has_hashes() && policy.key.is_none() {
        tracing::warn!(
            "the first `password_hash` of the file: its user can log in after a restart"
        );
    }
    Some(policy)
}

/// The keys and sections that changed and are only read at the start.
fn needs_restart(before: &Settings, after: &Settings) -> Vec<&'static str> {
    let managed = !(is_alone(before) && is_alone(after));
    // What the operator wants with them is in force at once.
    let servers = |one: &Settings| {
        let mut one = one.clone();
        one.set_intents(&BTreeMap::new());
        one.servers
    };
    let listen = |one: &Settings| one.proxy.as_ref().map(|proxy: &ProxySettings| proxy.listen);
    let workers = |one: &Settings| one.proxy.as_ref().map(|proxy| proxy.workers);
    let io = |one: &Settings| one.proxy.as_ref().map(|proxy| proxy.io);
    let sections = [
        ("[cluster]", managed && before.cluster != after.cluster),
        ("[[server]]", managed && servers(before) != servers(after)),
        (
            "[manager]",
            before.control.manager() != after.control.manager(),
        ),
        ("[proxy] listen", listen(before) != listen(after)),
        ("[proxy] workers", workers(before) != workers(after)),
        ("[proxy] io", io(before) != io(after)),
        ("[api]", before.api != after.api),
    ];
    let changed = sections.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../../examples/mainstay.toml");

    fn settings(text: &str) -> Settings {
        Settings::parse(text, Path::new("mainstay.toml")).expect("the example is right")
    }

    #[test]
    fn a_changed_limit_is_in_force_and_a_changed_server_waits() {
        let before = settings(FILE);
        let text = FILE
            .replace("# clients_max = 10000", "clients_max = 7")
            .replacen("address = \"", "address = \"127.0.9.9", 1);
        let after = settings(&text);
        assert_eq!(needs_restart(&before, &after), ["[[server]]"]);
        let running = Policy {
            server_version: "10.11.6-MariaDB".to_owned(),
            ..Policy::default()
        };
        let policy = policy(&after, &running).expect("the example has a proxy");
        assert_eq!(policy.clients_max, 7);
        assert_eq!(policy.server_version, "10.11.6-MariaDB");
    }

    #[test]
    fn a_wrong_file_changes_nothing() {
        let before = settings(FILE);
        let missing = Path::new("/nonexistent/mainstay.toml");
        assert!(read(missing, &before, None).is_none());
    }
}
