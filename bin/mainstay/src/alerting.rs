//! Tells people of findings that stay and of operations that have ended: a task for each receiver,
//! so that none waits for another. While a receiver is slow, what comes and goes is not kept for
//! it: it is told what is so when it is ready again.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_clock::Timestamp;
use mainstay_dashboard::views::{OperationOutcome, OperationView};
use mainstay_failover::OperationId;
use mainstay_failover::alerts::{Alert, Alerts};
use mainstay_manager::{ManagerHandle, Snapshot};
use mainstay_notify::{Channel, Command, Encryption, Kind, Mail, Means, Message, Webhook, deliver};
use mainstay_settings::{AlertMeans, AlertSettings, MailEncryption, MailSettings, Settings};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::service::Service;
use crate::view;

/// Operations that a receiver has missed while it was slow, at most.
const OPERATIONS_MAX: usize = 20;

/// The tasks; they end with this.
pub(crate) struct Alerting {
    _tasks: JoinSet<()>,
}

/// Begins to tell the receivers what the manager finds and does.
pub(crate) fn begin(settings: &Settings, service: &Service) -> Alerting {
    let mut tasks = JoinSet::new();
    if let Some(manager) = service.control.manager() {
        for alert in &settings.alerts {
            let teller = Teller {
                channel: channel(alert),
                cluster: settings.cluster.name.clone(),
                manager: manager.clone(),
                alerts: Alerts::new(alert.after),
                origin: Instant::now(),
                told: manager.snapshot().last_operation,
            };
            tasks.spawn(teller.run());
        }
    }
    Alerting { _tasks: tasks }
}

/// Who tells one receiver.
struct Teller {
    channel: Channel,
    cluster: String,
    manager: ManagerHandle,
    alerts: Alerts,
    origin: Instant,
    /// The newest operation of which the receiver was told.
    told: Option<OperationId>,
}

impl Teller {
    async fn run(mut self) {
        let mut snapshots = self.manager.watch();
        loop {
            let snapshot: Arc<Snapshot> = Arc::clone(&snapshots.borrow_and_update());
            for alert in self.alerts.handle(self.now(), &snapshot.findings) {
                self.tell(self.about_alert(alert)).await;
            }
            if snapshot.last_operation > self.told {
                self.tell_operations().await;
                self.told = snapshot.last_operation;
            }
            let deadline = self.alerts.deadline();
            let due = async {
                match deadline {
                    Some(at) => sleep_until(self.origin + since_origin(at)).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                changed = snapshots.changed() => if changed.is_err() { return },
                () = due => {}
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    async fn tell_operations(&self) {
        let ended = match self.manager.operations(OPERATIONS_MAX).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "operations cannot be told: the journal cannot be read");
                return;
            }
        };
        let told = self.told.map_or(0, |id| id.0);
        for operation in ended.iter().rev().filter(|one| one.id > told) {
            self.tell(self.about_operation(&view::operation(operation)))
                .await;
        }
    }

    async fn tell(&self, message: Message) {
        if let Err(error) = deliver(&self.channel, &message).await {
            tracing::error!(%error, message = %message.title(), "an alert was not delivered");
        }
    }

    fn about_alert(&self, alert: Alert) -> Message {
        Message {
            cluster: self.cluster.clone(),
            kind: if alert.ended {
                Kind::Ended
            } else {
                Kind::Began
            },
            code: alert.code.to_owned(),
            subject: alert.subject.to_string(),
            sentence: alert.sentence,
            at_ms: unix_ms(),
        }
    }

    fn about_operation(&self, operation: &OperationView) -> Message {
        let words = operation.purpose.split(' ');
        Message {
            cluster: self.cluster.clone(),
            kind: Kind::Operation,
            code: words.take(1).collect(),
            subject: "the cluster".to_owned(),
            sentence: sentence(operation),
            at_ms: unix_ms(),
        }
    }
}

/// As in "failover from db1 to db2: done in 38 ms; ...".
fn sentence(operation: &OperationView) -> String {
    let took = operation.took_ms.unwrap_or_default();
    let mut text = match operation.outcome {
        OperationOutcome::Done => format!("{}: done in {took:.0} ms", operation.purpose),
        OperationOutcome::Failed | OperationOutcome::Running => {
            let reason = operation.failure.as_deref().unwrap_or("it was cut off");
            format!("{}: failed after {took:.0} ms: {reason}", operation.purpose)
        }
    };
    if let Some(certificate) = &operation.certificate {
        text.push_str("; ");
        text.push_str(certificate);
    }
    text
}

fn since_origin(at: Timestamp) -> Duration {
    at.since(Timestamp::ZERO)
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn channel(settings: &AlertSettings) -> Channel {
    let means = match &settings.means {
        AlertMeans::Command { program, arguments } => Means::Command(Command {
            program: program.clone(),
            arguments: arguments.clone(),
        }),
        AlertMeans::Webhook { url } => Means::Webhook(Webhook { url: url.clone() }),
        AlertMeans::Mail(mail) => Means::Mail(mail_of(mail)),
    };
    Channel {
        means,
        limit: settings.limit,
    }
}

fn mail_of(settings: &MailSettings) -> Mail {
    let account = settings.account.as_ref();
    Mail {
        server: settings.server.clone(),
        port: settings.port,
        encryption: match settings.encryption {
            MailEncryption::Off => Encryption::None,
            MailEncryption::StartTls => Encryption::StartTls,
            MailEncryption::Tls => Encryption::Tls,
        },
        account: account.map(|one| (one.user.clone(), one.password.reveal().to_owned())),
        from: settings.from.clone(),
        to: settings.to.clone(),
    }
}
