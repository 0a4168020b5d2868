//! `--detach`: the sandbox goes on in a process of its own, which tells when it is ready.
//!
//! The child's standard output is a pipe to us. It writes one line: the announcement, or an object
//! with `error` and `exit`. Its log goes to a file.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::setsid;
use rustix::stdio::dup2_stdout;
use serde_json::{Value, json};

use crate::args::{FlavorArg, SandboxArgs};
use crate::output::{BadInput, emit, exit_code_of};
use crate::runfile::RunFile;

const LOG: &str = "mainstay.log";

/// Starts the child, waits for its line, and prints it.
pub(super) fn launch(args: &SandboxArgs) -> Result<ExitCode> {
    let dir = args.dir.clone().ok_or_else(|| {
        BadInput("--detach needs --dir DIR: it is how the sandbox is found again".to_owned())
    })?;
    if let Some(pid) = mainstay_sandbox::running_pid(&dir) {
        let dir = dir.display();
        return Err(BadInput(format!(
            "a sandbox is already running in {dir} as pid {pid}; \
             end it with `mainstay sandbox stop --dir {dir}`"
        ))
        .into());
    }
    let log = log_file(&dir)?;
    let mut child = Command::new(std::env::current_exe().context("cannot find this program")?)
        .args(child_arguments(args, &dir))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start the sandbox's process")?;
    let mut line = String::new();
    let output = child
        .stdout
        .take()
        .context("the sandbox's process has no output")?;
    BufReader::new(output)
        .read_line(&mut line)
        .context("the sandbox's process says nothing")?;
    let Ok(value) = serde_json::from_str::<Value>(&line) else {
        let status = child.wait()?;
        bail!(
            "the sandbox ended ({status}); see {}",
            dir.join(LOG).display()
        );
    };
    if let Some(error) = value["error"].as_str() {
        child.wait()?;
        return Err(match value["exit"].as_u64() {
            Some(2) => BadInput(error.to_owned()).into(),
            _ => anyhow!("{error}"),
        });
    }
    if args.json {
        emit(&line);
    } else {
        let run: RunFile = serde_json::from_value(value)?;
        let dir = run.dir.display();
        emit(&format!(
            "The sandbox runs as pid {}.\n\n  mainstay status --dir {dir}\n  \
             mainstay sandbox stop --dir {dir}\n",
            run.pid
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn log_file(dir: &std::path::Path) -> Result<std::fs::File> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let path = dir.join(LOG);
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn child_arguments(args: &SandboxArgs, dir: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut list: Vec<std::ffi::OsString> = ["sandbox", "--detached-child", "--json", "--dir"]
        .map(Into::into)
        .to_vec();
    list.push(dir.into());
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            list.push(format!("{name}={value}").into());
        }
    };
    let flavor = args.flavor.map(|flavor| match flavor {
        FlavorArg::Mariadb => "mariadb".to_owned(),
        FlavorArg::Mysql => "mysql".to_owned(),
    });
    option("--flavor", flavor);
    option("--proxy-port", args.proxy_port.map(|port| port.to_string()));
    option("--admin-port", args.admin_port.map(|port| port.to_string()));
    option("--api-port", args.api_port.map(|port| port.to_string()));
    option("--base-port", args.base_port.map(|port| port.to_string()));
    option(
        "--restart-after",
        Some(format!("{}ms", args.restart_after.as_millis())),
    );
    option(
        "--hang-after",
        Some(format!("{}ms", args.hang_after.as_millis())),
    );
    option(
        "--drain-limit",
        Some(format!("{}ms", args.drain_limit.as_millis())),
    );
    if let Some(mysqld) = &args.mysqld {
        list.push("--mysqld".into());
        list.push(mysqld.into());
    }
    if let Some(settings) = &args.settings {
        list.push("--settings".into());
        list.push(settings.into());
    }
    if args.force {
        list.push("--force".into());
    }
    list
}

/// The child must not get the terminal's Ctrl-C.
pub(super) fn leave_the_terminal() {
    // It fails only for a process that has been given a group of its own.
    let _ = setsid();
}

/// The child's line when it could not start.
pub(super) fn tell_failure(error: &anyhow::Error) {
    let exit = if exit_code_of(error) == ExitCode::from(2) {
        2
    } else {
        1
    };
    emit(&format!(
        "{}\n",
        json!({ "error": format!("{error:#}"), "exit": exit })
    ));
}

/// Closes the pipe, so that whoever reads the launcher's output to its end is not kept waiting.
pub(super) fn let_go() {
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        let _ = dup2_stdout(&null);
    }
}
