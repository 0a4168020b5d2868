//! The suites of Rust's drivers: `mysql_async` and `sqlx`. Which one is the first argument; what
//! they share is here.

mod async_driver;
mod sqlx_driver;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// What a case has seen.
#[derive(Default)]
pub struct Log(Vec<Value>);

impl Log {
    /// One observation.
    pub fn see(&mut self, what: &str, value: Value) {
        self.0.push(json!([what, value]));
    }
}

/// Bytes as text, long ones by their digest.
pub fn shown(bytes: &[u8]) -> String {
    if bytes.len() > 500 {
        let digest: Vec<String> = Sha1::digest(bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        return format!("bytes {} {}", bytes.len(), digest.concat());
    }
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| format!("bytes {bytes:02x?}"))
}

/// `mysql://…` of a schema.
pub fn place(schema: &str) -> String {
    let get = |name: &str| std::env::var(name).unwrap_or_default();
    format!(
        "mysql://{}:{}@{}:{}/{schema}",
        get("DRIVERS_USER"),
        get("DRIVERS_PASSWORD"),
        get("DRIVERS_HOST"),
        get("DRIVERS_PORT")
    )
}

/// The scripts: their names, and their statements with the number of the session.
pub fn scripts() -> Result<Vec<(String, Vec<(usize, String)>)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(Path::new("scripts")).context("no folder of scripts")? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let lines = text.lines().map(str::trim);
        let statements = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| match line.strip_prefix("@2 ") {
                Some(rest) => (1, rest.to_owned()),
                None => (0, line.to_owned()),
            });
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        all.push((format!("script {name}"), statements.collect()));
    }
    all.sort();
    Ok(all)
}

/// Prints a case; true when it passed.
pub fn told(name: &str, mut log: Log, done: Result<()>) -> bool {
    let raised = done.err().map(|error| format!("{error:#}"));
    if let Some(raised) = &raised {
        log.see("raised", json!(raised));
    }
    println!(
        "{}",
        json!({ "case": name, "raised": raised, "lines": log.0 })
    );
    raised.is_none()
}

/// Whether a case was asked for.
pub fn wanted(name: &str) -> bool {
    name.contains(&std::env::var("DRIVERS_ONLY").unwrap_or_default())
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let passed = match std::env::args().nth(1).as_deref() {
        Some("sqlx") => sqlx_driver::suite().await?,
        _ => async_driver::suite().await?,
    };
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
