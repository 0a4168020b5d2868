//! Three servers of MySQL 5.6 that somebody else has started, and `mainstay serve` for them.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mainstay_e2e::{
    Client, Home, Login, SqlError, Status, free_port, mainstay, mainstay_binary, processes,
    wait_for, wait_for_status,
};
use rustix::process::Signal;

/// How the servers replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By GTIDs.
    Gtid,
    /// By file and position.
    Position,
}

/// One server.
pub(crate) struct Server {
    pub(crate) name: String,
    dir: PathBuf,
    port: u16,
    child: Child,
}

/// The cluster.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
    serve: Option<Child>,
    file: PathBuf,
    proxy: u16,
    home: Home,
}

const PASSWORD: &str = "only-for-tests";

impl Cluster {
    /// Empty servers; with positions, replicas that somebody has attached to the first of them.
    pub(crate) fn start(mode: Mode) -> Self {
        let home = Home::new();
        let servers: Vec<Server> = (1..=3).map(|id| Server::start(&home, id, mode)).collect();
        if mode == Mode::Position {
            attach_by_hand(&servers);
        }
        let file = home.join("mainstay.toml");
        let (proxy, api) = (free_port(), free_port());
        write_settings(&file, &servers, proxy, api);
        let mut cluster = Self {
            servers,
            serve: None,
            file,
            proxy,
            home,
        };
        cluster.serve();
        cluster
    }

    /// Starts the manager and the proxy.
    pub(crate) fn serve(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("serve.log"));
        let child = Command::new(mainstay_binary())
            .args(["serve", "--config"])
            .arg(&self.file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a file can be made"))
            .spawn();
        self.serve = Some(child.expect("it can be started"));
    }

    /// Kills the manager and the proxy.
    pub(crate) fn stop_serving(&mut self) {
        if let Some(mut child) = self.serve.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Runs a command for this cluster.
    pub(crate) fn run(&self, arguments: &[&str]) -> mainstay_e2e::Finished {
        let file = self.file.to_str().expect("a path of text");
        mainstay(arguments.iter().copied().chain(["--config", file]))
    }

    /// Waits until the status is so.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for_status(what, |arguments| self.run(arguments), holds)
    }

    /// Waits until a primary serves and all others replicate from it.
    #[track_caller]
    pub(crate) fn wait_until_whole(&self) -> Status {
        self.wait("a whole cluster", Status::is_whole)
    }

    /// The name of the primary of a whole cluster.
    #[track_caller]
    pub(crate) fn primary(&self) -> String {
        let status = self.wait_until_whole();
        status
            .primary()
            .expect("a whole cluster has one")
            .to_owned()
    }

    pub(crate) fn server(&mut self, name: &str) -> &mut Server {
        let found = self.servers.iter_mut().find(|server| server.name == name);
        found.expect("a server of that name")
    }

    /// The applications' account at the proxy.
    pub(crate) fn proxy(&self) -> Login {
        login("app", self.proxy)
    }

    /// Waits until every server has exactly these numbers, no more and no less.
    #[track_caller]
    pub(crate) fn wait_until_all_hold(&self, numbers: &BTreeSet<u64>) {
        for server in &self.servers {
            let what = format!("the {} numbers on {}", numbers.len(), server.name);
            wait_for(&what, || {
                let held = server.numbers().map_err(|error| error.to_string())?;
                if held == *numbers {
                    return Ok(());
                }
                let lost: Vec<_> = numbers.difference(&held).collect();
                let more: Vec<_> = held.difference(numbers).collect();
                Err(format!("missing: {lost:?}, too many: {more:?}"))
            });
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_serving();
        for server in &mut self.servers {
            server.kill();
        }
    }
}

impl Server {
    fn start(home: &Home, id: u32, mode: Mode) -> Self {
        let dir = home.join(&format!("db{id}"));
        let port = free_port();
        copy(&prefix().join("data/mysql"), &dir.join("data"));
        // Each server makes an identity of its own.
        let _ = fs::remove_file(dir.join("data/auto.cnf"));
        fs::create_dir_all(dir.join("tmp")).expect("a directory can be made");
        fs::write(dir.join("init.sql"), accounts()).expect("a file can be written");
        fs::write(dir.join("my.cnf"), options(&dir, id, port, mode)).expect("a file");
        let child = spawn(&dir);
        let server = Self {
            name: format!("db{id}"),
            dir,
            port,
            child,
        };
        server.wait_until_up();
        server
    }

    /// Ends the process, as a power cut of the process alone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops its process where it is.
    pub(crate) fn pause(&self) {
        processes::signal(self.child.id(), Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        processes::signal(self.child.id(), Signal::CONT);
    }

    /// Starts it again on its data.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.dir);
        self.wait_until_up();
    }

    /// The manager's account on it.
    pub(crate) fn login(&self) -> Login {
        login("manager", self.port)
    }

    #[track_caller]
    fn wait_until_up(&self) {
        wait_for("the server", || {
            Client::try_connect(&self.login())
                .map(|_| ())
                .map_err(|error| error.to_string())
        });
    }

    /// The numbers in its table.
    pub(crate) fn numbers(&self) -> Result<BTreeSet<u64>, SqlError> {
        let mut client = Client::try_connect(&self.login())?;
        let rows = client.try_query("SELECT number FROM app.numbers")?;
        let numbers = rows.rows.iter();
        Ok(numbers
            .filter_map(|row| row.get_index(0)?.parse().ok())
            .collect())
    }
}

fn login(user: &str, port: u16) -> Login {
    Login {
        host: "127.0.0.1".to_owned(),
        port,
        user: user.to_owned(),
        password: PASSWORD.to_owned(),
        database: None,
    }
}

/// Where `scripts/install-servers.sh mysql56` unpacks.
#[track_caller]
fn prefix() -> PathBuf {
    let home = env::var_os("HOME").unwrap_or_default();
    let prefix = if rustix::process::geteuid().is_root() {
        PathBuf::from("/opt/mainstay-servers/mysql56")
    } else {
        Path::new(&home).join(".local/share/mainstay-servers/mysql56")
    };
    assert!(
        prefix.join("mysqld").is_file(),
        "MySQL 5.6 is not installed: there is no {}; `make test-servers` installs it",
        prefix.join("mysqld").display()
    );
    prefix
}

fn spawn(dir: &Path) -> Child {
    let prefix = prefix();
    let log = fs::File::create(dir.join("out.log")).expect("a file can be made");
    let child = Command::new(prefix.join("mysqld"))
        .arg(format!("--defaults-file={}", dir.join("my.cnf").display()))
        .env("LD_LIBRARY_PATH", prefix.join("lib"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    child.expect("the server can be started")
}

fn options(dir: &Path, id: u32, port: u16, mode: Mode) -> String {
    let (dir, prefix) = (dir.display(), prefix());
    let prefix = prefix.display();
    let gtid = match mode {
        Mode::Gtid => "gtid_mode=ON\nenforce_gtid_consistency=ON\n",
        Mode::Position => "",
    };
    format!(
        "[mysqld]\nuser=root\nbasedir={prefix}\nlc_messages_dir={prefix}/share\n\
         datadir={dir}/data\ntmpdir={dir}/tmp\nsocket={dir}/s\npid_file={dir}/pid\n\
         log_error={dir}/error.log\ninit_file={dir}/init.sql\nport={port}\n\
         bind_address=127.0.0.1\nserver_id={id}\nskip_name_resolve=ON\n\
         explicit_defaults_for_timestamp=ON\nread_only=ON\nskip_slave_start=ON\n\
         log_bin=binlog\nlog_slave_updates=ON\nbinlog_format=ROW\nslave_net_timeout=2\n\
         master_info_repository=TABLE\nrelay_log_info_repository=TABLE\n\
         relay_log_recovery=ON\ninnodb_buffer_pool_size=16M\ninnodb_log_file_size=8M\n\
         innodb_use_native_aio=OFF\nsync_binlog=1\nperformance_schema=OFF\n{gtid}"
    )
}

/// Not in the binary log: each server has its own. The server runs them at each start.
fn accounts() -> String {
    let grant = |what: &str, user: &str| {
        format!("GRANT {what} TO '{user}'@'%' IDENTIFIED BY '{PASSWORD}' WITH GRANT OPTION;\n")
    };
    [
        "SET SESSION sql_log_bin = 0;\nDELETE FROM mysql.user WHERE user = '';\n".to_owned(),
        "FLUSH PRIVILEGES;\n".to_owned(),
        grant("ALL ON *.*", "manager"),
        grant("REPLICATION SLAVE ON *.*", "replica"),
        grant("ALL ON app.*", "app"),
    ]
    .concat()
}

/// As somebody has done before there was a manager.
fn attach_by_hand(servers: &[Server]) {
    let source = &servers[0];
    for server in &servers[1..] {
        let mut client = Client::connect(&server.login());
        client.execute(&format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, \
             MASTER_USER = 'replica', MASTER_PASSWORD = '{PASSWORD}', \
             MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4",
            source.port
        ));
        client.execute("START SLAVE");
    }
}

fn write_settings(file: &Path, servers: &[Server], proxy: u16, api: u16) {
    let mut text = "[cluster]\nname = \"old\"\ndurability = \"async\"\n".to_owned();
    for server in servers {
        let (name, port) = (&server.name, server.port);
        text += &format!("[[server]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\n");
    }
    text += &format!(
        "[manager]\nuser = \"manager\"\npassword = \"{PASSWORD}\"\n\
         replication_user = \"replica\"\nreplication_password = \"{PASSWORD}\"\n\
         [proxy]\nlisten = \"127.0.0.1:{proxy}\"\n\
         [[user]]\nname = \"app\"\npassword = \"{PASSWORD}\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\npassword = \"0123456789abcdef\"\n"
    );
    let mut options = fs::OpenOptions::new();
    let opened = options.create_new(true).write(true).mode(0o600).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("a file can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the data folder of MySQL 5.6") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a file can be copied");
        }
    }
}
