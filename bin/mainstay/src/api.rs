//! Asks the HTTP API of a running manager. Every subcommand but `sandbox` and `serve` goes this way.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::ClusterArgs;
use crate::output::BadInput;
use crate::runfile::{Endpoint, RunFile};

/// A manager's API.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    agent: ureq::Agent,
}

impl Api {
    /// The API of the cluster that the arguments name.
    pub(crate) fn find(cluster: &ClusterArgs) -> Result<Self> {
        let endpoint = match &cluster.config {
            Some(file) => configured(file)?,
            None => RunFile::find(cluster.dir.as_deref())?.api,
        };
        Ok(Self::new(&endpoint))
    }

    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let login = match (&endpoint.user, &endpoint.password) {
            (Some(user), Some(password)) => format!("{user}:{password}@"),
            _ => String::new(),
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_mins(3)))
            .build();
        Self {
            base: format!("http://{login}{}:{}", endpoint.host, endpoint.port),
            agent: config.into(),
        }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.agent.get(format!("{}{path}", self.base)).call();
        decode(answer)
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self
            .agent
            .post(format!("{}{path}", self.base))
            .send_json(body);
        decode(answer)
    }
}

fn configured(file: &Path) -> Result<Endpoint> {
    let settings =
        mainstay_settings::Settings::load(file).map_err(|error| BadInput(error.to_string()))?;
    Ok(crate::serve::api_endpoint(&settings.api))
}

fn decode<T: DeserializeOwned>(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<T> {
    // The address is left out of the message: it carries the password.
    let mut answer = answer.map_err(|error| {
        anyhow!("the manager's API does not answer ({error}); is the sandbox still running?")
    })?;
    if answer.status().is_success() {
        return answer
            .body_mut()
            .read_json()
            .context("the manager's answer cannot be read");
    }
    let status = answer.status();
    let body: serde_json::Value = answer.body_mut().read_json().unwrap_or_default();
    match body["error"].as_str() {
        Some(sentence) => bail!("{sentence}"),
        None => bail!("the manager's API answered {status}"),
    }
}
