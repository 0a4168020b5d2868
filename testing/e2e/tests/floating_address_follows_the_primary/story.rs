//! Hosts with a server and the addresses each, and one with the manager, on a network of their
//! own.

use std::fs;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mainstay_e2e::{Finished, Network, mainstay_binary, run, wait_for, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const ADDRESS: &str = "10.124.0.100";
const MANAGER: &str = "h9";

/// In one session, and not in the binary log: all servers begin with an empty GTID set.
const FIRST: &str = "SET sql_log_bin=0;\nCREATE DATABASE IF NOT EXISTS mainstay;\n\
    CREATE TABLE IF NOT EXISTS mainstay.heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, epoch \
    BIGINT UNSIGNED NOT NULL DEFAULT 0, beat BIGINT UNSIGNED NOT NULL DEFAULT 0) ENGINE=InnoDB;\n\
    CREATE DATABASE IF NOT EXISTS app;\n\
    CREATE TABLE IF NOT EXISTS app.t (what VARCHAR(40) PRIMARY KEY) ENGINE=InnoDB;\n\
    CREATE USER IF NOT EXISTS 'replication'@'%' IDENTIFIED BY 'two';\n\
    GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';\n\
    CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'three';\n\
    GRANT ALL PRIVILEGES ON app.* TO 'app'@'%';\n\
    CREATE USER IF NOT EXISTS 'mainstay'@'%' IDENTIFIED BY 'one';\n\
    GRANT ALL PRIVILEGES ON *.* TO 'mainstay'@'%';\n";

pub(crate) struct Story {
    /// Ended first of all.
    children: Vec<(String, Child)>,
    network: Network,
    folder: TempDir,
    hosts: usize,
    readers: usize,
    /// More settings of the manager.
    more: String,
}

impl Story {
    /// Two servers, and the writer's address.
    pub(crate) fn start() -> Self {
        Self::begin("st", (2, 0), |_| String::new())
    }

    /// Three servers, the writer's address and two readers'.
    pub(crate) fn start_with_readers() -> Self {
        Self::begin("rd", (3, 2), |_| String::new())
    }

    /// Two servers, the writer's address, and a cloud that is told by what `settings` says, given
    /// the folder of the story.
    pub(crate) fn start_in_a_cloud(settings: impl Fn(&Path) -> String) -> Self {
        Self::begin("cl", (2, 0), settings)
    }

    fn begin(name: &str, (hosts, readers): (usize, usize), more: impl Fn(&Path) -> String) -> Self {
        let mut network = Network::new(name);
        for host in (1..=hosts).chain([9]) {
            network.host(&format!("h{host}"), &[&format!("10.124.0.{host}/24")]);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut story = Self {
            children: Vec::new(),
            network,
            more: more(folder.path()),
            folder,
            hosts,
            readers,
        };
        for host in 1..=hosts {
            story.install(host);
            story.start_server(host);
            story.start_host(host);
        }
        story.start_manager();
        story.wait_until_whole();
        story
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spawn(&mut self, name: &str, host: &str, program: &Path, arguments: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path(&format!("{name}.log")));
        let child = self
            .network
            .command(host, program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn();
        self.children
            .push((name.to_owned(), child.expect("it can be started")));
    }

    /// Ends something that was started, and waits until it has.
    fn end(&mut self, name: &str, how: Signal) {
        let at = self
            .children
            .iter()
            .position(|(own, _)| own == name)
            .expect("it was started");
        let (_, mut child) = self.children.remove(at);
        kill_process(Pid::from_child(&child), how).expect("it runs");
        child.wait().expect("it is our child");
    }

    fn install(&self, host: usize) {
        let data = self.path(&format!("data{host}"));
        let mut command = Command::new("mariadb-install-db");
        command.args(["--no-defaults", "--skip-test-db", "--user=root"]);
        command.arg("--auth-root-authentication-method=socket");
        command.arg("--innodb-log-file-size=32M");
        run(command.arg(format!("--datadir={}", data.display()))).succeeded();
        fs::write(self.path("first.sql"), FIRST).expect("it can be written");
        let text = format!(
            "[mysqld]\ndatadir={}\nsocket=\nuser=root\nport=3306\nserver_id={host}\n\
             skip_name_resolve=ON\nread_only=ON\nlog_bin=binlog\nrelay_log=relay\n\
             binlog_format=ROW\nlog_slave_updates=ON\nskip_slave_start=ON\ngtid_strict_mode=ON\n\
             slave_net_timeout=2\ninnodb_buffer_pool_size=64M\ninnodb_log_file_size=32M\n\
             auto_increment_increment=2\nauto_increment_offset={host}\ninit_file={}\n",
            data.display(),
            self.path("first.sql").display()
        );
        fs::write(self.path(&format!("{host}.cnf")), text).expect("it can be written");
    }

    pub(crate) fn start_server(&mut self, host: usize) {
        let defaults = format!(
            "--defaults-file={}",
            self.path(&format!("{host}.cnf")).display()
        );
        let program = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"].map(Path::new);
        let program = program.into_iter().find(|path| path.exists());
        let program = program.expect("scripts/install-servers.sh mariadb installs it");
        self.spawn(
            &format!("db{host}"),
            &format!("h{host}"),
            program,
            &[&defaults],
        );
        wait_until("the server", || self.sql(host, "SELECT 1").is_ok());
    }

    pub(crate) fn stop_server(&mut self, host: usize) {
        self.end(&format!("db{host}"), Signal::TERM);
    }

    pub(crate) fn kill_server(&mut self, host: usize) {
        self.end(&format!("db{host}"), Signal::KILL);
    }

    fn start_host(&mut self, host: usize) {
        let mut text = format!(
            "[vrrp]\nstate = \"{host}.vip\"\n[api]\nlisten = \"10.124.0.{host}:6080\"\n\
             password = \"four\"\n[[vip]]\nname = \"writer\"\ninterface = \"eth0\"\n\
             virtual_router_id = 51\naddresses = [\"{ADDRESS}/24\"]\nversion = 3\n\
             advert_interval = \"100ms\"\n[[vip.track]]\nkind = \"manager\"\n"
        );
        for reader in 1..=self.readers {
            text += &format!(
                "[[vip]]\nname = \"reader-{reader}\"\ninterface = \"eth0\"\n\
                 virtual_router_id = 6{reader}\naddresses = [\"{}/24\"]\nversion = 3\n\
                 advert_interval = \"100ms\"\n[[vip.track]]\nkind = \"manager\"\n\
                 name = \"mainstay\"\n",
                reader_address(reader)
            );
        }
        let file = self.path(&format!("vip{host}.toml"));
        fs::write(&file, text).expect("it can be written");
        self.serve(&format!("vip{host}"), &format!("h{host}"), &file);
    }

    pub(crate) fn restart_host(&mut self, host: usize) {
        self.end(&format!("vip{host}"), Signal::TERM);
        assert!(!self.holds(host));
        self.start_host(host);
    }

    pub(crate) fn start_manager(&mut self) {
        let mut text = "[cluster]\ndurability = \"async\"\n[manager]\nuser = \"mainstay\"\n\
            password = \"one\"\nreplication_user = \"replication\"\n\
            replication_password = \"two\"\n\
            [api]\npassword = \"five\"\n[address_roles]\nwriter = \"writer\"\npassword = \"four\"\n"
            .to_owned();
        let readers: Vec<_> = (1..=self.readers)
            .map(|one| format!("reader-{one}"))
            .collect();
        // A list of texts is written alike in Rust.
        text += &format!("readers = {readers:?}\n");
        for host in 1..=self.hosts {
            text += &format!(
                "[[address_roles.host]]\nserver = \"db{host}\"\napi = \"10.124.0.{host}:6080\"\n\
                 [[server]]\nname = \"db{host}\"\naddress = \"10.124.0.{host}:3306\"\n"
            );
        }
        text += &self.more;
        let file = self.path("mainstay.toml");
        fs::write(&file, text).expect("it can be written");
        self.serve("manager", MANAGER, &file);
    }

    /// Starts a program on the manager's host.
    pub(crate) fn start_beside_manager(&mut self, program: &str, arguments: &[&str]) {
        self.spawn("beside", MANAGER, Path::new(program), arguments);
    }

    pub(crate) fn restart_manager(&mut self) {
        self.stop_manager();
        self.start_manager();
    }

    pub(crate) fn stop_manager(&mut self) {
        self.end("manager", Signal::TERM);
    }

    fn serve(&mut self, name: &str, host: &str, file: &Path) {
        let file = file.to_str().expect("a path of text");
        self.spawn(name, host, &mainstay_binary(), &["serve", "--config", file]);
    }

    /// A command to the manager.
    pub(crate) fn mainstay(&self, arguments: &[&str]) -> String {
        self.to_manager(arguments).succeeded()
    }

    /// What the manager says to a command that it refuses.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let finished = self.to_manager(arguments);
        assert_ne!(finished.code, Some(0), "{finished}");
        finished.to_string()
    }

    fn to_manager(&self, arguments: &[&str]) -> Finished {
        let mut command = self.network.command(MANAGER, mainstay_binary());
        run(command
            .args(arguments)
            .arg("--config")
            .arg(self.path("mainstay.toml")))
    }

    /// Waits until the manager is content, with one primary whose host has the address.
    pub(crate) fn wait_until_whole(&self) {
        wait_for("a whole cluster", || {
            let mut command = self.network.command(MANAGER, mainstay_binary());
            let file = self.path("mainstay.toml");
            let answer = run(command.args(["status", "--json", "--config"]).arg(file));
            if answer.code != Some(0) {
                return Err(answer.to_string());
            }
            let status = answer.json();
            let servers = status["servers"].as_array().cloned().unwrap_or_default();
            let replicates = |one: &Value| one["role"] == "primary" || one["applier"] == "running";
            let whole = status["phase"] == "watching"
                && status["findings"].as_array().is_some_and(Vec::is_empty)
                && servers.len() == self.hosts
                && servers.iter().all(replicates)
                && status["writes_held"] == false
                && self.holders().len() == 1
                && status["primary"] == format!("db{}", self.holders()[0]).as_str();
            if whole {
                Ok(())
            } else {
                Err(status.to_string())
            }
        });
    }

    pub(crate) fn holds(&self, host: usize) -> bool {
        self.has(host, ADDRESS)
    }

    fn has(&self, host: usize, address: &str) -> bool {
        let command = ["ip", "-o", "-4", "addr", "show"];
        let shown = self.network.run(&format!("h{host}"), &command).succeeded();
        shown.contains(&format!(" {address}/"))
    }

    /// Waits until the readers' addresses are on these hosts, each there alone.
    pub(crate) fn wait_for_readers(&self, wanted: &[usize]) {
        wait_for(&format!("the readers' addresses on {wanted:?}"), || {
            let found: Vec<_> = (1..=self.readers).map(|one| self.of_reader(one)).collect();
            let right = found.iter().zip(wanted).all(|(found, at)| found == &[*at]);
            if right {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        });
    }

    /// Waits until the readers' addresses are on these hosts, in any order, and gives the order.
    pub(crate) fn wait_until_spread(&self, over: &[usize]) -> Vec<usize> {
        wait_for(
            &format!("the readers' addresses spread over {over:?}"),
            || {
                let found: Vec<_> = (1..=self.readers)
                    .flat_map(|one| self.of_reader(one))
                    .collect();
                let mut sorted = found.clone();
                sorted.sort_unstable();
                if sorted == over {
                    Ok(found)
                } else {
                    Err(format!("{found:?}"))
                }
            },
        )
    }

    /// The hosts that have a reader's address.
    fn of_reader(&self, reader: usize) -> Vec<usize> {
        let address = reader_address(reader);
        let has = |host: &usize| self.has(*host, &address);
        (1..=self.hosts).filter(has).collect()
    }

    /// How often a manager has told a host to let an address go.
    pub(crate) fn drops(&self) -> usize {
        let log = fs::read_to_string(self.path("manager.log")).expect("it is written");
        log.matches("an address was told to drop").count()
    }

    fn holders(&self) -> Vec<usize> {
        (1..=self.hosts).filter(|host| self.holds(*host)).collect()
    }

    /// The one host that has the address.
    pub(crate) fn holder(&self) -> usize {
        let holders = self.holders();
        assert_eq!(holders.len(), 1, "{holders:?}");
        holders[0]
    }

    /// A statement of the manager's account on one server.
    fn sql(&self, host: usize, statement: &str) -> Result<String, String> {
        self.client(&format!("10.124.0.{host}"), ("mainstay", "one"), statement)
    }

    /// A statement from the manager's host.
    fn client(
        &self,
        address: &str,
        (user, password): (&str, &str),
        statement: &str,
    ) -> Result<String, String> {
        let (user, password) = (format!("-u{user}"), format!("-p{password}"));
        let command = [
            "mariadb",
            "--no-defaults",
            "--connect-timeout=2",
            "--skip-ssl",
            "-N",
            "-h",
            address,
            &user,
            &password,
            "-e",
            statement,
        ];
        let finished = self.network.run(MANAGER, &command);
        if finished.code == Some(0) {
            Ok(finished.stdout)
        } else {
            Err(finished.to_string())
        }
    }

    /// Keeps a replica from applying what is inserted, until what is given back is dropped.
    pub(crate) fn lock_table(&self, host: usize) -> TableLock {
        let address = format!("-h10.124.0.{host}");
        let mut child = self
            .network
            .command(MANAGER, "mariadb")
            .args([
                "--no-defaults",
                "--skip-ssl",
                "-umainstay",
                "-pone",
                &address,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be started");
        let input = child.stdin.as_mut().expect("it has one");
        input
            .write_all(b"LOCK TABLES app.t WRITE;\n")
            .expect("it reads");
        wait_until("the lock", || {
            let shown = self.sql(host, "SHOW OPEN TABLES FROM app WHERE In_use > 0");
            shown.is_ok_and(|shown| shown.contains('t'))
        });
        TableLock(child)
    }

    /// Inserts a row through the address, as an application does that tries again; gives the row.
    pub(crate) fn insert(&self, round: usize, when: &str) -> String {
        let row = format!("round {round}, {when}");
        let statement = format!("INSERT IGNORE INTO app.t VALUES ('{row}')");
        wait_for("a write through the address", || {
            self.client(ADDRESS, ("app", "three"), &statement)
        });
        row
    }

    /// Waits until a server has all of these rows.
    pub(crate) fn wait_for_rows(&self, host: usize, rows: &[String]) {
        wait_for("all rows", || {
            let found = self.sql(host, "SELECT what FROM app.t")?;
            let missing = rows
                .iter()
                .find(|row| !found.lines().any(|line| line == **row));
            match missing {
                None => Ok(()),
                Some(row) => Err(format!("server {host} lacks `{row}`: {found}")),
            }
        });
    }
}

fn reader_address(reader: usize) -> String {
    format!("10.124.0.11{reader}")
}

/// A session that has locked a table.
pub(crate) struct TableLock(Child);

impl Drop for TableLock {
    fn drop(&mut self) {
        // It may have ended with its server.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Story {
    /// The manager first, then the addresses, then the servers.
    fn drop(&mut self) {
        for prefix in ["manager", "beside", "vip", "db"] {
            for (name, child) in &mut self.children {
                if name.starts_with(prefix) {
                    // It may have ended by itself.
                    let _ = kill_process(Pid::from_child(child), Signal::TERM);
                    let _ = child.wait();
                }
            }
        }
    }
}
