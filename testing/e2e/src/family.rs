//! The two families of servers that every behaviour is tested with.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

/// A family of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Debian's own packages.
    MariaDb,
    /// What `scripts/install-servers.sh mysql97` unpacks, or `MAINSTAY_MYSQLD` names.
    MySql,
}

/// Makes two tests of each function, one for each family: `mariadb::NAME` and `mysql::NAME`.
#[macro_export]
macro_rules! on_both_families {
    ($($name:ident),+ $(,)?) => {
        mod mariadb {
            $(#[test]
            fn $name() {
                super::$name($crate::Family::MariaDb);
            })+
        }
        mod mysql {
            $(#[test]
            fn $name() {
                super::$name($crate::Family::MySql);
            })+
        }
    };
}

impl Family {
    /// As `--flavor` and the announcement name it.
    pub fn flavor(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        }
    }

    /// Two letters, for names of network interfaces.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::MariaDb => "ma",
            Self::MySql => "my",
        }
    }

    /// The server program, or a failure that says how to get it.
    pub fn server_program(self) -> PathBuf {
        match self {
            Self::MariaDb => on_path("mariadbd", self),
            Self::MySql => installed(&mysql_prefix().join("usr/sbin/mysqld"), self),
        }
    }

    /// The family's own reader of binary logs.
    pub fn binlog_program(self) -> PathBuf {
        match self {
            Self::MariaDb => on_path("mariadb-binlog", self),
            Self::MySql => installed(&mysql_prefix().join("usr/bin/mysqlbinlog"), self),
        }
    }

    /// The family's own command line client.
    pub(crate) fn client_program(self) -> PathBuf {
        match self {
            Self::MariaDb => on_path("mariadb", self),
            Self::MySql => installed(&mysql_prefix().join("usr/bin/mysql"), self),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

/// The folder above `usr`.
fn mysql_prefix() -> PathBuf {
    if let Some(named) = env::var_os("MAINSTAY_MYSQLD").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        let prefix = named.ancestors().nth(3);
        return prefix.unwrap_or(Path::new("/")).to_owned();
    }
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/opt/mainstay-servers/mysql97");
    }
    let home = env::var_os("HOME").unwrap_or_default();
    Path::new(&home).join(".local/share/mainstay-servers/mysql97")
}

#[track_caller]
fn installed(program: &Path, family: Family) -> PathBuf {
    assert!(
        program.is_file(),
        "{family} is not installed: there is no {}; `make test-servers` installs it",
        program.display()
    );
    program.to_owned()
}

#[track_caller]
fn on_path(name: &str, family: Family) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")])
        .map(|folder| folder.join(name));
    found.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!(
            "{family} is not installed: there is no {name} on PATH; `make test-servers` installs it"
        )
    })
}
