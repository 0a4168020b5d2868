//! What a person reads who has made a mistake in the file, and what a right file gives.

mod alerts;
mod alone;
mod hooks;
mod passing;

use std::path::Path;
use std::time::Duration;

use mainstay_failover::{Durability, Policy};
use mainstay_session::policy::{Causal, Choice, Credential, NoReader, Secret};
use mainstay_topology::{Promotion, ServerName};

use crate::{ProxyIo, Settings, SettingsError};

const EXAMPLE: &str = include_str!("../../../examples/mainstay.toml");

const RIGHT: &str = r#"
[[server]]
name = "db1"
address = "127.0.0.1:3301"
[[server]]
name = "db2"
address = "127.0.0.1:3302"
[manager]
user = "m"
password = "secret-1"
replication_user = "r"
replication_password = "secret-2"
[api]
password = "secret-3"
"#;

fn parse(text: &str) -> Result<Settings, SettingsError> {
    Settings::parse(text, Path::new("/etc/mainstay/mainstay.toml"))
}

/// The mistakes, without the name of the file.
fn mistakes(text: &str) -> String {
    let error = parse(text).expect_err("the file has a mistake").to_string();
    error.replace("/etc/mainstay/mainstay.toml:", "")
}

fn changed(from: &str, to: &str) -> String {
    assert!(RIGHT.contains(from));
    RIGHT.replacen(from, to, 1)
}

fn failover_policy(settings: &Settings) -> Policy {
    let manager = settings.control.manager().expect("a manager");
    settings.failover_policy(manager)
}

#[test]
fn the_example_is_right() {
    let settings = parse(EXAMPLE).unwrap();
    assert_eq!(settings.servers.len(), 3);
    assert_eq!(settings.servers[2].promotion, Promotion::PreferNot);
    assert_eq!(failover_policy(&settings), Policy::default());
    assert_eq!(
        settings.control.manager().expect("a manager").state,
        Path::new("/etc/mainstay/mainstay.db")
    );
    let session = settings.session_policy().unwrap();
    let clear = Credential::Clear(Secret::new("change this as well"));
    assert_eq!(session.users["app"].credential, clear);
    assert!(!session.has_hashes());
}

#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    // A line that is commented out and looks like `key = value` is a default.
    let no_default = |line: &str| {
        let keys = [
            "default_schema",
            "connections_max = 100",
            "allow_from",
            "password_hash",
            "certificate = ",
            "key = \"proxy",
            "ca = \"",
            "client_certificates = ",
            "plugin = \"client_ed25519\"",
            "zone",
            "causal_reads = \"session\"",
            "transaction_replay = true",
            "queries = ",
            "queries_of = ",
            "slow = ",
            "audit = ",
            "dual_primary = ",
            "data_directory = ",
            "source = ",
            "delay = ",
            "data_directory = ",
        ];
        keys.iter().any(|key| line.contains(key))
    };
    // What follows has keys of its own, and a zone has no default.
    let example = EXAMPLE.split("# Names of the cluster").next().unwrap();
    let uncommented: String = example
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !no_default(rest) => rest,
            Some(rest) if rest.starts_with("[proxy.") => rest,
            Some(_) | None => line,
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let (shown, real) = (parse(&uncommented).unwrap(), parse(EXAMPLE).unwrap());
    let announced = |settings: &Settings| {
        let mut proxy = settings.proxy.clone().unwrap();
        (proxy.server_version, proxy.auth_plugin) = (None, None);
        format!("{proxy:?}")
    };
    assert_eq!(announced(&shown), announced(&real));
    assert_eq!(
        format!("{:?}", shown.cluster),
        format!("{:?}", real.cluster)
    );
    assert_eq!(
        format!("{:?}", shown.control),
        format!("{:?}", real.control)
    );
    assert_eq!(format!("{:?}", shown.api), format!("{:?}", real.api));
    assert_eq!(shown.logs, real.logs);
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_their_lines() {
    let text = r#"[cluster]
durability = "losless"
hang_after = 2
auto_fialover = true
acknowledgements = 0

[[server]]
name = "db1"
address = "127.0.0.1"
[[server]]
name = "db 2"
[[server]]
address = "127.0.0.1:3303"
promotion = "always"

[manager]
user = ""
password = 7

[proxy]
listen = "here:6033"
workers = 0
hold_bytes_max = "64MB"
hold_time_max = "1ms"

[colour]
"#;
    // Which sections there are is not what this is about.
    let said = mistakes(text);
    let said = said.split("; known are").next().unwrap();
    assert_eq!(
        said,
        r#"1: api.password: is missing: give it, or `password_file`
2: cluster.durability: expected one of "lossless", "async", found "losless"
3: cluster.hang_after: expected a duration from "1s", such as "2s", found the number 2
4: cluster.auto_fialover: is not known; did you mean `auto_failover`?
5: cluster.acknowledgements: expected a whole number from 1, found the number 0
9: server.address: expected a host and a port, such as "10.0.0.1:3306", found "127.0.0.1"
10: server.address: is missing: every server has a name and an address
11: server.name: expected a name of letters, digits, `-`, `_` and `.`, found "db 2"
12: server.name: is missing: every server has a name and an address
14: server.promotion: expected one of "prefer", "neutral", "prefer-not", "never", found "always"
16: manager.replication_password: is missing: give it, or `replication_password_file`
16: manager.replication_user: is missing: the name of the user
17: manager.user: expected a user's name, found an empty text
18: manager.password: expected a password, found something else
20: proxy: needs at least one [[user]] section, or passthrough = true: nobody could log in
21: proxy.listen: expected an IP address and a port, such as "127.0.0.1:6033", found "here:6033"
22: proxy.workers: expected "auto" or a whole number from 1, found the number 0
23: proxy.hold_bytes_max: expected a size, such as "64MiB", found "64MB"
24: proxy.hold_time_max: expected a duration from "10ms", such as "30s", found "1ms"
26: colour: is not known"#
    );
}

#[test]
fn an_empty_file_says_all_that_is_missing() {
    assert_eq!(
        mistakes(""),
        "1: api.password: is missing: give it, or `password_file`\n\
         1: manager.password: is missing: give it, or `password_file`\n\
         1: manager.replication_password: is missing: give it, or `replication_password_file`\n\
         1: manager.replication_user: is missing: the name of the user\n\
         1: manager.user: is missing: the name of the user\n\
         1: server: is missing: name each server in a [[server]] section"
    );
}

#[test]
fn a_broken_line_is_named() {
    let text = "[cluster]\nname = \"main\nhang_after = \"2s\"\n";
    assert!(
        mistakes(text).starts_with("2: is no TOML: "),
        "{}",
        mistakes(text)
    );
}

#[test]
fn two_servers_never_share_a_name_or_an_address() {
    let text = RIGHT.replace("db2", "db1").replace("3302", "3301");
    assert_eq!(
        mistakes(&text),
        "6: server.name: `db1` is the name of server 1 too\n\
         7: server.address: `127.0.0.1:3301` is the address of server 1 too"
    );
}

#[test]
fn a_shared_name_is_told_beside_a_wrong_address() {
    let text = changed("\"db2\"", "\"db1\"").replace("127.0.0.1:3302", "127.0.0.1");
    let told = mistakes(&text);
    assert!(told.contains("6: server.name: `db1` is the name of server 1 too"));
    assert!(told.contains("7: server.address"));
}

#[test]
fn a_client_never_uses_an_account_that_a_fence_spares() {
    let text = format!("{RIGHT}[[user]]\nname = \"m\"\npassword = \"x\"\n");
    assert_eq!(
        mistakes(&text),
        "16: user.name: `m` is an account of [manager]: give clients another"
    );
}

#[test]
fn more_acknowledgements_than_replicas_are_refused() {
    let text = format!("[cluster]\nacknowledgements = 2\n{RIGHT}");
    assert_eq!(
        mistakes(&text),
        "2: cluster.acknowledgements: a commit cannot get 2 acknowledgements from 2 servers, \
         of which one is the primary"
    );
}

#[test]
fn a_section_of_the_wrong_form_is_named() {
    let text = changed("[manager]", "[[manager]]");
    assert!(mistakes(&text).contains("manager: is a section: write it as [manager]"));
    let text = "[server]\nname = \"db1\"\n";
    assert!(mistakes(text).contains("1: server: is a list of sections: write each as [[server]]"));
}

#[test]
fn a_password_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "from a file\n").unwrap();
    let text = changed("password = \"secret-1\"", "password_file = \"password\"");
    let settings = Settings::parse(&text, &folder.path().join("mainstay.toml")).unwrap();
    assert_eq!(settings.control.account().password.reveal(), "from a file");
    let missing = changed("password = \"secret-1\"", "password_file = \"absent\"");
    assert!(
        mistakes(&missing).starts_with(
            "10: manager.password_file: the file /etc/mainstay/absent cannot be read: "
        )
    );
}

#[test]
fn a_password_is_given_once() {
    let text = changed(
        "password = \"secret-1\"",
        "password = \"a\"\npassword_file = \"b\"",
    );
    assert_eq!(
        mistakes(&text),
        "11: manager.password_file: cannot stand beside `password`: give one of them"
    );
}

/// Of "s3cret", as a server stored it.
const HASH: &str = concat!(
    r"$A$00A$%{\u0011vbA\u0018\u001eA\r\u0004\u000byQ1\u0019l",
    "'fmbchYcZTUEYMZwl6QyXhWxzBYUvgF2/KNNsiC3hqJu32"
);

#[test]
fn a_user_may_be_known_by_a_hash_only() {
    let text = format!("{RIGHT}[proxy]\n[[user]]\nname = \"u\"\npassword_hash = \"{HASH}\"\n");
    let settings = parse(&text).unwrap();
    assert!(!format!("{settings:?}").contains("l'fmb"));
    let session = settings.session_policy().unwrap();
    assert!(session.has_hashes());
    let Credential::Hash(hash) = &session.users["u"].credential else {
        panic!("a hash")
    };
    assert!(hash.reveal().starts_with("$A$00A$%{\u{11}vb"));
}

#[test]
fn what_the_proxy_reads_and_writes_with_is_chosen_by_name() {
    let user = "[[user]]\nname = \"u\"\npassword = \"secret-4\"\n";
    let io = |value: &str| format!("{RIGHT}[proxy]\nio = \"{value}\"\n{user}");
    let chosen = |value| parse(&io(value)).unwrap().proxy.unwrap().io;
    assert_eq!(chosen("auto"), ProxyIo::Auto);
    assert_eq!(chosen("epoll"), ProxyIo::Epoll);
    assert_eq!(chosen("io_uring"), ProxyIo::IoUring);
    assert_eq!(
        mistakes(&io("uring")),
        "16: proxy.io: expected one of \"auto\", \"epoll\", \"io_uring\", found \"uring\""
    );
}

#[test]
fn a_server_on_the_same_machine_may_have_a_socket() {
    let socket = |path: &str| {
        let user = "[proxy]\n[[user]]\nname = \"u\"\npassword = \"secret-4\"\n";
        let to = format!("\"db2\"\nsocket = \"{path}\"");
        RIGHT.replace("\"db2\"", &to) + user
    };
    let policy = parse(&socket("/run/db2.sock")).unwrap().session_policy();
    let sockets = policy.unwrap().sockets;
    assert_eq!(sockets.len(), 1);
    assert_eq!(sockets[&ServerName::new("db2")], "/run/db2.sock");
    assert_eq!(
        mistakes(&socket("db2.sock")),
        "7: server.socket: expected a path from `/`, found \"db2.sock\""
    );
}

#[test]
fn a_wrong_hash_is_refused_and_not_shown() {
    let text = format!("{RIGHT}[[user]]\nname = \"u\"\npassword_hash = \"$A$005$short\"\n");
    assert_eq!(
        mistakes(&text),
        "17: user.password_hash: expected what `mysql.user.authentication_string` holds of a user \
         with caching_sha2_password, \"$A$005$\" and 63 characters, or of mysql_native_password, \
         \"*\" and 40 hexadecimal digits, found something else"
    );
}

#[test]
fn a_user_has_a_password_or_its_hash() {
    let user = format!("{RIGHT}[[user]]\nname = \"u\"\n");
    let both = format!("{user}password_hash = \"{HASH}\"\npassword_file = \"f\"\n");
    assert_eq!(
        mistakes(&both),
        "17: user.password_hash: cannot stand beside `password_file`: give one of them"
    );
    assert_eq!(
        mistakes(&user),
        "15: user.password: is missing: give it, or `password_file`, or `password_hash`"
    );
}

#[test]
fn which_replica_reads_and_what_it_must_have_is_said_by_server_user_and_proxy() {
    let text = changed(
        "[manager]",
        "weight = 3\nzone = \"a\"\n[proxy]\nreaders_choice = \"latency\"\n\
         readers_none_left = \"wait\"\nzone = \"a\"\ncausal_reads = \"session\"\n\
         causal_wait = \"100ms\"\nconnection_age_max = \"1h\"\n\
         transaction_replay_bytes_max = \"64KiB\"\n[[user]]\nname = \"u\"\n\
         password = \"p\"\ncausal_reads = \"global\"\ntransaction_replay = true\n[manager]",
    );
    let policy = parse(&text).unwrap().session_policy().unwrap();
    let (readers, causal, user) = (&policy.readers, &policy.causal, &policy.users["u"]);
    assert_eq!(
        (readers.choice, readers.none_left),
        (Choice::Latency, NoReader::Wait)
    );
    assert_eq!(readers.servers[&ServerName::new("db2")].weight, 3);
    assert_eq!(readers.servers[&ServerName::new("db1")].weight, 1);
    assert_eq!(causal.reads, Causal::Session);
    assert_eq!(causal.wait, Duration::from_millis(100));
    assert_eq!(
        (user.causal, user.replays_transactions),
        (Some(Causal::Global), true)
    );
    assert_eq!(policy.replay_bytes_max, 64 << 10);
    assert_eq!(policy.pool.age_max, Some(Duration::from_hours(1)));
    let wrong = changed("[manager]", "[proxy]\ncausal_reads = \"always\"\n[manager]");
    assert!(mistakes(&wrong).contains("causal_reads"));
}

#[test]
fn transactions_may_be_limited_and_connections_kept_open() {
    let text = changed(
        "[manager]",
        "[proxy]\ntransaction_limit = \"1min\"\ntransaction_idle_limit = \"10s\"\n\
         server_connections_min = 8\n[[user]]\nname = \"u\"\npassword = \"p\"\n[manager]",
    );
    let policy = parse(&text).unwrap().session_policy().unwrap();
    let limits = &policy.timeouts;
    assert_eq!(limits.transaction, Some(Duration::from_mins(1)));
    assert_eq!(limits.transaction_idle, Some(Duration::from_secs(10)));
    assert_eq!(policy.pool.server_connections_min, 8);
    let wrong = text.replace("= 8", "= 65");
    assert!(
        mistakes(&wrong).contains("server_connections_min: is more than server_connections_max")
    );
}

#[test]
fn no_secret_is_printed() {
    let settings = parse(RIGHT).unwrap();
    assert!(!format!("{settings:?}").contains("secret-"));
    let wrong = RIGHT
        .replace("secret-2", "")
        .replace("\"secret-3\"", "[\"secret-3\"]");
    assert!(!mistakes(&wrong).contains("secret-"));
}

#[test]
fn asynchronous_durability_is_said_so() {
    let text = format!("[cluster]\ndurability = \"async\"\nhang_after = \"1s\"\n{RIGHT}");
    let policy = failover_policy(&parse(&text).unwrap());
    assert_eq!(policy.durability, Durability::Async);
    assert_eq!(policy.silent_after, Duration::from_secs(1));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Settings::load(Path::new("/absent/mainstay.toml")).unwrap_err();
    assert!(error.to_string().contains("/absent/mainstay.toml"));
}

#[test]
fn the_files_of_tls_belong_together() {
    let with = |more: &str| {
        let user = "[[user]]\nname = \"app\"\npassword = \"x\"\n";
        parse(&format!("{RIGHT}{user}[proxy]\n{more}"))
    };
    let settings = with(
        "proxy_protocol_from = [\"10.0.0.0/8\"]\ncompression = [\"zstd\"]\n\
         [proxy.tls]\ncertificate = \"p.pem\"\nkey = \"/k.pem\"\nclient_ca = \"ca.pem\"\n\
         [proxy.server_tls]\nmode = \"verify_ca\"\nca = \"s.pem\"\n",
    );
    let proxy = settings.unwrap().proxy.unwrap();
    let folder = Path::new("/etc/mainstay");
    let own = (folder.join("p.pem"), Path::new("/k.pem").to_owned());
    assert_eq!(proxy.client_tls.own, Some(own));
    assert_eq!(
        proxy.client_tls.client_ca,
        Some((folder.join("ca.pem"), false))
    );
    assert_eq!(proxy.server_tls.ca, Some(folder.join("s.pem")));
    assert!(proxy.compression.zstd && !proxy.compression.zlib);
    for (wrong, key) in [
        ("[proxy.tls]\ncertificate = \"p.pem\"\n", "proxy.tls.key"),
        (
            "[proxy.tls]\nclient_certificates = \"required\"\n",
            "proxy.tls.client_certificates",
        ),
        ("[proxy.tls]\nmod = \"off\"\n", "proxy.tls.mod"),
        (
            "[proxy.server_tls]\nmode = \"verify_identity\"\n",
            "proxy.server_tls.ca",
        ),
        (
            "[proxy.server_tls]\nca = \"s.pem\"\n",
            "proxy.server_tls.ca",
        ),
        ("compression = [\"lz4\"]\n", "proxy.compression"),
        (
            "proxy_protocol_from = [\"everywhere\"]\n",
            "proxy.proxy_protocol_from",
        ),
    ] {
        let said = with(wrong).unwrap_err().to_string();
        assert!(said.contains(key), "{said}");
    }
}

#[test]
fn logs_are_files_beside_the_settings_and_off_without_a_path() {
    let policy = |text: &str| {
        let text = EXAMPLE.replace("[logs]\n", &format!("[logs]\n{text}\n"));
        let settings = parse(&text).expect("right");
        let policy = settings.session_policy().expect("a proxy");
        (settings.logs, policy.log)
    };
    let (_, off) = policy("");
    assert_eq!(off, mainstay_session::policy::LogPolicy::default());
    let (logs, on) = policy("queries = \"q.log\"\nslow = \"/var/s.log\"\nslow_after = \"2s\"");
    assert_eq!(
        logs.queries.as_deref(),
        Some(Path::new("/etc/mainstay/q.log"))
    );
    assert_eq!(logs.slow.as_deref(), Some(Path::new("/var/s.log")));
    assert!(on.by_rule && !on.statements && on.slow && !on.audit);
    assert_eq!(on.slow_after, Duration::from_secs(2));
    let lone = format!("{RIGHT}[logs]\nqueries_of = \"all\"\n");
    assert!(mistakes(&lone).contains("has no meaning without `queries`"));
}
