//! `mainstay doctor`: what is wrong, or soon will be, with a configuration, its servers and what
//! runs. It changes nothing.

mod dialect;
mod finding;
mod host;
mod routing;
mod secrets;
mod servers;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use mainstay_settings::Settings;

use crate::api::Api;
use crate::output::{BadInput, emit};
pub(crate) use finding::{Finding, Grade};
pub(crate) use servers::variables_of;

/// `mainstay doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "mainstay.toml")]
    pub(crate) config: PathBuf,
    /// Look at the file only: neither at the servers nor at what runs.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let settings = Settings::load(&args.config).map_err(|error| BadInput(error.to_string()))?;
    let mut findings = routing::look(&settings);
    findings.extend(secrets::look(&settings));
    findings.extend(host::files(&args.config, &settings));
    if !args.offline {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        findings.extend(runtime.block_on(servers::look(&settings)));
        let api = Api::new(&crate::serve::api_endpoint(&settings.api));
        match traffic::look(&api, &settings) {
            Some(found) => findings.extend(found),
            // Nothing runs: then its ports must be free.
            None => findings.extend(host::ports(&settings)),
        }
    }
    findings.sort_by_key(|finding| finding.grade);
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&findings)?));
    } else {
        emit(&finding::text_of(&findings));
    }
    let sick = findings.iter().any(|finding| finding.grade != Grade::Hint);
    Ok(ExitCode::from(u8::from(sick)))
}
