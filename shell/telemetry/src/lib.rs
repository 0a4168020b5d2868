//! Logs on standard error and in files, and the text of metrics. What is said on standard error is
//! one line for people on a terminal, one JSON object a line otherwise.
//!
//! What is logged is decided where it happens; how much of it is shown by the filter of the
//! environment variable `MAINSTAY_LOG` (`info`, `debug`, `mainstay_manager=debug,info`).

pub mod exposition;
mod json;
mod lines;
mod time;

pub use lines::{LogFile, LogStats, LogWriter};
pub use time::rfc3339;

use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Names the filter.
pub const FILTER_VARIABLE: &str = "MAINSTAY_LOG";

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// People's on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One line for people.
    Human,
    /// One JSON object a line.
    Json,
}

impl FromStr for Format {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            other => Err(TelemetryError::Format(other.to_owned())),
        }
    }
}

/// Why logs cannot be set up as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// No such format.
    #[error("`{0}` is no format of logs; expected `auto`, `human` or `json`")]
    Format(String),
    /// No such level, or a filter that cannot be read.
    #[error(
        "`{0}` is no filter of logs; expected a level (`error`, `warn`, `info`, `debug`, `trace`) \
         or a list such as `mainstay_manager=debug,info`"
    )]
    Filter(String),
}

/// Sends the logs of this process to standard error. The environment's filter wins over `level`.
/// Called again it changes nothing, so that a test may call it.
pub fn init(format: Format, level: &str) -> Result<(), TelemetryError> {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::builder()
        .parse(&wanted)
        .map_err(|_| TelemetryError::Filter(wanted))?;
    let human = match format {
        Format::Auto => io::stderr().is_terminal(),
        Format::Human => true,
        Format::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    // An error here means that a subscriber is set already.
    let _ = if human {
        let layer = fmt::layer()
            .with_writer(io::stderr)
            .with_timer(time::Utc)
            .with_ansi(io::stderr().is_terminal())
            .with_target(false);
        registry.with(layer).try_init()
    } else {
        registry.with(json::Lines).try_init()
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_call_changes_nothing() {
        assert_eq!(init(Format::Json, "info"), Ok(()));
        assert_eq!(init(Format::Human, "warn"), Ok(()));
    }

    #[test]
    fn a_bad_filter_is_named() {
        let error = init(Format::Auto, "mainstay=loud=very").unwrap_err();
        assert!(error.to_string().contains("`mainstay=loud=very`"));
    }

    #[test]
    fn formats_are_read_by_name() {
        assert_eq!("json".parse(), Ok(Format::Json));
        assert!("yaml".parse::<Format>().is_err());
    }
}
