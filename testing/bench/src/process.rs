//! Processes that the bench starts, by their ids: what they have used, and their end.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// A process that ends with its value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    log: std::path::PathBuf,
}

impl Process {
    /// Starts the command with its output in `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log: log.to_owned(),
        })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready`, while the process lives.
    pub fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while !ready() {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                let lines: Vec<_> = log.lines().rev().take(15).collect();
                let tail: Vec<_> = lines.into_iter().rev().collect();
                bail!(
                    "{}: {what} did not come; its log ends so:\n{}",
                    self.name,
                    tail.join("\n")
                );
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Waits until somebody listens on the port.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        self.wait_until("its port", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// Outside the kernel, in microseconds.
    pub user_us: f64,
    /// All, in microseconds.
    pub total_us: f64,
}

impl Cpu {
    /// What the process has used until now, all threads together (`proc_pid_stat(5)`).
    pub fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name, in parentheses, may hold anything.
        let (_, rest) = stat
            .rsplit_once(')')
            .context("a stat file without a name")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| -> Result<f64> {
            Ok(fields.get(index).context("a short stat file")?.parse()?)
        };
        let tick_us = 1e6 / rustix::param::clock_ticks_per_second() as f64;
        let (user, system) = (ticks(11)? * tick_us, ticks(12)? * tick_us);
        Ok(Self {
            user_us: user,
            total_us: user + system,
        })
    }

    /// What was used since then.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            user_us: self.user_us - before.user_us,
            total_us: self.total_us - before.total_us,
        }
    }
}

/// The memory of a process that is in RAM, in KiB.
pub fn resident_kib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    Ok(number.context("a status file without VmRSS")?.parse()?)
}

/// How busy the whole machine has been, in microseconds of processor time.
pub fn machine_busy_us() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let first = stat.lines().next().context("an empty /proc/stat")?;
    let fields: Vec<f64> = first
        .split_whitespace()
        .skip(1)
        .map_while(|n| n.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq; the rest is counted in user already, or stolen.
    let busy = [0, 1, 2, 5, 6]
        .iter()
        .filter_map(|&index| fields.get(index))
        .sum::<f64>();
    Ok(busy * 1e6 / rustix::param::clock_ticks_per_second() as f64)
}

/// A port that nobody uses now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
