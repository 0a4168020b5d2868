//! Asks the HTTP API of a running manager: the way of every subcommand but `sandbox` and `serve`.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use mainstay_dashboard::authorization;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::ClusterArgs;
use crate::output::BadInput;
use crate::runfile::{Endpoint, RunFile};

/// A manager's API.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    authorization: Option<String>,
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

    /// The same of a running process whose file may be wrong now: then the API is where a file with
    /// mistakes says, as far as that can be read.
    pub(crate) fn find_running(cluster: &ClusterArgs) -> Result<Self> {
        let Some(file) = &cluster.config else {
            return Self::find(cluster);
        };
        let text = std::fs::read_to_string(file)
            .map_err(|error| BadInput(format!("{} cannot be read: {error}", file.display())))?;
        match mainstay_settings::api_of(&text, file) {
            Some(api) => Ok(Self::new(&crate::serve::api_endpoint(&api))),
            None => Self::find(cluster),
        }
    }

    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_mins(3)))
            .build();
        let login = endpoint.user.as_deref().zip(endpoint.password.as_deref());
        Self {
            base: format!("http://{}:{}", reachable(&endpoint.host), endpoint.port),
            authorization: login.map(|(user, password)| authorization(user, password)),
            agent: config.into(),
        }
    }

    /// For a manager that cannot wait for one host.
    pub(crate) fn impatient(endpoint: &Endpoint) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(1)))
            .build();
        Self {
            agent: config.into(),
            ..Self::new(endpoint)
        }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        self.decode(request.call())
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        self.decode(request.send_json(body))
    }

    fn decode<T: DeserializeOwned>(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T> {
        let mut answer = answer.map_err(|error| {
            anyhow!(
                "the manager's API at {} does not answer ({error}); is it running?",
                self.base
            )
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
}

/// An API that listens on every address is reached on this machine's own; IPv6 needs brackets.
fn reachable(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(_) | Err(_) => host.to_owned(),
    }
}

fn configured(file: &Path) -> Result<Endpoint> {
    let roles =
        mainstay_settings::Roles::load(file).map_err(|error| BadInput(error.to_string()))?;
    Ok(crate::serve::api_endpoint(roles.api()))
}

/// A name within an address: RFC 3986, section 2.1, for everything that is not unreserved.
pub(crate) fn escape(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_addresses() {
        assert_eq!(escape("db 1&x"), "db%201%26x");
    }

    #[test]
    fn an_address_that_is_listened_on_becomes_one_that_can_be_reached() {
        assert_eq!(reachable("0.0.0.0"), "127.0.0.1");
        assert_eq!(reachable("::1"), "[::1]");
        assert_eq!(reachable("manager.example"), "manager.example");
    }
}
