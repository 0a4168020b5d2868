//! Other settings for a running `mainstay serve`, from the file or from rows: all of them or
//! nothing, and a word on what has to wait for a restart.

use std::collections::BTreeMap;

use mainstay_session::Policy;
use mainstay_settings::{ProxySettings, Settings};

/// What is in force of other settings, and what they let the proxy do from now on.
pub(super) struct Taken {
    pub(super) settings: Settings,
    pub(super) policy: Option<Policy>,
    /// Keys and sections that wait for a restart.
    pub(super) waiting: Vec<&'static str>,
}

/// Takes of other settings what can be put in force at once.
pub(super) fn take(after: Settings, before: &Settings, running: Option<&Policy>) -> Taken {
    let waiting = needs_restart(before, &after);
    let policy = running.and_then(|running| policy(&after, running));
    // What waits is still compared with what runs when the file is read once more.
    let alone = is_alone(before) && is_alone(&after);
    let mut settings = Settings {
        api: before.api.clone(),
        admin: before.admin.clone(),
        address_roles: before.address_roles.clone(),
        hooks: before.hooks.clone(),
        ..after
    };
    if let (Some(wanted), Some(runs)) = (&mut settings.proxy, &before.proxy) {
        wanted.listen = runs.listen;
        wanted.workers = runs.workers;
        wanted.io = runs.io;
    }
    if !alone {
        let intents = settings.intents();
        settings.cluster = before.cluster.clone();
        settings.control = before.control.clone();
        settings.servers.clone_from(&before.servers);
        settings.set_intents(&intents);
    }
    Taken {
        settings,
        policy,
        waiting,
    }
}

/// Whether a monitor looks at the servers, which takes up anything at once.
fn is_alone(settings: &Settings) -> bool {
    settings.control.monitor().is_some()
}

/// Makes the key with which clients encrypt their passwords, when the first user comes that has
/// only a hash.
pub(crate) async fn with_key(mut policy: Policy) -> Policy {
    if policy.key.is_none() {
        match super::login_key(&policy).await {
            Ok(key) => policy.key = key,
            Err(error) => tracing::error!("users with a hash cannot log in: {error:#}"),
        }
    }
    policy
}

/// The policy of the file, with what the proxy found out itself when it started.
pub(crate) fn policy(settings: &Settings, running: &Policy) -> Option<Policy> {
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
    Some(policy)
}

/// The keys and sections that changed and are only read at the start.
pub(super) fn needs_restart(before: &Settings, after: &Settings) -> Vec<&'static str> {
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
        ("[[hook]]", before.hooks != after.hooks),
        ("[proxy] listen", listen(before) != listen(after)),
        ("[proxy] workers", workers(before) != workers(after)),
        ("[proxy] io", io(before) != io(after)),
        ("[api]", before.api != after.api),
        ("[admin]", before.admin != after.admin),
        (
            "[address_roles]",
            before.address_roles != after.address_roles,
        ),
    ];
    let changed = sections.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
    fn what_waits_for_a_restart_is_told_at_each_change_until_it_is_taken_back() {
        let before = settings(FILE);
        let more = FILE.replace("# workers = ", "workers = 7 # ");
        let first = take(settings(&more), &before, None);
        assert_eq!(first.waiting, ["[proxy] workers"]);
        let other = settings(&more.replace("# clients_max = 10000", "clients_max = 7"));
        let again = take(other, &first.settings, None);
        assert_eq!(again.waiting, ["[proxy] workers"]);
        assert!(
            take(settings(FILE), &again.settings, None)
                .waiting
                .is_empty()
        );
    }

    #[test]
    fn other_roles_of_addresses_wait_however_often_the_file_is_read() {
        let before = settings(FILE);
        let server = &before.servers[0].name;
        let text = format!(
            "{FILE}\n[address_roles]\nwriter = \"writer\"\npassword = \"four\"\n\
             [[address_roles.host]]\nserver = \"{server}\"\napi = \"127.0.0.1:6080\"\n"
        );
        let first = take(settings(&text), &before, None);
        assert_eq!(first.waiting, ["[address_roles]"]);
        let again = take(settings(&text), &first.settings, None);
        assert_eq!(again.waiting, ["[address_roles]"]);
    }
}
