//! One server: its files, its process, how it is started.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::dialect::{
    AS_REPLICA, COMMON, MARIADB, MYSQL, REPLICATION_RIGHTS, REPLICATION_RIGHTS_MYSQL,
};
use super::disks::Disk;
use super::{address, settings};
use crate::Family;
use crate::program::run;

/// What differs between one start and another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With nothing but system tables.
    First,
    /// As it is.
    Plain,
    /// With data that were copied from another server.
    Seeded,
    /// MariaDB: cut off what no replica has acknowledged.
    AsReplica,
}

/// One server.
#[derive(Debug)]
pub(super) struct Hosted {
    family: Family,
    number: usize,
    folder: PathBuf,
    process: Option<Child>,
    /// Whether it ended as the primary.
    fell_as_primary: bool,
    last: Start,
    disk: Disk,
}

/// Data with nothing but system tables: made once for all servers.
pub(super) fn make_template(family: Family, home: &Path) {
    let template = home.join("template");
    let mut command = match family {
        Family::MariaDb => {
            let mut command = Command::new("mariadb-install-db");
            command.args(["--no-defaults", "--skip-test-db", "--user=root"]);
            command.arg("--auth-root-authentication-method=socket");
            command.arg("--innodb-log-file-size=32M");
            command
        }
        Family::MySql => {
            let mut command = Command::new(family.server_program());
            command.args(["--no-defaults", "--initialize-insecure", "--user=root"]);
            command.args(["--mysqlx=OFF", "--skip-log-bin", "--secure-file-priv=NULL"]);
            command.args(["--loose-innodb-redo-log-capacity=32M"]);
            command.args(["--innodb-use-native-aio=OFF", "--innodb-doublewrite=OFF"]);
            command.arg(messages(family));
            command
        }
    };
    run(command.arg(format!("--datadir={}", template.display()))).succeeded();
    fs::write(home.join("first.sql"), first_statements(family)).expect("it can be written");
}

impl Hosted {
    pub(super) fn install(family: Family, number: usize, home: &Path) -> Self {
        let folder = home.join(super::name(number));
        let disk = Disk::mount(&folder.join("disk"));
        let server = Self {
            family,
            number,
            folder,
            process: None,
            fell_as_primary: false,
            last: Start::First,
            disk,
        };
        server.copy_template(home);
        let text = server.options();
        fs::write(server.folder.join("my.cnf"), text).expect("it can be written");
        server
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("disk/data")
    }

    pub(super) fn empty(&mut self, home: &Path) {
        assert!(self.process.is_none(), "it runs");
        fs::remove_dir_all(self.data()).expect("its data are there");
        self.copy_template(home);
        self.last = Start::First;
        self.fell_as_primary = false;
    }

    fn copy_template(&self, home: &Path) {
        let mut command = Command::new("cp");
        run(command
            .arg("-a")
            .arg(home.join("template"))
            .arg(self.data()))
        .succeeded();
        // Each server makes an identity of its own. Only MySQL has such a file.
        let _ = fs::remove_file(self.data().join("auto.cnf"));
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    pub(super) fn end(&mut self, how: Signal, as_primary: bool) {
        let mut child = self.process.take().expect("it runs");
        kill_process(Pid::from_child(&child), how).expect("it runs");
        child.wait().expect("it is our child");
        self.fell_as_primary = as_primary;
        self.last = Start::Plain;
    }

    pub(super) fn has_ended(&mut self) -> bool {
        let Some(child) = &mut self.process else {
            return true;
        };
        child.try_wait().expect("it is our child").is_some()
    }

    /// Its process was started, and is no more.
    pub(super) fn ended_by_itself(&mut self) -> bool {
        let ended = self.process.is_some() && self.has_ended();
        if ended {
            self.process = None;
        }
        ended
    }

    /// `replaced`: another server is the primary by now.
    pub(super) fn next_start(&self, replaced: bool) -> Start {
        match (self.family, self.last) {
            (_, Start::First) => Start::First,
            (Family::MariaDb, Start::Plain) if self.fell_as_primary && replaced => Start::AsReplica,
            // It may have refused to start as a replica: something in the tail cannot be rolled
            // back.
            (_, Start::Plain | Start::Seeded | Start::AsReplica) => Start::Plain,
        }
    }

    pub(super) fn spawn(&mut self, mut command: Command, how: Start, options: &[&str]) {
        assert!(self.process.is_none(), "it runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("mysqld.log"));
        let log = log.expect("a log");
        command.arg(format!(
            "--defaults-file={}",
            self.folder.join("my.cnf").display()
        ));
        match how {
            Start::First => {
                let statements = self.folder.join("../first.sql");
                command.arg(format!("--init-file={}", statements.display()));
            }
            Start::Seeded => {
                let statements = self.folder.join("seed.sql");
                command.arg(format!("--init-file={}", statements.display()));
            }
            Start::AsReplica => {
                command.arg(AS_REPLICA);
            }
            Start::Plain => {}
        }
        let child = command
            .args(options)
            // An interrupt at the terminal is for the test, not for its servers.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn();
        self.process = Some(child.expect("it can be started"));
        // Statements run once.
        self.last = match how {
            Start::First | Start::Seeded | Start::Plain => Start::Plain,
            Start::AsReplica => how,
        };
    }

    fn options(&self) -> String {
        let (number, data) = (self.number, self.data());
        let (address, data) = (address(number), data.display());
        let own = match self.family {
            Family::MariaDb => MARIADB.to_owned(),
            Family::MySql => MYSQL.to_owned() + messages(self.family).trim_start_matches('-'),
        };
        format!(
            "[mysqld]\nuser=root\ndatadir={data}\nsocket=\nbind_address={address}\nport=3306\n\
             report_host={address}\nreport_port=3306\nserver_id={number}\n{COMMON}{own}\n"
        )
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// MySQL's messages are beside its program.
fn messages(family: Family) -> String {
    let program = family.server_program();
    let prefix = program.ancestors().nth(2).unwrap_or(Path::new("/usr"));
    format!("--lc_messages_dir={}", prefix.join("share/mysql").display())
}

/// One statement a line, as an init file wants it; none of them in the binary log.
fn first_statements(family: Family) -> String {
    let replication = match family {
        Family::MariaDb => REPLICATION_RIGHTS,
        Family::MySql => REPLICATION_RIGHTS_MYSQL,
    };
    let mut text = "SET sql_log_bin=0;\nCREATE DATABASE mainstay;\n\
         CREATE TABLE mainstay.heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, \
         epoch BIGINT UNSIGNED NOT NULL DEFAULT 0, beat BIGINT UNSIGNED NOT NULL DEFAULT 0) \
         ENGINE=InnoDB;\nCREATE DATABASE app;\n"
        .to_owned();
    let accounts = [
        (settings::REPLICATION, replication, "*.*"),
        (settings::APP, "ALL PRIVILEGES", "app.*"),
        (settings::MANAGER, "ALL PRIVILEGES", "*.*"),
        (settings::PERSON, "ALL PRIVILEGES", "*.*"),
    ];
    for ((user, password), rights, place) in accounts {
        text += &format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';\n");
        text += &format!("GRANT {rights} ON {place} TO '{user}'@'%';\n");
    }
    text
}
