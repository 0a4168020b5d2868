//! A running `mainstay serve` with a monitor, for the servers of a sandbox whose manager stands
//! still.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mainstay_e2e::{
    Finished, Home, Login, Sandbox, Status, free_port, mainstay, mainstay_binary, wait_for_status,
};

pub(crate) struct Served {
    child: Child,
    file: PathBuf,
    ports: (u16, u16),
    _home: Home,
}

impl Served {
    /// `draining` is what a name must end with that is drained, if any.
    pub(crate) fn start(sandbox: &Sandbox, draining: &str) -> Self {
        let ports = (free_port(), free_port());
        Self::of(Home::new(), ports, &text(sandbox, ports, draining))
    }

    /// With the settings that `mainstay import` makes of this file of ProxySQL, and a port of its
    /// own for the API.
    pub(crate) fn imported(text: impl FnOnce(u16) -> String) -> Self {
        let home = Home::new();
        let ports = (free_port(), free_port());
        let (from, to) = (home.join("proxysql.cnf"), home.join("imported.toml"));
        fs::write(&from, text(ports.0)).expect("a file can be written");
        let arguments = [from.as_os_str(), "--output".as_ref(), to.as_os_str()];
        mainstay(["import".as_ref()].into_iter().chain(arguments)).succeeded();
        let made = fs::read_to_string(&to).expect("it was written");
        let api = format!("[api]\nlisten = \"127.0.0.1:{}\"", ports.1);
        Self::of(home, ports, &made.replace("[api]", &api))
    }

    fn of(home: Home, ports: (u16, u16), text: &str) -> Self {
        let file = home.join("mainstay.toml");
        fs::write(&file, text).expect("a file can be written");
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
            ports,
            _home: home,
        }
    }

    /// Writes the file anew.
    pub(crate) fn write(&self, sandbox: &Sandbox, draining: &str) {
        let text = text(sandbox, self.ports, draining);
        fs::write(&self.file, text).expect("a file can be written");
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let file = self.file.to_str().expect("a path of text");
        mainstay(arguments.iter().copied().chain(["--config", file]))
    }

    pub(crate) fn status(&self) -> Status {
        Status(self.run(&["status", "--json"]).json())
    }

    pub(crate) fn wait(&self, what: &str, holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for_status(what, |arguments| self.run(arguments), holds)
    }

    /// The account of the sandbox's applications, at this proxy.
    pub(crate) fn login(&self, sandbox: &Sandbox) -> Login {
        Login {
            port: self.ports.0,
            ..sandbox.proxy()
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(sandbox: &Sandbox, (proxy, api): (u16, u16), draining: &str) -> String {
    let mut text = String::new();
    for server in sandbox.servers() {
        let (name, port) = (&server.name, server.login.port);
        text += &format!("[[server]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\n");
        if draining.ends_with(name.as_str()) {
            text += "intent = \"draining\"\n";
        }
    }
    let [manager, app] = ["manager", "app"].map(|which| sandbox.account(which));
    text + &format!(
        "[monitor]\nuser = \"{}\"\npassword = \"{}\"\n\
         [proxy]\nlisten = \"127.0.0.1:{proxy}\"\n\
         [[user]]\nname = \"{}\"\npassword = \"{}\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\npassword = \"0123456789abcdef\"\n",
        manager.0, manager.1, app.0, app.1,
    )
}
