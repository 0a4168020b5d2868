//! `mainstay config`: the file against what is in force, and the file put in force.

mod difference;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

pub(crate) use difference::{Difference, differences};

use crate::api::Api;
use crate::args::ClusterArgs;
use crate::output::{emit, table};

/// `mainstay config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) what: ConfigWhat,
}

/// What to do with the settings of a running `mainstay serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigWhat {
    /// Show what the file says otherwise than what is in force; exit code 1 when there is anything.
    Diff {
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put the file in force: all of it or, if anything in it is wrong, nothing.
    Apply {
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What the API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigView {
    /// The file that the process reads.
    pub(crate) path: String,
    /// What differs, or differed before it was put in force.
    pub(crate) differences: Vec<Difference>,
    /// Sections that are only read at the start.
    pub(crate) waits_for_restart: Vec<String>,
}

pub(crate) fn run(args: &ConfigArgs) -> Result<ExitCode> {
    let (view, json, applied) = match &args.what {
        ConfigWhat::Diff { cluster, json } => {
            let view: ConfigView = Api::find_running(cluster)?.get("/api/v1/config/diff")?;
            (view, json, false)
        }
        ConfigWhat::Apply { cluster, json } => {
            let api = Api::find_running(cluster)?;
            let view: ConfigView = api.post("/api/v1/config/apply", &serde_json::json!({}))?;
            (view, json, true)
        }
    };
    if *json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&view)?));
    } else {
        emit(&text_of(&view, applied));
    }
    let differs = !applied && !view.differences.is_empty();
    Ok(ExitCode::from(u8::from(differs)))
}

fn text_of(view: &ConfigView, applied: bool) -> String {
    if view.differences.is_empty() {
        return format!("{} is in force.\n", view.path);
    }
    let header = ["line", "key", "in force", "file"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for one in &view.differences {
        let line = if one.line == 0 {
            "-".to_owned()
        } else {
            one.line.to_string()
        };
        rows.push(vec![
            line,
            one.key.clone(),
            shown(&one.runtime),
            shown(&one.file),
        ]);
    }
    let mut text = table(&rows);
    if !view.waits_for_restart.is_empty() {
        let waits = view.waits_for_restart.join(", ");
        text.push_str(&format!("\nwaits for a restart: {waits}\n"));
    }
    if applied {
        text.push_str(&format!("\n{} is in force now.\n", view.path));
    }
    text
}
