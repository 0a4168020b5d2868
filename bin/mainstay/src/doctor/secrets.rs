//! Passwords that are easily guessed, and doors that stand open.

use std::net::IpAddr;

use mainstay_session::policy::{ClientTls, Credential};
use mainstay_settings::{Control, ServerTlsMode, Settings};

use super::finding::{Finding, Grade};

/// Shorter passwords are guessed.
const LENGTH_MIN: usize = 12;

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut password = |place: &str, user: &str, text: &str| {
        if let Some(why) = weak(user, text) {
            found.push(Finding::new(
                Grade::Warning,
                place,
                format!("the password of `{user}` {why}"),
                "take a random one, such as `mainstay init` makes",
            ));
        }
    };
    let api = &settings.api.account;
    password("[api]", &api.user, api.password.reveal());
    let account = settings.control.account();
    let section = match &settings.control {
        Control::Manager(manager) => {
            let account = &manager.replication;
            password("[manager]", &account.user, account.password.reveal());
            "[manager]"
        }
        Control::Monitor(_) => "[monitor]",
    };
    password(section, &account.user, account.password.reveal());
    if let Some(admin) = &settings.admin {
        password(
            "[admin]",
            &admin.account.user,
            admin.account.password.reveal(),
        );
        if let Some(stats) = &admin.stats {
            password("[admin]", &stats.user, stats.password.reveal());
        }
    }
    for user in &settings.users {
        if let Credential::Clear(secret) = &user.credential {
            password("[[user]]", &user.name, secret.reveal());
        }
    }
    found.extend(doors(settings));
    found
}

/// Why a password is weak; nothing of it is repeated.
fn weak(user: &str, password: &str) -> Option<&'static str> {
    let lower = password.to_ascii_lowercase();
    let known = [
        "change", "password", "secret", "admin", "monitor", "123456", "mysql",
    ];
    if password == user {
        Some("is its name")
    } else if known.iter().any(|word| lower.contains(word)) {
        Some("is one of those that are tried first")
    } else if password.chars().count() < LENGTH_MIN {
        Some("is short: fewer than 12 characters")
    } else {
        None
    }
}

fn doors(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let api = settings.api.listen;
    if !api.ip().is_loopback() {
        found.push(Finding::new(
            Grade::Warning,
            "[api]",
            format!("listens on {api}, and passwords travel as they are"),
            "listen on 127.0.0.1, or put a proxy with TLS before it",
        ));
    }
    let Some(proxy) = &settings.proxy else {
        return found;
    };
    let listen = proxy.listen;
    if !listen.ip().is_loopback() && proxy.client_tls.mode == ClientTls::Off {
        found.push(Finding::new(
            Grade::Warning,
            "[proxy.tls]",
            format!("listens on {listen} without TLS"),
            "mode = \"offered\" is the default and makes a certificate by itself",
        ));
    }
    let far = |host: &str| !matches!(host.parse::<IpAddr>(), Ok(ip) if ip.is_loopback());
    let far = settings
        .servers
        .iter()
        .any(|server| far(&server.address.host));
    if far && proxy.server_tls.mode == ServerTlsMode::Disabled {
        found.push(Finding::new(
            Grade::Hint,
            "[proxy.server_tls]",
            "statements and rows travel to servers on other hosts without TLS",
            "mode = \"preferred\", or better \"verify_ca\"",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_told_from_good_ones() {
        assert_eq!(weak("app", "app"), Some("is its name"));
        assert!(weak("app", "change this as well").is_some());
        assert!(weak("app", "Xy7!k").is_some());
        assert_eq!(weak("app", "kT9wQzR4mBx7VnLp"), None);
    }
}
