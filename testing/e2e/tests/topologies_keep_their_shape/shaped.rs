//! A running `mainstay serve` over the servers of a sandbox whose own manager stands still, with
//! settings of a shape.

use std::fs;
use std::process::{Child, Command, Stdio};

use mainstay_e2e::settings::{managed, write_private};
use mainstay_e2e::{
    Client, Finished, Home, Login, Paused, Sandbox, Status, free_port, mainstay, mainstay_binary,
    processes, wait_for,
};

pub(crate) struct Shaped<'a> {
    sandbox: &'a Sandbox,
    /// The command lines of the servers, by name.
    commands: Vec<(String, Vec<String>)>,
    started: std::cell::RefCell<Vec<Child>>,
    child: Child,
    file: String,
    proxy: u16,
    _manager: Paused,
    home: Home,
}

impl<'a> Shaped<'a> {
    /// With lines for `[cluster]`, and for single servers.
    pub(crate) fn start(sandbox: &'a Sandbox, cluster: &str, parts: &[(&str, &str)]) -> Self {
        let commands = sandbox.servers().into_iter().map(|server| {
            let pid = sandbox.pid_of(&server.name).expect("it runs");
            let line = fs::read(format!("/proc/{pid}/cmdline")).expect("it can be read");
            let words = line
                .split(|byte| *byte == 0)
                .filter(|word| !word.is_empty());
            let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
            // The file with the first accounts is gone by now.
            let words = words.filter(|word| !word.starts_with("--init-file"));
            (server.name, words.collect())
        });
        let commands = commands.collect();
        let manager = Paused::new(sandbox.pid());
        let home = Home::new();
        let (proxy, api) = (free_port(), free_port());
        let mut text = format!("[cluster]\nname = \"shaped\"\n{cluster}");
        for server in sandbox.servers() {
            let Login { host, port, .. } = server.login;
            let name = server.name;
            let own = |(of, _): &&(&str, &str)| *of == name;
            let part = parts.iter().find(own).map_or("", |(_, part)| *part);
            text +=
                &format!("[[server]]\nname = \"{name}\"\naddress = \"{host}:{port}\"\n{part}\n");
        }
        text += &managed(sandbox, &sandbox.account("manager"), (proxy, api));
        let file = home.join("mainstay.toml");
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
            sandbox,
            commands,
            started: std::cell::RefCell::default(),
            child: child.expect("it can be started"),
            file: file.to_str().expect("a path of text").to_owned(),
            proxy,
            _manager: manager,
            home,
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let config = ["--config", self.file.as_str()];
        mainstay(arguments.iter().copied().chain(config))
    }

    pub(crate) fn wait(&self, what: &str, mut holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for(what, || {
            let answer = self.run(&["status", "--json"]);
            if answer.code != Some(0) {
                return Err(answer.to_string());
            }
            let status = Status(answer.json());
            if holds(&status) {
                return Ok(status);
            }
            let log = fs::read_to_string(self.home.join("serve.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(12).collect();
            Err(format!("the status is {status}\nthe log ends:\n{last:#?}"))
        })
    }

    /// Waits until a server answers a query so.
    pub(crate) fn wait_for_rows(&self, server: &str, query: &str, expected: &str) {
        wait_for("rows on a replica", || {
            let login = self.sandbox.manager_login(server);
            let mut client = Client::try_connect(&login).map_err(|error| error.to_string())?;
            let found = client.try_query(query).map_err(|error| error.to_string())?;
            let found = found.scalar().unwrap_or("NULL").to_owned();
            if found == expected {
                Ok(())
            } else {
                Err(format!("{server} answers {found} to {query}"))
            }
        });
    }

    /// The account of the sandbox's applications, at this proxy.
    pub(crate) fn login(&self) -> Login {
        Login {
            port: self.proxy,
            ..self.sandbox.proxy()
        }
    }

    /// Starts a server again that was killed, as its supervisor would.
    pub(crate) fn supervise_again(&self, server: &str) {
        let (_, words) = self
            .commands
            .iter()
            .find(|(name, _)| name == server)
            .expect("a server");
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("it can be started");
        self.started.borrow_mut().push(child);
    }
}

impl Drop for Shaped<'_> {
    fn drop(&mut self) {
        for child in self
            .started
            .borrow_mut()
            .iter_mut()
            .chain([&mut self.child])
        {
            if processes::runs(child.id()) {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }
}
