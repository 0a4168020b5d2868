//! The process of the servers: both ends of the pipe over which it is told what to do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::fleet::Fleet;

/// Plays the servers until its input ends. One line asks, one answers.
pub(crate) fn play(clusters: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let fleet = runtime.block_on(Fleet::start(clusters))?;
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lines() {
        let line = line?;
        let (verb, cluster) = line.split_once(' ').unwrap_or((&line, "0"));
        let cluster = cluster.parse()?;
        match verb {
            "kill" => fleet.set_alive(cluster, false),
            "revive" => fleet.set_alive(cluster, true),
            _ => {}
        }
        writeln!(out, "{}", fleet.looks())?;
    }
    Ok(())
}

/// The other end.
pub(crate) struct Servers {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Servers {
    /// Starts the process, and waits until all servers listen.
    pub(crate) fn start(clusters: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["play", &clusters.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("the pipe that was asked for")?;
        let mut servers = Self {
            input: child.stdin.take(),
            output: BufReader::new(output),
            child,
        };
        let ready = servers.line()?;
        if ready != "ready" {
            bail!("the servers do not listen");
        }
        Ok(servers)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the primary of a cluster.
    pub(crate) fn kill(&mut self, cluster: usize) -> Result<()> {
        self.ask(&format!("kill {cluster}")).map(drop)
    }

    /// Lets it come back.
    pub(crate) fn revive(&mut self, cluster: usize) -> Result<()> {
        self.ask(&format!("revive {cluster}")).map(drop)
    }

    /// Looks that the servers have answered until now.
    pub(crate) fn looks(&mut self) -> Result<f64> {
        self.ask("looks")
    }

    fn ask(&mut self, line: &str) -> Result<f64> {
        let input = self.input.as_mut().context("open until the end")?;
        writeln!(input, "{line}")?;
        Ok(self.line()?.parse()?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // The end of its input is the end of the process.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
