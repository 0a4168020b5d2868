//! What accounts need to be allowed, for each family and version: docs/safety.md, "Accounts".
//!
//! MySQL manual, "Privileges Provided by MySQL"; MariaDB knowledge base, "GRANT". Until MySQL 8.0
//! and `MariaDB` 10.5 one right, `SUPER`, stood for all that changes a server.

use crate::facts::{Family, Version};

const MARIADB: [&str; 13] = [
    "BINLOG ADMIN",
    "BINLOG MONITOR",
    "BINLOG REPLAY",
    "CONNECTION ADMIN",
    "EVENT",
    "PROCESS",
    "READ_ONLY ADMIN",
    "RELOAD",
    "REPLICATION MASTER ADMIN",
    "REPLICATION SLAVE",
    "REPLICATION SLAVE ADMIN",
    "SLAVE MONITOR",
    "SUPER",
];

const MYSQL: [&str; 13] = [
    "BACKUP_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "EVENT",
    "PROCESS",
    "RELOAD",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",
    "REPLICATION_APPLIER",
    "REPLICATION_SLAVE_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SHUTDOWN",
    "SYSTEM_VARIABLES_ADMIN",
];

/// Before the rights were told apart.
const SUPER: [&str; 6] = [
    "EVENT",
    "PROCESS",
    "RELOAD",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",
    "SUPER",
];

/// What the manager's account needs on all databases.
pub fn of_manager(version: &Version) -> &'static [&'static str] {
    let number = (version.major, version.minor);
    match version.family {
        Family::Mariadb if number >= (10, 5) => &MARIADB,
        Family::Mysql if number >= (8, 0) => &MYSQL,
        Family::Mariadb | Family::Mysql => &SUPER,
    }
}

/// What it needs in single databases: rights, and where.
pub fn of_manager_on(version: &Version) -> &'static [(&'static str, &'static str)] {
    match version.family {
        Family::Mysql => &[
            ("ALL PRIVILEGES", "`mainstay`.*"),
            ("SELECT", "`performance_schema`.*"),
            ("INSERT", "`mysql`.`plugin`"),
        ],
        Family::Mariadb => &[
            ("ALL PRIVILEGES", "`mainstay`.*"),
            ("INSERT", "`mysql`.`plugin`"),
        ],
    }
}

/// What the account of the replicas needs.
pub fn of_replication(version: &Version) -> &'static [&'static str] {
    match version.family {
        // To give its data to an empty server (MySQL manual, "Cloning Remote Data").
        Family::Mysql if version.major >= 8 => &["REPLICATION SLAVE", "BACKUP_ADMIN"],
        Family::Mariadb | Family::Mysql => &["REPLICATION SLAVE"],
    }
}

/// What lets an account write on a server that is read-only.
pub const PASSING_READ_ONLY: [&str; 3] = ["SUPER", "READ_ONLY ADMIN", "CONNECTION_ADMIN"];

/// The rights of an account, from the rows of `SHOW GRANTS`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(Vec<(Vec<String>, String)>);

impl Rights {
    /// Reads the rows.
    pub fn read<'r>(rows: impl IntoIterator<Item = &'r str>) -> Self {
        let one = |row: &str| {
            let (rights, rest) = row.strip_prefix("GRANT ")?.split_once(" ON ")?;
            let (place, _) = rest.split_once(" TO ")?;
            let rights = rights.split(',').map(|right| right.trim().to_owned());
            Some((rights.collect(), place.to_owned()))
        };
        Self(rows.into_iter().filter_map(one).collect())
    }

    /// Whether it has this right there, or everywhere.
    pub fn has(&self, right: &str, place: &str) -> bool {
        let mut grants = self.0.iter();
        grants.any(|(rights, at)| {
            let there = at == place || at == "*.*";
            there
                && rights
                    .iter()
                    .any(|one| one == right || one == "ALL PRIVILEGES")
        })
    }

    /// Which of these it does not have everywhere.
    pub fn lacking(&self, needed: &[&'static str]) -> Vec<&'static str> {
        let lacking = needed.iter().filter(|right| !self.has(right, "*.*"));
        lacking.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MySQL 9.7 prints them.
    const ROWS: [&str; 3] = [
        "GRANT RELOAD, PROCESS, REPLICATION SLAVE ON *.* TO `keeper`@`%`",
        "GRANT CONNECTION_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `keeper`@`%`",
        "GRANT ALL PRIVILEGES ON `mainstay`.* TO `keeper`@`%`",
    ];

    #[test]
    fn a_right_that_is_not_there_is_lacking() {
        let rights = Rights::read(ROWS);
        assert_eq!(rights.lacking(&["RELOAD", "CONNECTION_ADMIN"]), [""; 0]);
        assert_eq!(rights.lacking(&["PROCESS", "SUPER"]), ["SUPER"]);
        assert!(rights.has("INSERT", "`mainstay`.*"));
        assert!(!rights.has("INSERT", "`app`.*"));
    }

    #[test]
    fn who_has_everything_lacks_nothing() {
        let row = "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION";
        let rights = Rights::read([row]);
        assert!(rights.lacking(&MARIADB).is_empty());
        assert!(rights.has("INSERT", "`mysql`.`plugin`"));
    }
}
