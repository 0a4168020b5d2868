//! The arrows of the architecture, as ARCHITECTURE.md draws them: bin → shell → core.
//!
//! A new crate, arrow or library of the core needs a record in docs/decisions first.

/// What every crate of the core may use.
pub(super) const OPEN_TO_CORE: &[&str] = &["clock", "gtid"];

/// Crates of the core, and which others each may use.
pub(super) const CORE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("command", &[]),
    ("binlog", &[]),
    ("gtid", &[]),
    ("wire", &[]),
    ("sql", &[]),
    ("topology", &[]),
    ("failover", &["topology"]),
    ("health", &[]),
    ("balance", &["health"]),
    ("alone", &["topology"]),
    ("routing", &["topology", "sql"]),
    // The session names servers, hostgroups and epochs with the values of the topology.
    ("session", &["wire", "sql", "routing", "topology"]),
    // Rules that do not compile are not taken over.
    ("import", &["sql", "routing"]),
    ("vrrp", &[]),
];

/// What every crate of the shell may use, besides the core.
pub(super) const OPEN_TO_SHELL: &[&str] = &["telemetry"];

/// Crates of the shell, and which others each may use.
pub(super) const SHELL: &[(&str, &[&str])] = &[
    ("admin", &["mysql"]),
    ("balancer", &["probes"]),
    ("dashboard", &[]),
    ("dns", &[]),
    ("drill", &["mysql"]),
    ("manager", &["mysql", "store"]),
    ("monitor", &["mysql"]),
    ("mysql", &[]),
    ("probes", &["mysql"]),
    ("notify", &[]),
    ("proxy", &[]),
    ("sandbox", &["mysql"]),
    ("settings", &[]),
    ("store", &[]),
    ("telemetry", &[]),
    ("vip", &[]),
];

/// Libraries without clock, socket, thread or hidden randomness, and what each is for.
pub(super) const CORE_LIBRARIES: &[(&str, &str)] = &[
    ("base64", "BINLOG statements"),
    ("crc32fast", "the checksums of binary logs"),
    ("curve25519-dalek", "the signatures of client_ed25519"),
    ("flate2", "events that MariaDB has compressed"),
    ("memchr", "finding bytes in statements"),
    ("rand_chacha", "a generator that its owner seeds"),
    (
        "regex-automata",
        "query rules: many expressions in one pass",
    ),
    ("rsa", "the password exchange of caching_sha2_password"),
    ("sha1", "mysql_native_password"),
    ("sha2", "caching_sha2_password"),
    ("slab", "tables of sessions and connections"),
    ("thiserror", "the error enum of each crate"),
    ("zstd", "transactions that MySQL has compressed"),
    ("zeroize", "secrets that leave no copy in memory"),
];

/// Libraries that only tests of the core may use.
pub(super) const CORE_TEST_LIBRARIES: &[(&str, &str)] = &[("proptest", "laws and round trips")];
