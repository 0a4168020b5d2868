//! What is loaded and saved as a whole.

use crate::words::Word;

/// A part of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Module {
    /// Who may log in.
    Users,
    /// Servers and their hostgroups.
    Servers,
    /// Where statements go.
    QueryRules,
    /// Which statements may pass.
    Firewall,
    /// Variables of the proxy.
    MysqlVariables,
    /// Variables of the admin interface.
    AdminVariables,
    /// What is run from time to time.
    Scheduler,
    /// Routes of ProxySQL's REST API.
    RestApi,
    /// Other proxies.
    Proxies,
    /// Something of ProxySQL that does not exist here; its commands are accepted and do nothing.
    Absent(&'static str),
}

const NAMES: [(&str, Module); 22] = [
    ("MYSQL USERS", Module::Users),
    ("MYSQL SERVERS", Module::Servers),
    ("MYSQL QUERY RULES", Module::QueryRules),
    ("MYSQL FIREWALL", Module::Firewall),
    ("MYSQL VARIABLES", Module::MysqlVariables),
    ("ADMIN VARIABLES", Module::AdminVariables),
    ("SCHEDULER", Module::Scheduler),
    ("RESTAPI", Module::RestApi),
    ("PROXYSQL SERVERS", Module::Proxies),
    ("LDAP VARIABLES", Module::Absent("LDAP VARIABLES")),
    ("LDAP MAPPING", Module::Absent("LDAP MAPPING")),
    (
        "SQLITESERVER VARIABLES",
        Module::Absent("SQLITESERVER VARIABLES"),
    ),
    ("CLICKHOUSE USERS", Module::Absent("CLICKHOUSE USERS")),
    (
        "CLICKHOUSE VARIABLES",
        Module::Absent("CLICKHOUSE VARIABLES"),
    ),
    ("DEBUG", Module::Absent("DEBUG")),
    ("COREDUMP", Module::Absent("COREDUMP")),
    ("PGSQL USERS", Module::Absent("PGSQL USERS")),
    ("PGSQL SERVERS", Module::Absent("PGSQL SERVERS")),
    ("PGSQL QUERY RULES", Module::Absent("PGSQL QUERY RULES")),
    ("PGSQL FIREWALL", Module::Absent("PGSQL FIREWALL")),
    ("PGSQL VARIABLES", Module::Absent("PGSQL VARIABLES")),
    ("MYSQL LDAP MAPPING", Module::Absent("MYSQL LDAP MAPPING")),
];

impl Module {
    /// Those that have tables.
    pub const ALL: [Self; 9] = [
        Self::Users,
        Self::Servers,
        Self::QueryRules,
        Self::Firewall,
        Self::MysqlVariables,
        Self::AdminVariables,
        Self::Scheduler,
        Self::RestApi,
        Self::Proxies,
    ];

    /// As it stands in a command.
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, module)| *module == self);
        found.map_or("", |(name, _)| name)
    }

    /// The tables of `main` that make it up; variables share one.
    pub const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["mysql_users"],
            Self::Servers => &[
                "mysql_servers",
                "mysql_replication_hostgroups",
                "mysql_group_replication_hostgroups",
                "mysql_galera_hostgroups",
                "mysql_aws_aurora_hostgroups",
                "mysql_hostgroup_attributes",
                "mysql_servers_ssl_params",
            ],
            Self::QueryRules => &["mysql_query_rules", "mysql_query_rules_fast_routing"],
            Self::Firewall => &[
                "mysql_firewall_whitelist_users",
                "mysql_firewall_whitelist_rules",
                "mysql_firewall_whitelist_sqli_fingerprints",
            ],
            Self::MysqlVariables | Self::AdminVariables => &["global_variables"],
            Self::Scheduler => &["scheduler"],
            Self::RestApi => &["restapi_routes"],
            Self::Proxies => &["proxysql_servers"],
            Self::Absent(_) => &[],
        }
    }

    /// Of a shared table, the rows whose key begins so.
    pub const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::MysqlVariables => Some("mysql-"),
            Self::AdminVariables => Some("admin-"),
            Self::Users
            | Self::Servers
            | Self::QueryRules
            | Self::Firewall
            | Self::Scheduler
            | Self::RestApi
            | Self::Proxies
            | Self::Absent(_) => None,
        }
    }

    /// Reads the longest name at the front; also how many words it has.
    pub(crate) fn read(words: &[Word<'_>]) -> Option<(Self, usize)> {
        let fits = |name: &str| {
            let count = name.split(' ').count();
            let all = count <= words.len()
                && name.split(' ').zip(words).all(|(part, word)| word.is(part));
            all.then_some(count)
        };
        let found = NAMES
            .iter()
            .filter_map(|(name, module)| Some((*module, fits(name)?)));
        found.max_by_key(|(_, count)| *count)
    }
}
