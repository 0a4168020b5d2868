//! nftables, through its own program: one run is one transaction.

use std::process::Stdio;
use std::time::Duration;

use mainstay_balance::Table;
use mainstay_balance::nft::{Links, TABLE, removal, transaction};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::BalancerError;
use crate::links;

/// Loading takes milliseconds; what takes so long will not end.
const LIMIT: Duration = Duration::from_secs(10);

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct Nftables {
    applied: Option<(Table, Links)>,
}

impl Nftables {
    pub(crate) async fn apply(&mut self, table: &Table) -> Result<(), BalancerError> {
        let links = links::of(table);
        let before = self.applied.as_ref().map(|(before, _)| before);
        let text = transaction(before, table, &links);
        // Whatever becomes of it: what is in force is not known before it is.
        self.applied = None;
        tracing::debug!(rules = text, "to nftables");
        run(&["-f", "-"], &text).await?;
        self.applied = Some((table.clone(), links));
        Ok(())
    }

    pub(crate) async fn is_stale(&mut self, table: &Table) -> Result<bool, BalancerError> {
        let Some((_, before)) = &self.applied else {
            return Ok(true);
        };
        if *before != links::of(table) {
            return Ok(true);
        }
        let listed = run(&["list", "tables", "inet"], "").await?;
        let ours = format!("table inet {TABLE}");
        let is_there = listed.lines().any(|line| line.trim() == ours);
        if !is_there {
            self.applied = None;
        }
        Ok(!is_there)
    }

    pub(crate) async fn remove(&mut self) -> Result<(), BalancerError> {
        self.applied = None;
        run(&["-f", "-"], &removal()).await.map(drop)
    }
}

async fn run(arguments: &[&str], input: &str) -> Result<String, BalancerError> {
    let spawned = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(BalancerError::NoNft)?;
    let ended = async move {
        if let Some(mut stdin) = child.stdin.take() {
            // One that ends early says why on its standard error.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let late = |_| Err(BalancerError::NftLate(LIMIT));
    let ended = timeout(LIMIT, ended)
        .await
        .map_or_else(late, |ended| ended.map_err(BalancerError::NoNft))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        let first: Vec<_> = said.lines().take(2).map(str::trim).collect();
        return Err(BalancerError::Nft(first.join(" ")));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
