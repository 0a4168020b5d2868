//! What `mainstay status --json` says.

use std::fmt;

use serde_json::Value;

use crate::program::Finished;
use crate::wait::wait_for;

/// The object that it prints.
#[derive(Debug, Clone)]
pub struct Status(pub Value);

impl Status {
    /// The present reign.
    pub fn epoch(&self) -> u64 {
        self.0["epoch"].as_u64().expect("an epoch is a number")
    }

    /// The name of the primary on record.
    pub fn primary(&self) -> Option<&str> {
        self.0["primary"].as_str()
    }

    /// The names of the servers that have the role.
    pub fn named(&self, role: &str) -> Vec<String> {
        let with_role = self
            .servers()
            .iter()
            .filter(|server| server["role"] == role);
        with_role
            .filter_map(|server| server["name"].as_str().map(str::to_owned))
            .collect()
    }

    /// Everything that is said of one server.
    pub fn server(&self, name: &str) -> &Value {
        let found = self.servers().iter().find(|server| server["name"] == name);
        found.unwrap_or_else(|| panic!("no server {name} in {self}"))
    }

    /// Every server.
    pub fn servers(&self) -> &[Value] {
        self.0["servers"].as_array().expect("servers are a list")
    }

    /// A primary takes writes, every other server replicates from it, and nothing is under way.
    pub fn is_whole(&self) -> bool {
        let Some(primary) = self.primary() else {
            return false;
        };
        let source = &self.server(primary)["address"];
        let replicates = |server: &Value| {
            server["role"] == "replica"
                && server["receiver"] == "running"
                && server["applier"] == "running"
                && server["source"] == *source
                && server["read_only"] == true
        };
        let works = |server: &Value| {
            server["reachability"] == "reachable"
                && if server["name"] == primary {
                    server["writer"] == true && server["role"] == "primary"
                } else {
                    replicates(server)
                }
        };
        self.0["writes_held"] == false
            && self.0["operation"].is_null()
            && self.servers().iter().all(works)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// Asks for the status (`status --json`) until it is as it should be.
#[track_caller]
pub fn wait_for_status(
    what: &str,
    ask: impl Fn(&[&str]) -> Finished,
    mut holds: impl FnMut(&Status) -> bool,
) -> Status {
    wait_for(what, || {
        let answer = ask(&["status", "--json"]);
        if answer.code != Some(0) {
            return Err(answer.to_string());
        }
        let status = Status(answer.json());
        if holds(&status) {
            Ok(status)
        } else {
            Err(format!("the status is {status}"))
        }
    })
}
