//! One look at a server: the statements of its family's dialect, and what the answers mean.

use mainstay_mysql::{ConnectOptions, ConnectStage, Connection, Error, ResultSet};
use mainstay_topology::dialect::{self, Row};
use mainstay_topology::{Address, Facts, Outcome};

use crate::config::{Login, Timing};

/// How to reach one server.
pub(crate) fn options(address: &Address, login: &Login, timing: &Timing) -> ConnectOptions {
    let Address { host, port } = address;
    ConnectOptions::new(
        host.as_str(),
        *port,
        login.user.as_str(),
        login.password.as_str(),
    )
    .with_connect_timeout(timing.connect_limit)
}

/// Why a look gave no facts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error(transparent)]
    Server(#[from] Error),
    #[error(transparent)]
    Dialect(#[from] dialect::DialectError),
    #[error("the server's version `{0}` cannot be read")]
    Version(String),
}

/// Asks a server about itself, and about its link that is the channel of this name.
pub(crate) async fn look(connection: &mut Connection, channel: &str) -> Result<Facts, LookError> {
    let greeting = connection.server_version().to_owned();
    let version = dialect::version(&greeting).ok_or(LookError::Version(greeting))?;
    let mut answers = Vec::new();
    for statement in dialect::observe_statements(&version) {
        answers.push(rows(&connection.query(statement).await?));
    }
    for statement in dialect::more_statements(&version, &answers) {
        answers.push(rows(&connection.query(statement).await?));
    }
    Ok(dialect::facts_on(&version, &answers, channel)?)
}

fn rows(answer: &ResultSet) -> Vec<Row> {
    let row = |row: &mainstay_mysql::Row| {
        let fields = answer.columns.iter().enumerate();
        fields
            .map(|(index, name)| (name.clone(), row.get_index(index).map(str::to_owned)))
            .collect()
    };
    answer.rows.iter().map(row).collect()
}

impl From<&LookError> for Outcome {
    fn from(error: &LookError) -> Self {
        match error {
            LookError::Server(error) => outcome(error),
            LookError::Dialect(_) | LookError::Version(_) => Self::Failed {
                code: 0,
                message: error.to_string(),
            },
        }
    }
}

/// What a failed connection or query says about the server.
pub(crate) fn outcome(error: &Error) -> Outcome {
    if error.is_refused() {
        return Outcome::Refused;
    }
    if error.is_timeout() {
        return match error.connect_stage() {
            Some(ConnectStage::Tcp) => Outcome::NoConnection,
            Some(ConnectStage::Greeting | ConnectStage::Auth) | None => Outcome::Silent,
        };
    }
    if error.is_closed() {
        return Outcome::Lost;
    }
    match error {
        Error::Server { code, .. } if TOO_MANY.contains(code) => Outcome::TooManyConnections,
        Error::Server { code, .. } if DENIED.contains(code) => {
            Outcome::AccessDenied { code: *code }
        }
        Error::Server { code, message, .. } => Outcome::Failed {
            code: *code,
            message: message.clone(),
        },
        // No route, no such name: nothing was heard of the server itself.
        Error::Connect { .. } => Outcome::NoConnection,
        other => Outcome::Failed {
            code: 0,
            message: other.to_string(),
        },
    }
}

/// `ER_CON_COUNT_ERROR`, `ER_TOO_MANY_USER_CONNECTIONS`, `ER_USER_LIMIT_REACHED`.
const TOO_MANY: [u16; 3] = [1040, 1203, 1226];

/// Bad password, no right, host not allowed or blocked, expired password, locked account, offline
/// mode, and a plugin that is not there: alive, with no way in.
const DENIED: [u16; 12] = [
    1044, 1045, 1129, 1130, 1227, 1251, 1524, 1820, 1862, 3032, 3118, 4151,
];

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    fn connect(kind: io::ErrorKind) -> Error {
        Error::Connect {
            address: "127.0.0.1:3306".to_owned(),
            stage: ConnectStage::Tcp,
            source: kind.into(),
        }
    }

    fn late(stage: ConnectStage) -> Error {
        Error::ConnectTimeout {
            address: "127.0.0.1:3306".to_owned(),
            stage,
            after: Duration::from_millis(700),
        }
    }

    fn server(code: u16) -> Error {
        Error::Server {
            code,
            sqlstate: "HY000".to_owned(),
            message: "no".to_owned(),
        }
    }

    #[test]
    fn each_way_of_not_answering_is_told_apart() {
        let silent = Error::Timeout {
            what: "SELECT".to_owned(),
            after: Duration::from_millis(700),
        };
        assert_eq!(
            outcome(&connect(io::ErrorKind::ConnectionRefused)),
            Outcome::Refused
        );
        assert_eq!(
            outcome(&connect(io::ErrorKind::ConnectionReset)),
            Outcome::Lost
        );
        assert_eq!(
            outcome(&connect(io::ErrorKind::HostUnreachable)),
            Outcome::NoConnection
        );
        assert_eq!(outcome(&Error::Closed), Outcome::Lost);
        assert_eq!(outcome(&late(ConnectStage::Tcp)), Outcome::NoConnection);
        assert_eq!(outcome(&late(ConnectStage::Greeting)), Outcome::Silent);
        assert_eq!(outcome(&late(ConnectStage::Auth)), Outcome::Silent);
        assert_eq!(outcome(&silent), Outcome::Silent);
    }

    #[test]
    fn a_server_that_answers_with_an_error_is_alive() {
        assert_eq!(outcome(&server(1040)), Outcome::TooManyConnections);
        assert_eq!(outcome(&server(1045)), Outcome::AccessDenied { code: 1045 });
        assert_eq!(outcome(&server(3032)), Outcome::AccessDenied { code: 3032 });
        let failed = Outcome::Failed {
            code: 1146,
            message: "no".to_owned(),
        };
        assert_eq!(outcome(&server(1146)), failed);
    }
}
