//! What can be looked at. How it is looked at is in the shell.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Role;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A TCP connection can be made. Says nothing of what is behind it.
    Tcp {
        /// Where.
        address: SocketAddr,
    },
    /// A server takes a login and answers a query.
    MySql(MySqlProbe),
    /// An HTTP server answers as it should.
    Http(HttpProbe),
    /// A command ends with 0.
    Script(Script),
    /// So many processes of this name run.
    Process {
        /// As `/proc/PID/comm` has it: at most 15 characters count.
        name: String,
        /// At least so many.
        least: usize,
    },
    /// This host steps down while the file is there, as far as its number says.
    File {
        /// Where.
        path: PathBuf,
    },
    /// There is a route in the main table.
    Route {
        /// `default`, or a network as `ip route` writes it, such as `10.0.0.0/8`.
        destination: String,
    },
}

/// Who logs in. Its `Debug` never shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// User.
    pub user: String,
    /// Clear password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Login");
        shown.field("user", &self.user).finish_non_exhaustive()
    }
}

/// A look at a MySQL or MariaDB server, or at a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MySqlProbe {
    /// Where.
    pub address: SocketAddr,
    /// As whom.
    pub login: Login,
    /// What it must answer without an error.
    pub query: String,
    /// What it must be.
    pub role: Role,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// Where.
    pub address: SocketAddr,
    /// The `Host` of the request; the address when there is none.
    pub host: Option<String>,
    /// What is asked for.
    pub path: String,
    /// Statuses that are right; empty for 200 to 299.
    pub statuses: Vec<u16>,
    /// What the body must contain.
    pub contains: Option<String>,
}

/// A command of the operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// As whom it runs; the user of this process when there is none.
    pub user: Option<String>,
    /// Exit codes 2 to 255 pass too, and set the weight to the code less 2.
    pub sets_weight: bool,
}

impl Probe {
    /// What is looked at, for logs: never a password, never the arguments of a command.
    pub fn subject(&self) -> String {
        match self {
            Self::Tcp { address } => format!("a connection to {address}"),
            Self::MySql(probe) => format!("the server at {}", probe.address),
            Self::Http(probe) => format!("http://{}{}", probe.address, probe.path),
            Self::Script(script) => {
                let program = script.command.first().map_or("nothing", String::as_str);
                format!("the command {program}")
            }
            Self::Process { name, .. } => format!("the process {name}"),
            Self::File { path } => format!("the file {}", path.display()),
            Self::Route { destination } => format!("the route to {destination}"),
        }
    }
}

#[test]
fn a_probe_never_shows_a_password_or_arguments() {
    let probe = Probe::MySql(MySqlProbe {
        address: ([192, 0, 2, 1], 3306).into(),
        login: Login {
            user: "watch".to_owned(),
            password: "s3cret".to_owned(),
        },
        query: "SELECT 1".to_owned(),
        role: Role::Any,
    });
    assert!(!format!("{probe:?}").contains("s3cret"));
    assert_eq!(probe.subject(), "the server at 192.0.2.1:3306");
    let script = Probe::Script(Script {
        command: vec!["/bin/look".to_owned(), "--password=s3cret".to_owned()],
        user: None,
        sets_weight: false,
    });
    assert_eq!(script.subject(), "the command /bin/look");
}
