//! Who is measured: a table, and the processes behind each row.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::process::{Process, free_port};
use crate::server::{MANAGER, PASSWORD, SCHEMA, USER};

/// What a contender is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No proxy.
    Direct,
    /// HAProxy in TCP mode: the least that any proxy can do.
    Haproxy,
    /// `mainstay serve` with this line more in the section `[proxy]`.
    Mainstay {
        binary: PathBuf,
        settings: &'static str,
    },
}

/// A binary without a choice of drivers has only this one.
const EPOLL: &str = "io = \"epoll\"";

/// A row of the tables.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// Everybody. A contender whose settings this binary does not know is left out with a line.
pub(crate) fn all(binary: &Path, baseline: Option<&Path>) -> Vec<Contender> {
    let mainstay = |name, binary: &Path, settings| Contender {
        name,
        kind: Kind::Mainstay {
            binary: binary.to_owned(),
            settings,
        },
    };
    let of = |name, kind| Contender { name, kind };
    let mut all = vec![of("direct", Kind::Direct), of("haproxy", Kind::Haproxy)];
    all.extend(baseline.map(|path| mainstay("baseline", path, EPOLL)));
    all.push(mainstay("mainstay-epoll", binary, EPOLL));
    all.push(mainstay("mainstay-io_uring", binary, "io = \"io_uring\""));
    all
}

/// A contender that takes connections.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// None for no proxy.
    pub(crate) process: Option<Process>,
}

impl Running {
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

impl Contender {
    /// Starts it in front of the server. `extra` are more lines of a Mainstay's settings.
    pub(crate) fn start(&self, server: u16, folder: &Path, extra: &str) -> Result<Running> {
        let folder = folder.join(format!("{}-{}", self.name, free_port()?));
        std::fs::create_dir(&folder)?;
        let (port, process) = match &self.kind {
            Kind::Direct => (server, None),
            Kind::Haproxy => {
                let (port, process) = haproxy(server, &folder)?;
                (port, Some(process))
            }
            Kind::Mainstay { binary, settings } => {
                let lines = format!("{settings}\n{extra}");
                let (port, process) = mainstay(binary, server, &folder, &lines)?;
                (port, Some(process))
            }
        };
        Ok(Running {
            name: self.name.to_owned(),
            port,
            process,
        })
    }

    /// The contender with settings that its binary takes, if there are such.
    pub(crate) fn fitted(mut self, folder: &Path) -> Result<Option<Self>> {
        if self.knows(folder, "")? {
            return Ok(Some(self));
        }
        match &mut self.kind {
            Kind::Mainstay { settings, .. } if *settings == EPOLL => *settings = "",
            Kind::Mainstay { .. } | Kind::Direct | Kind::Haproxy => return Ok(None),
        }
        Ok(self.knows(folder, "")?.then_some(self))
    }

    /// True when its binary takes its settings and these.
    pub(crate) fn knows(&self, folder: &Path, extra: &str) -> Result<bool> {
        let Kind::Mainstay { binary, settings } = &self.kind else {
            return Ok(extra.is_empty());
        };
        let text = settings_file([1, 2, 3], &format!("{settings}\n{extra}"));
        let file = write_private(folder, &text)?;
        let checked = Command::new(binary)
            .args(["serve", "--check", "--config"])
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        Ok(checked.success())
    }
}

fn haproxy(server: u16, folder: &Path) -> Result<(u16, Process)> {
    let port = free_port()?;
    let file = folder.join("haproxy.cfg");
    let text = format!(
        "global\n  nbthread 2\n\
         defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
         listen bench\n  bind 127.0.0.1:{port} backlog 4096\n  server db 127.0.0.1:{server}\n"
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(&file);
    let mut process = Process::start("haproxy", command, &folder.join("log"))?;
    process.wait_for_port(port)?;
    Ok((port, process))
}

/// The product as users run it: split, statistics, manager and API are on.
fn mainstay(binary: &Path, server: u16, folder: &Path, lines: &str) -> Result<(u16, Process)> {
    let (port, api) = (free_port()?, free_port()?);
    let file = write_private(folder, &settings_file([server, port, api], lines))?;
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(&file);
    let mut process = Process::start("mainstay", command, &folder.join("log"))?;
    process.wait_until("the first statement through it", || answers(port))?;
    Ok((port, process))
}

fn settings_file([server, proxy, api]: [u16; 3], lines: &str) -> String {
    let mut text = "[cluster]\nname = \"bench\"\ndurability = \"async\"\n".to_owned();
    let _ = write!(
        text,
        "[[server]]\nname = \"db1\"\naddress = \"127.0.0.1:{server}\"\n\
         [manager]\nuser = \"{MANAGER}\"\npassword = \"{PASSWORD}\"\n\
         replication_user = \"{MANAGER}\"\nreplication_password = \"{PASSWORD}\"\n\
         [[user]]\nname = \"{USER}\"\npassword = \"{PASSWORD}\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\npassword = \"{PASSWORD}\"\n\
         [proxy]\nlisten = \"127.0.0.1:{proxy}\"\nworkers = 2\nclients_max = 20000\n{lines}\n"
    );
    text
}

fn write_private(folder: &Path, text: &str) -> Result<PathBuf> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = folder.join("mainstay.toml");
    let _absent_at_first = std::fs::remove_file(&path);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

fn answers(port: u16) -> bool {
    let run = Command::new("mariadb")
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--connect-timeout=1",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--user={USER}"))
        .env("MYSQL_PWD", PASSWORD)
        .args(["-e", "SELECT 1", SCHEMA])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

/// Makes sure that the binary is there before anything long begins.
pub(crate) fn require(binary: &Path) -> Result<()> {
    ensure!(
        binary.exists(),
        "{} is not there: build it with `cargo build --release`, or name another with --mainstay",
        binary.display()
    );
    Ok(())
}
