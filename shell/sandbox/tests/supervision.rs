//! Processes are started, restarted, held and killed as promised, and none outlives us.
//!
//! The server is a stand-in that greets connections and, like a real one, ends on SIGTERM; real
//! servers are the end-to-end tests' business. This program plays every part, so it has a `main`
//! of its own instead of the usual harness: the guard, the server, the owner of a sandbox.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs};

use mainstay_sandbox::{
    Flavor, GUARD_COMMAND, RestartRole, RestartRoles, Sandbox, SandboxEvent, SandboxOptions,
    Signal, guard_main, stop_running,
};
use mainstay_topology::ServerName;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::broadcast::Receiver;

type Test = fn(&Path);

const TESTS: &[(&str, Test)] = &[
    (
        "a_killed_server_is_gone_and_comes_back",
        a_killed_server_is_gone_and_comes_back,
    ),
    (
        "a_held_server_stays_down_until_released",
        a_held_server_stays_down_until_released,
    ),
    (
        "a_server_that_refuses_to_rejoin_is_started_plain",
        a_server_that_refuses_is_started_plain,
    ),
    (
        "a_server_in_doubt_waits_until_its_role_is_decided",
        a_server_in_doubt_waits_until_its_role_is_decided,
    ),
    (
        "a_server_is_left_alone_when_its_donor_cannot_be_copied",
        a_server_is_left_alone_without_a_donor,
    ),
    (
        "a_server_that_cannot_start_is_an_error_with_its_log",
        a_server_that_cannot_start,
    ),
    (
        "no_server_survives_the_sigkill_of_its_owner",
        no_server_survives_its_owner,
    ),
    (
        "a_sandbox_is_stopped_from_another_process",
        a_sandbox_is_stopped_from_elsewhere,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let first = arguments
        .first()
        .map(|argument| argument.to_string_lossy().into_owned());
    match first.as_deref() {
        Some(GUARD_COMMAND) => return guard_main(arguments.into_iter().skip(1)),
        Some("stand-in") => return stand_in(&arguments[1].to_string_lossy()),
        Some("owner") => return owner(Path::new(&arguments[1])),
        _ => {}
    }
    for (name, test) in TESTS {
        let wanted = first
            .as_ref()
            .is_none_or(|word| word.starts_with('-') || name.contains(word));
        if wanted {
            let dir = tempfile::tempdir().expect("a directory");
            test(&fs::canonicalize(dir.path()).expect("a path"));
            eprintln!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// A server as far as the supervisor can tell.
fn stand_in(option: &str) -> ExitCode {
    let file = option
        .strip_prefix("--defaults-file=")
        .expect("the first option");
    let text = fs::read_to_string(file).expect("an option file");
    let port = text
        .lines()
        .find_map(|line| line.strip_prefix("port="))
        .expect("a port");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
    loop {
        let (mut client, _) = listener.accept().expect("a client");
        // A client that has gone needs no greeting.
        let _gone = client.write_all(&[1, 0, 0, 0, 10]);
    }
}

/// A `mariadbd` in a prefix of its own that becomes the stand-in, and what initialises its data.
fn install(dir: &Path, refuses: &str) -> PathBuf {
    let program = |name: &str, text: String| {
        let path = dir.join("prefix").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    };
    program(
        "bin/mariadb-install-db",
        "#!/bin/sh\nfor a; do case $a in --datadir=*) mkdir \"${a#--datadir=}\";; esac; done\n"
            .to_owned(),
    );
    let own = env::current_exe().expect("a path");
    let server = format!(
        "#!/bin/sh\ncase \"$*\" in\n*--version*) echo 'mariadbd  Ver 10.11.6-MariaDB for Linux';;\n\
         {refuses}) echo refused >&2; exit 1;;\n*) exec '{}' stand-in \"$@\";;\nesac\n",
        own.display()
    );
    program("sbin/mariadbd", server)
}

async fn start(dir: &Path, refuses: &str, db1: RestartRole) -> mainstay_sandbox::Result<Sandbox> {
    let role = move |name: &ServerName| match name.as_str() {
        "db1" => db1,
        _ => RestartRole::Plain,
    };
    start_with(dir, refuses, Arc::new(role)).await
}

/// A running sandbox of stand-ins, which nobody can log in to.
async fn start_with(
    dir: &Path,
    refuses: &str,
    roles: RestartRoles,
) -> mainstay_sandbox::Result<Sandbox> {
    let mut options = SandboxOptions::new(dir.join("sandbox"), Flavor::MariaDb);
    options.mysqld = Some(install(dir, refuses));
    options.cache = Some(dir.join("cache"));
    options.restart_after = Duration::ZERO;
    let prepared = Sandbox::prepare(options)?;
    for server in prepared.servers() {
        let file = prepared
            .dir()
            .join(server.name.as_str())
            .join("accounts.sql");
        fs::remove_file(file).expect("its accounts were to be made");
    }
    prepared.start(roles).await
}

fn with_sandbox(dir: &Path, test: impl AsyncFnOnce(&Sandbox, Receiver<SandboxEvent>)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let sandbox = start(dir, "--never", RestartRole::Plain)
            .await
            .expect("started");
        let events = sandbox.events();
        test(&sandbox, events).await;
        sandbox.stop().await;
        assert!(sandbox.servers().iter().all(|server| server.pid.is_none()));
    });
}

async fn until_ready(events: &mut Receiver<SandboxEvent>, name: &str) -> u32 {
    loop {
        if let SandboxEvent::Ready { server, pid } = events.recv().await.expect("events")
            && server.as_str() == name
        {
            return pid;
        }
    }
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

fn a_killed_server_is_gone_and_comes_back(dir: &Path) {
    with_sandbox(dir, async |sandbox, mut events| {
        let before = sandbox.pid("db2").expect("it runs");
        sandbox.kill("db2", Signal::STOP).await.expect("a signal");
        sandbox.kill("db2", Signal::KILL).await.expect("a signal");
        assert!(is_gone(before));
        assert_ne!(until_ready(&mut events, "db2").await, before);
        let error = sandbox
            .kill("db4", Signal::KILL)
            .await
            .expect_err("no such server");
        assert!(error.to_string().contains("db4"), "{error}");
    });
}

fn a_held_server_stays_down_until_released(dir: &Path) {
    with_sandbox(dir, async |sandbox, mut events| {
        sandbox.hold_restart("db3").await.expect("held");
        sandbox.kill("db3", Signal::KILL).await.expect("a signal");
        let ended = events.recv().await.expect("events");
        let SandboxEvent::Exited { restart_in, .. } = ended else {
            panic!("{ended:?}")
        };
        assert_eq!((restart_in, sandbox.pid("db3")), (None, None));
        sandbox
            .kill("db3", Signal::KILL)
            .await
            .expect("as gone as can be");
        sandbox
            .kill("db3", Signal::STOP)
            .await
            .expect_err("nothing to stop");
        sandbox.release_restart("db3").await.expect("released");
        until_ready(&mut events, "db3").await;
    });
}

fn a_server_that_refuses_is_started_plain(dir: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let refuses = "*--init-rpl-role*";
        let sandbox = start(dir, refuses, RestartRole::Rejoin)
            .await
            .expect("started plain");
        assert!(sandbox.pid("db1").is_some());
        sandbox.stop().await;
    });
    let log = fs::read_to_string(dir.join("sandbox/db1/mysqld.log")).expect("a log");
    assert_eq!(log, "refused\n");
}

/// Whose role is asked for: first at the start, then twice in doubt, then it is decided.
fn a_server_in_doubt_waits_until_its_role_is_decided(dir: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        let role = move |name: &ServerName| match name.as_str() {
            "db1" => match counter.fetch_add(1, Ordering::Relaxed) {
                0 => RestartRole::Plain,
                1 | 2 => RestartRole::Wait,
                _ => RestartRole::Rejoin,
            },
            _ => RestartRole::Replica,
        };
        let sandbox = start_with(dir, "--never", Arc::new(role))
            .await
            .expect("started");
        let mut events = sandbox.events();
        sandbox.kill("db1", Signal::KILL).await.expect("a signal");
        let role = loop {
            if let SandboxEvent::Started { role, .. } = events.recv().await.expect("events") {
                break role;
            }
        };
        assert_eq!(role, RestartRole::Rejoin);
        assert_eq!(asked.load(Ordering::Relaxed), 4);
        sandbox.stop().await;
    });
}

fn a_server_is_left_alone_without_a_donor(dir: &Path) {
    with_sandbox(dir, async |sandbox, _| {
        let before = sandbox.pid("db1");
        let program = dir.join("prefix/bin/mariadb-backup");
        fs::write(program, "never run").expect("a file");
        let error = sandbox.reseed("db1", "db2").await.expect_err("no login");
        let error = error.to_string();
        assert!(
            error.starts_with("the data of db2 cannot be copied"),
            "{error}"
        );
        assert_eq!(sandbox.pid("db1"), before);
    });
}

fn a_server_that_cannot_start(dir: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let started = runtime.block_on(start(dir, "*db2*", RestartRole::Plain));
    let error = started.err().expect("db2 refuses").to_string();
    assert!(error.starts_with("db2 ended while starting"), "{error}");
    assert!(
        error.contains("db2/mysqld.log, ends with: refused"),
        "{error}"
    );
}

/// Starts a sandbox, says which processes it has, and waits.
fn owner(dir: &Path) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let sandbox = start(dir, "--never", RestartRole::Plain)
            .await
            .expect("started");
        let mut terminated =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .expect("a signal handler");
        let servers = sandbox.servers();
        let pids = servers.iter().filter_map(|server| server.pid);
        let line = pids
            .map(|pid| format!("{pid} "))
            .collect::<Vec<_>>()
            .concat()
            + "
";
        std::io::stdout()
            .write_all(line.as_bytes())
            .expect("a reader");
        terminated.recv().await;
        sandbox.stop().await;
    });
    ExitCode::SUCCESS
}

/// Such an owner in a process of its own, and a handle on each of its servers.
fn run_owner(dir: &Path) -> (Child, Vec<rustix::fd::OwnedFd>) {
    let mut child = Command::new(env::current_exe().expect("a path"))
        .arg("owner")
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    let output = child.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let servers = line.split_whitespace().map(|pid| {
        let pid = pid
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        pidfd_open(pid, PidfdFlags::empty()).expect("it runs")
    });
    let servers: Vec<_> = servers.collect();
    assert_eq!(servers.len(), 3, "{line}");
    (child, servers)
}

/// Returns when all of them have ended, and not before.
fn wait_for_the_end(servers: &[rustix::fd::OwnedFd]) {
    for server in servers {
        poll(&mut [PollFd::new(server, PollFlags::IN)], None).expect("a handle");
    }
}

fn no_server_survives_its_owner(dir: &Path) {
    let (mut owner, servers) = run_owner(dir);
    owner.kill().expect("a signal");
    owner.wait().expect("it ended");
    wait_for_the_end(&servers);
}

fn a_sandbox_is_stopped_from_elsewhere(dir: &Path) {
    let (mut owner, servers) = run_owner(dir);
    let reaper = std::thread::spawn(move || owner.wait().expect("it ended"));
    stop_running(&dir.join("sandbox"), Duration::from_mins(1)).expect("stopped");
    assert!(reaper.join().expect("a status").success());
    wait_for_the_end(&servers);
}
