//! Without lossless replication a killed primary has writes that no replica has received. Where its
//! disk can be read, its successor has them before it accepts writes.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};

use mainstay_e2e::{
    Client, Family, Home, Paused, Sandbox, Status, free_port, mainstay, mainstay_binary,
    on_both_families, processes, wait_for, wait_for_status,
};
use rustix::process::Signal;

on_both_families!(what_no_replica_has_received_is_read_from_the_disk_of_the_killed_primary);

/// Takes the place of the sandbox's manager, which stands still.
struct Served {
    child: Child,
    file: String,
    _home: Home,
}

fn what_no_replica_has_received_is_read_from_the_disk_of_the_killed_primary(family: Family) {
    let sandbox = Sandbox::start(family);
    let manager = Paused::new(sandbox.pid());
    let served = Served::start(&sandbox);
    let old = sandbox_primary(&served);
    let mut client = Client::connect(&sandbox.manager_login(&old));
    client.execute(alone(family));
    client.execute("CREATE TABLE app.t (id INT PRIMARY KEY, name VARCHAR(200))");
    client.execute("INSERT INTO app.t VALUES (1, 'received')");
    let others: Vec<String> = sandbox
        .servers()
        .into_iter()
        .map(|server| server.name)
        .collect();
    let others: Vec<String> = others.into_iter().filter(|name| *name != old).collect();
    let mut replicas: Vec<Client> = others
        .iter()
        .map(|name| Client::connect(&sandbox.manager_login(name)))
        .collect();
    for replica in &mut replicas {
        wait_for("the first row on a replica", || rows(replica, "t", "1"));
    }

    let asleep = Paused::new(served.child.id());
    for replica in &mut replicas {
        replica.execute(threads(family, "STOP"));
    }
    client.execute("INSERT INTO app.t VALUES (2, 'only on its disk')");
    client.execute("START TRANSACTION");
    client.execute("UPDATE app.t SET name = REPEAT('é', 100) WHERE id = 1");
    client.execute("INSERT INTO app.t VALUES (3, NULL)");
    client.execute("COMMIT");
    client.execute("CREATE TABLE app.later (id INT PRIMARY KEY)");
    client.execute("INSERT INTO app.later VALUES (1)");
    sandbox.kill_server(&old);
    for replica in &mut replicas {
        replica.execute(threads(family, "START"));
    }
    drop(asleep);

    let new = served.wait("another primary that accepts writes", |status| {
        status
            .primary()
            .is_some_and(|name| name != old && status.server(name)["writer"] == true)
    });
    for replica in &mut replicas {
        wait_for("all rows on all others", || rows(replica, "later", "1"));
        assert_eq!(
            replica.value("SELECT CHAR_LENGTH(name) FROM app.t WHERE id = 1"),
            "100"
        );
        assert_eq!(replica.value("SELECT COUNT(*) FROM app.t"), "3");
    }
    let history = served.run(&["status", "--history", "--json"]);
    assert!(
        history.contains("that no replica had received were read from the disk of"),
        "{history} after {new}"
    );
    drop(served);
    drop(manager);
}

fn rows(client: &mut Client, table: &str, expected: &str) -> Result<(), String> {
    let count = client.try_query(&format!("SELECT COUNT(*) FROM app.{table}"));
    let count = count.map_err(|error| error.to_string())?;
    match count.scalar() {
        Some(found) if found == expected => Ok(()),
        found => Err(format!("{found:?}")),
    }
}

fn sandbox_primary(served: &Served) -> String {
    let whole = served.wait("a whole cluster", Status::is_whole);
    whole
        .primary()
        .expect("a whole cluster has a primary")
        .to_owned()
}

impl Served {
    fn start(sandbox: &Sandbox) -> Self {
        let home = Home::new();
        let path = home.join("mainstay.toml");
        let mut text = "[cluster]\nname = \"disk\"\ndurability = \"async\"\n".to_owned();
        for server in sandbox.servers() {
            let data = sandbox.dir().join(&server.name).join("data");
            text += &format!(
                "[[server]]\nname = \"{}\"\naddress = \"{}:{}\"\ndata_directory = \"{}\"\n",
                server.name,
                server.login.host,
                server.login.port,
                data.display()
            );
        }
        let [manager, replication] = ["manager", "replication"].map(|which| sandbox.account(which));
        let app = sandbox.account("app");
        text += &format!(
            "[manager]\nuser = \"{}\"\npassword = \"{}\"\nreplication_user = \"{}\"\n\
             replication_password = \"{}\"\n[proxy]\nlisten = \"127.0.0.1:{}\"\n[[user]]\n\
             name = \"{}\"\npassword = \"{}\"\n[api]\nlisten = \"127.0.0.1:{}\"\n\
             password = \"0123456789abcdef\"\n",
            manager.0,
            manager.1,
            replication.0,
            replication.1,
            free_port(),
            app.0,
            app.1,
            free_port()
        );
        let mut options = fs::OpenOptions::new();
        let file = options.create_new(true).write(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.expect("a file can be written");
        let log = fs::File::create(home.join("serve.log")).expect("a file can be made");
        let mut command = Command::new(mainstay_binary());
        command
            .args(["serve", "--config"])
            .arg(&path)
            .stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        Self {
            child: child.expect("it can be started"),
            file: path.to_str().expect("a path of text").to_owned(),
            _home: home,
        }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let file = ["--config", self.file.as_str()];
        let answer = mainstay(arguments.iter().copied().chain(file));
        answer.to_string()
    }

    fn wait(&self, what: &str, holds: impl FnMut(&Status) -> bool) -> Status {
        let ask = |arguments: &[&str]| {
            let own = ["--config", self.file.as_str()];
            mainstay(arguments.iter().copied().chain(own))
        };
        wait_for_status(what, ask, holds)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        processes::signal(self.child.id(), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn threads(family: Family, verb: &str) -> &'static str {
    match (family, verb) {
        (Family::MariaDb, "STOP") => "STOP SLAVE IO_THREAD",
        (Family::MariaDb, _) => "START SLAVE IO_THREAD",
        (Family::MySql, "STOP") => "STOP REPLICA IO_THREAD",
        (Family::MySql, _) => "START REPLICA IO_THREAD",
    }
}

/// Commits wait for nobody from now on.
fn alone(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "SET GLOBAL rpl_semi_sync_master_enabled = OFF",
        Family::MySql => "SET GLOBAL rpl_semi_sync_source_enabled = OFF",
    }
}
