//! The one MariaDB behind everybody: own data directory, own port, gone at the end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::process::{Process, free_port};

/// The account of all clients.
pub(crate) const USER: &str = "bench";
/// The account of Mainstay's manager, and of a replication that never happens.
pub(crate) const MANAGER: &str = "bench_manager";
/// The password of both.
pub(crate) const PASSWORD: &str = "bench of the proxy";
/// The schema of sysbench.
pub(crate) const SCHEMA: &str = "sbtest";
/// The tables of sysbench, and the rows of each.
pub(crate) const TABLES: &str = "--tables=4";
pub(crate) const ROWS: &str = "--table-size=20000";

/// The disk is not what is measured: a commit waits for no flush.
const OPTIONS: &[&str] = &[
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--max-connections=12000",
    "--back-log=4096",
    "--thread-cache-size=1000",
    "--table-open-cache=8000",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF",
    "--performance-schema=OFF",
    "--max-prepared-stmt-count=1000000",
    "--server-id=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--gtid-strict-mode=ON",
    "--log-slave-updates=ON",
];

/// A running server with the tables of sysbench.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

impl Server {
    /// Makes a data directory in `folder` and starts the server there.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let data = folder.join("data");
        let made = Command::new("mariadb-install-db")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .args(["--skip-test-db", "--auth-root-authentication-method=socket"])
            .args(
                rustix::process::geteuid()
                    .is_root()
                    .then_some("--user=root"),
            )
            .stdout(Stdio::null())
            .status()
            .context("cannot run mariadb-install-db")?;
        ensure!(made.success(), "mariadb-install-db failed: {made}");
        let port = free_port()?;
        let accounts = folder.join("accounts.sql");
        std::fs::write(&accounts, accounts_sql())?;
        let path = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
        let mut command = Command::new("mariadbd");
        command
            .args(OPTIONS)
            .arg(format!("--port={port}"))
            .arg(path("datadir", data))
            .arg(path("socket", folder.join("socket")))
            .arg(path("pid-file", folder.join("pid")))
            .arg(path("tmpdir", folder.to_owned()))
            .arg(path("init-file", accounts))
            .args(
                rustix::process::geteuid()
                    .is_root()
                    .then_some("--user=root"),
            );
        let mut process = Process::start("mariadbd", command, &folder.join("mariadbd.log"))?;
        process.wait_for_port(port)?;
        Ok(Self { process, port })
    }
}

fn accounts_sql() -> String {
    format!(
        "CREATE SCHEMA {SCHEMA};\n\
         CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON {SCHEMA}.* TO {USER}@'127.0.0.1';\n\
         CREATE USER {MANAGER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON *.* TO {MANAGER}@'127.0.0.1' WITH GRANT OPTION;\n"
    )
}
