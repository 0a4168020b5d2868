//! `mainstay check`: every precondition of a failover, tried now. It changes nothing.
//!
//! What `mainstay doctor` finds on the servers is among it; here it is also told what is well.

mod dialect;
mod line;
mod running;
mod servers;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use mainstay_settings::Settings;

use crate::api::Api;
use crate::output::{BadInput, emit};
use line::Verdict;

/// `mainstay check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "mainstay.toml")]
    pub(crate) config: PathBuf,
    /// Print what was tried as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode> {
    let settings = Settings::load(&args.config).map_err(|error| BadInput(error.to_string()))?;
    if settings.control.manager().is_none() {
        let sentence = "there is no [manager] in the settings: nobody would fail over. Without \
                        one, `mainstay doctor` says what is wrong";
        return Err(BadInput(sentence.to_owned()).into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let mut lines = runtime.block_on(servers::tried(&settings));
    let api = Api::new(&crate::serve::api_endpoint(&settings.api));
    lines.extend(running::tried(&api, &args.config));
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&lines)?));
    } else {
        emit(&line::text_of(&lines));
    }
    let fails = lines.iter().any(|line| line.verdict == Verdict::Error);
    Ok(ExitCode::from(u8::from(fails)))
}
