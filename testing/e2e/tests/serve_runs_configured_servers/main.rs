//! `mainstay serve` takes care of servers that somebody else started, and refuses servers that
//! cannot be told apart.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mainstay_e2e::{
    Client, Family, Finished, Home, Login, Sandbox, Status, mainstay, mainstay_binary,
    on_both_families, processes, wait_for,
};
use rustix::process::Signal;

on_both_families!(
    one_server_under_two_names_is_refused,
    the_servers_of_a_file_get_a_proxy_and_commands_find_them_by_the_file,
);

fn one_server_under_two_names_is_refused(family: Family) {
    let sandbox = Sandbox::start(family);
    let primary = sandbox.server(&sandbox.primary()).login;
    let addresses = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", primary.port));
    let served = Served::start(&sandbox, &addresses);
    let refused = served.wait("a refusal", |status| {
        let reason = status.0["reason"].as_str().unwrap_or_default();
        status.0["phase"] == "halted" && reason.contains("server_id")
    });
    assert_eq!(refused.epoch(), 0, "{refused}");
    // The sandbox's own manager was not disturbed.
    assert!(sandbox.wait_until_whole().epoch() > 0);
}

/// The sandbox's own manager is stopped for as long as another takes its place.
fn the_servers_of_a_file_get_a_proxy_and_commands_find_them_by_the_file(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let first = sandbox.primary();
    let manager = Paused::new(sandbox.pid());
    let addresses = sandbox.servers().into_iter().map(|server| server.login);
    let addresses = addresses.map(|login| format!("{}:{}", login.host, login.port));
    let served = Served::start(&sandbox, &addresses.collect::<Vec<_>>());
    let whole = served.wait("a whole cluster", Status::is_whole);
    assert_eq!(whole.primary(), Some(first.as_str()), "{whole}");
    let proxy = Login {
        port: served.proxy,
        ..sandbox.proxy()
    };
    let mut client = Client::connect(&proxy);
    client.execute("INSERT INTO app.t VALUES (1)");
    served.run(&["switchover"]).succeeded();
    client.execute("INSERT INTO app.t VALUES (2)");
    let moved = served.wait("a whole cluster", Status::is_whole);
    assert_ne!(moved.primary(), Some(first.as_str()), "{moved}");
    assert!(!served.run(&["plan", "failover"]).succeeded().is_empty());
    drop(served);
    drop(manager);
}

/// A process that stands still.
struct Paused(u32);

impl Paused {
    fn new(pid: u32) -> Self {
        processes::signal(pid, Signal::STOP);
        Self(pid)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        processes::signal(self.0, Signal::CONT);
    }
}

/// A running `mainstay serve`.
struct Served {
    child: Child,
    file: PathBuf,
    proxy: u16,
    _home: Home,
}

impl Served {
    fn start(sandbox: &Sandbox, addresses: &[String]) -> Self {
        let home = Home::new();
        let file = home.join("mainstay.toml");
        let (proxy, api) = (free_port(), free_port());
        let mut text = "[cluster]\nname = \"served\"\n".to_owned();
        for (number, address) in (1..).zip(addresses) {
            text += &format!("[[server]]\nname = \"db{number}\"\naddress = \"{address}\"\n");
        }
        text += &options(sandbox, proxy, api);
        write_private(&file, &text);
        let log = fs::File::create(home.join("serve.log")).expect("a file can be made");
        let child = Command::new(mainstay_binary())
            .args(["serve", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Self {
            child: child.expect("it can be started"),
            file,
            proxy,
            _home: home,
        }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let file = self.file.to_str().expect("a path of text");
        mainstay(arguments.iter().copied().chain(["--config", file]))
    }

    fn wait(&self, what: &str, mut holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for(what, || {
            let answer = self.run(&["status", "--json"]);
            if answer.code != Some(0) {
                return Err(answer.to_string());
            }
            let status = Status(answer.json());
            if holds(&status) {
                Ok(status)
            } else {
                Err(format!("the status is {status}"))
            }
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn options(sandbox: &Sandbox, proxy: u16, api: u16) -> String {
    let [manager, replication, app] =
        ["manager", "replication", "app"].map(|which| sandbox.account(which));
    format!(
        "[manager]\nuser = \"{}\"\npassword = \"{}\"\n\
         replication_user = \"{}\"\nreplication_password = \"{}\"\n\
         [proxy]\nlisten = \"127.0.0.1:{proxy}\"\n\
         [[user]]\nname = \"{}\"\npassword = \"{}\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\npassword = \"0123456789abcdef\"\n",
        manager.0, manager.1, replication.0, replication.1, app.0, app.1,
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn write_private(path: &std::path::Path, text: &str) {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("a file can be written");
}
