//! What files of failover managers describe: servers, and the accounts on them.

use crate::report::Report;
use crate::toml::Toml;

/// A cluster with a manager and a proxy.
#[derive(Debug, Default)]
pub(crate) struct Cluster<'f> {
    pub(crate) servers: Vec<Server>,
    /// The manager's account: user, password.
    pub(crate) login: Login<'f>,
    /// With which replicas connect.
    pub(crate) replication: Login<'f>,
    /// Without it clean servers are attached.
    pub(crate) waits_for_operator: bool,
    /// Silence after which the primary may be confirmed as hung, in seconds.
    pub(crate) hang_after_s: Option<u64>,
}

/// An account; what is missing has to be completed by a person.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Login<'f> {
    pub(crate) user: Option<&'f str>,
    pub(crate) password: Option<&'f str>,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// A host and a port.
    pub(crate) address: String,
    /// `None` is neutral.
    pub(crate) promotion: Option<&'static str>,
}

impl Cluster<'_> {
    /// Says what the file cannot: whether commits wait for a replica.
    pub(crate) fn say_durability(&self, line: usize, report: &mut Report) {
        let sentence = if self.is_lossless() {
            "durability = \"lossless\": commits wait for one replica (semi-synchronous), and a \
             failover loses nothing; \"async\" is as it was"
        } else {
            "durability = \"async\" as it was: with fewer than three servers writes would stop \
             whenever one is missing"
        };
        report.changed(line, "the cluster", sentence);
    }

    fn is_lossless(&self) -> bool {
        self.servers.len() > 2
    }

    /// Writes all but `[api]`.
    pub(crate) fn write(&self, toml: &mut Toml) {
        toml.section("cluster");
        let lossless = self.is_lossless();
        toml.text("durability", if lossless { "lossless" } else { "async" });
        if self.waits_for_operator {
            toml.raw("auto_rejoin", "false");
        }
        if let Some(seconds) = self.hang_after_s {
            toml.text("hang_after", &format!("{seconds}s"));
        }
        for server in &self.servers {
            toml.item("server");
            toml.text("name", &server.name);
            toml.text("address", &server.address);
            if let Some(promotion) = server.promotion {
                toml.text("promotion", promotion);
            }
        }
        toml.section("manager");
        self.login.write(["user", "password"], toml);
        let keys = ["replication_user", "replication_password"];
        self.replication.write(keys, toml);
        toml.section("proxy");
        // Accounts of applications are in no file of a failover manager.
        toml.raw("passthrough", "true");
    }
}

impl Login<'_> {
    fn write(&self, keys: [&str; 2], toml: &mut Toml) {
        for (key, value) in keys.into_iter().zip([self.user, self.password]) {
            match value {
                Some(value) => toml.text(key, value),
                None => toml.comment(&format!("{key} = \"to be completed\"")),
            }
        }
    }
}

/// Whether settings take it as the name of a server.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

/// A host and a port as settings write them.
pub(crate) fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// A port, if it is one.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|&port| port > 0)
}
