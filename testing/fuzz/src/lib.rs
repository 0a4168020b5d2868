//! Fuzz targets: functions from bytes that must not panic, whatever the bytes are, and that assert
//! what must hold. Where the bytes come from is left to others: the corpus in the tests, the
//! mutator of this crate's program, or libFuzzer (`libfuzzer/`, the layout of cargo-fuzz).

mod binlog;
mod import;
mod session;
mod settings;
mod sql;
mod text;
mod vrrp;
mod wire;

pub mod corpus;
pub mod mutate;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its corpus.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("packets", wire::packets),
    target("greeting", wire::greeting),
    target("client_hello", wire::client_hello),
    target("auth_packets", wire::auth_packets),
    target("responses", wire::responses),
    target("session_track", wire::session_track),
    target("changes", wire::changes),
    target("rows", wire::rows),
    target("reply", wire::reply),
    target("bound_parameters", wire::bound_parameters),
    target("change_user", wire::change_user),
    target("compression", wire::compression),
    target("proxy_protocol", wire::proxy_protocol),
    target("statement", sql::statement),
    target("digest", sql::digest),
    target("import", import::import),
    target("settings", settings::settings),
    target("gtid_set", text::gtid_set),
    target("admin_command", text::admin_command),
    target("moved_session", session::moved),
    target("sessions", session::sessions),
    target("vrrp_advert", vrrp::advert),
    target("vrrp_router", vrrp::router),
    target("binlog", binlog::binlog),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The target of this name.
pub fn named(name: &str) -> Option<Target> {
    TARGETS.iter().find(|one| one.name == name).copied()
}

/// Runs a target by its name, for the programs of libFuzzer.
///
/// # Panics
/// When there is no such target, and when the target finds something.
pub fn run(name: &str, data: &[u8]) {
    (named(name).expect("the name of a target").run)(data);
}

#[cfg(test)]
mod tests;
