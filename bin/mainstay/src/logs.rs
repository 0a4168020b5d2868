//! The query log, the slow log and the audit log: which files there are, and what a line of each
//! says. Lines are JSON objects with the keys of ProxySQL's logs, and more. How files are written
//! is left to `telemetry`, what is recorded to the policy of the proxy.

mod line;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use line::AdminRecord;
use mainstay_admin::Event;
use mainstay_clock::Timestamp;
use mainstay_proxy::{LogReport, Recorder};
use mainstay_session::records::Record;
use mainstay_settings::LogSettings;
use mainstay_telemetry::{LogFile, LogStats, LogWriter};

/// Something for a line, and the wall time of it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Since 1970.
    at: Duration,
    what: What,
}

#[derive(Debug)]
enum What {
    Proxy(Record),
    Admin(AdminRecord),
}

/// The logs of a process; their files change with its settings.
#[derive(Debug, Default)]
pub(crate) struct Logs(RwLock<Files>);

#[derive(Debug, Default)]
struct Files {
    settings: Option<LogSettings>,
    queries: Option<LogWriter<Arc<Entry>>>,
    slow: Option<LogWriter<Arc<Entry>>>,
    audit: Option<LogWriter<Arc<Entry>>>,
}

impl Logs {
    /// Opens the files of the settings. Where that fails everything stays as it was.
    pub(crate) fn open(&self, settings: &LogSettings) -> Result<()> {
        let same = |files: &Files| files.settings.as_ref() == Some(settings);
        if same(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let start = |path: Option<&std::path::PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            let file = LogFile {
                path: path.clone(),
                bytes_max: settings.file_bytes_max as u64,
                kept: settings.files_kept,
            };
            let writer = LogWriter::start(file, line::put);
            let writer = writer.with_context(|| format!("[logs]: cannot open {}", path.display()));
            writer.map(Some)
        };
        let files = Files {
            queries: start(settings.queries.as_ref())?,
            slow: start(settings.slow.as_ref())?,
            audit: start(settings.audit.as_ref())?,
            settings: Some(settings.clone()),
        };
        let before = std::mem::replace(
            &mut *self.0.write().unwrap_or_else(PoisonError::into_inner),
            files,
        );
        // Closing them waits for what is still to be written, and nobody else must.
        drop(before);
        Ok(())
    }

    /// Notes what somebody did at the admin interface; never waits.
    pub(crate) fn admin(&self, event: &Event<'_>) {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(audit) = &files.audit {
            let entry = Entry {
                at: since_1970(),
                what: What::Admin(AdminRecord::of(event)),
            };
            audit.write(Arc::new(entry));
        }
    }
}

impl Files {
    fn all(&self) -> impl Iterator<Item = (&'static str, &LogWriter<Arc<Entry>>)> {
        let all = [
            ("queries", &self.queries),
            ("slow", &self.slow),
            ("audit", &self.audit),
        ];
        let open = all.into_iter();
        open.filter_map(|(name, writer)| Some((name, writer.as_ref()?)))
    }
}

impl Recorder for Logs {
    fn take(&self, now: Timestamp, records: Vec<Record>) {
        // Held for a moment by those who change the settings, and by nobody else for writing.
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let clock = since_1970();
        for record in records {
            let (at, wanted) = match &record {
                Record::Statement(one) => {
                    let queries = files.queries.as_ref().filter(|_| one.logged);
                    (
                        one.ended,
                        [queries, files.slow.as_ref().filter(|_| one.slow)],
                    )
                }
                Record::Client(one) => (one.at, [files.audit.as_ref(), None]),
            };
            let entry = Arc::new(Entry {
                at: clock.saturating_sub(now.since(at)),
                what: What::Proxy(record),
            });
            for writer in wanted.into_iter().flatten() {
                writer.write(Arc::clone(&entry));
            }
        }
    }

    fn rotate(&self) {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (_, writer) in files.all() {
            writer.rotate();
        }
    }

    fn report(&self) -> Vec<LogReport> {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let report = |(name, writer): (&'static str, &LogWriter<_>)| {
            let LogStats { written, dropped } = writer.stats();
            LogReport {
                name,
                written,
                dropped,
            }
        };
        files.all().map(report).collect()
    }
}

fn since_1970() -> Duration {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    clock.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mainstay_session::records::{ClientEvent, ClientRecord};

    use super::*;

    fn settings(folder: &std::path::Path) -> LogSettings {
        LogSettings {
            queries: None,
            all_queries: false,
            slow: None,
            slow_after: Duration::from_secs(1),
            audit: Some(folder.join("audit.log")),
            file_bytes_max: 1 << 20,
            files_kept: 1,
            text_bytes_max: 1 << 10,
        }
    }

    fn login() -> Record {
        Record::Client(Box::new(ClientRecord {
            event: ClientEvent::Refused,
            at: Timestamp::from_millis(5),
            session: 7,
            user: "app".to_owned(),
            client: "10.0.0.7".to_owned(),
            schema: "shop".to_owned(),
            secure: true,
            lasted: Duration::from_millis(3),
            error: Some("1045: no".to_owned()),
        }))
    }

    #[test]
    fn a_record_goes_to_the_log_that_wants_it_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = Logs::default();
        logs.take(Timestamp::from_millis(5), vec![login()]);
        logs.open(&settings(folder.path())).expect("opens");
        logs.take(Timestamp::from_millis(5), vec![login()]);
        drop(logs);
        let text = fs::read_to_string(folder.path().join("audit.log")).expect("a file");
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["event"], "MySQL_Client_Connect_ERR");
        assert_eq!(line["username"], "app");
        assert_eq!(line["extra_info"], "1045: no");
    }

    #[test]
    fn statements_of_the_admin_interface_are_in_the_audit_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = Logs::default();
        logs.open(&settings(folder.path())).expect("opens");
        logs.admin(&Event {
            what: mainstay_admin::Happened::Statement,
            user: "admin",
            address: "127.0.0.1",
            statement: "LOAD MYSQL USERS TO RUNTIME",
        });
        drop(logs);
        let text = fs::read_to_string(folder.path().join("audit.log")).expect("a file");
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["event"], "Admin_Statement");
        assert_eq!(line["query"], "LOAD MYSQL USERS TO RUNTIME");
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_named() {
        let settings = settings(std::path::Path::new("/nonexistent"));
        let error = Logs::default().open(&settings).expect_err("no folder");
        assert!(format!("{error:#}").contains("/nonexistent/audit.log"));
    }
}
