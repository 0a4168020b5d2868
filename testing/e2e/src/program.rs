//! Finding and running the binary under test.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No command of ours may take longer; a drill is the longest.
const LIMIT: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(10);

/// `MAINSTAY_BIN`, or else the newest kind of build that the target directory has.
pub fn mainstay_binary() -> PathBuf {
    if let Some(named) = env::var_os("MAINSTAY_BIN").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        assert!(
            named.is_file(),
            "MAINSTAY_BIN is {}, which does not exist",
            named.display()
        );
        return named;
    }
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    };
    ["release", "debug"]
        .map(|profile| target.join(profile).join("mainstay"))
        .into_iter()
        .find(|binary| binary.is_file())
        .unwrap_or_else(|| {
            let target = target.display();
            panic!("there is no mainstay in {target}; `cargo build --release` makes it")
        })
}

/// The binary with these arguments, its output captured.
pub fn mainstay<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Finished {
    run(Command::new(mainstay_binary()).args(arguments))
}

/// Any command, with nothing on its standard input.
pub fn run(command: &mut Command) -> Finished {
    let line = format!("{command:?}");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("cannot run {line}: {error}"));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let code = exit_code(&mut child, &line);
    let text = |reader: thread::JoinHandle<String>| reader.join().expect("a reader never panics");
    Finished {
        line,
        code,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn exit_code(child: &mut Child, line: &str) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status.code();
        }
        if began.elapsed() > LIMIT {
            // It may have ended in this moment.
            let _ = child.kill();
            panic!("{line} did not end within {} s", LIMIT.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until then is worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    line: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Finished {
    /// Its output, if it succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout
    }

    /// Its output as JSON, if it succeeded.
    #[track_caller]
    pub fn json(self) -> Value {
        let shown = self.to_string();
        let text = self.succeeded();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {shown}"))
    }

    /// Its complaint, if it ended with this code and said something to people.
    #[track_caller]
    pub fn failed_with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.trim().is_empty(), "it says nothing: {self}");
        assert!(
            !self.stderr.contains("panicked"),
            "a sentence is expected, not a panic: {self}"
        );
        self.stderr
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{line}\nexit code {code:?}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}
