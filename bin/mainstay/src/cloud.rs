//! Addresses that a cloud moves by its API: each is told where it belongs, by a program or a
//! webhook, again and again until one call succeeds; the newest word is the only one that counts.

use std::time::Duration;

use mainstay_health::Script;
use mainstay_probes::run_script;
use mainstay_settings::{CloudFollows, CloudMeans, CloudSettings};
use serde_json::json;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::control::Control;
use crate::floating::Floating;

/// How old the word may be: next to nothing beside a call of an API.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Retries come no rarer.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// All of this process; dropped, nothing is told any more.
#[derive(Debug)]
pub(crate) struct Clouds {
    _tasks: JoinSet<()>,
}

/// Where an address belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    epoch: u64,
    /// How often this host has become Active for the address: while a call was under way it may
    /// have lost it, another host told the cloud, and this one won it back.
    turn: u64,
    server: String,
    host: String,
    port: u16,
}

/// Who says where.
#[derive(Clone)]
enum Source {
    Primary(Control),
    Vip(Floating, String),
}

impl Clouds {
    /// Starts them. Without a control nothing follows the primary; settings without one ask for
    /// nothing like it.
    pub(crate) fn start(
        settings: &[CloudSettings],
        control: Option<&Control>,
        floating: &Floating,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for one in settings {
            let source = match (&one.follows, control) {
                (CloudFollows::Primary, Some(control)) => Source::Primary(control.clone()),
                (CloudFollows::Primary, None) => continue,
                (CloudFollows::Vip(name), _) => Source::Vip(floating.clone(), name.clone()),
            };
            tasks.spawn(follow(one.clone(), source));
        }
        Self { _tasks: tasks }
    }
}

impl Source {
    /// `None` while nobody is to have it.
    fn place(&self) -> Option<Place> {
        match self {
            Self::Primary(control) => {
                let routes = control.routes()?;
                let writer = routes.writer?;
                Some(Place {
                    epoch: routes.epoch.0,
                    turn: 0,
                    server: writer.name.as_str().to_owned(),
                    host: writer.address.host,
                    port: writer.address.port,
                })
            }
            Self::Vip(floating, name) => {
                let views = floating.views();
                let active = views
                    .iter()
                    .find(|vip| vip.name == *name && vip.state == "active")?;
                Some(Place {
                    epoch: 0,
                    turn: active.became_active,
                    server: this_host(),
                    host: this_host(),
                    port: 0,
                })
            }
        }
    }

    /// Whether the address may have gone elsewhere while this host was not to have it.
    fn forgets(&self) -> bool {
        matches!(self, Self::Vip(..))
    }
}

fn this_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

async fn follow(settings: CloudSettings, source: Source) {
    let mut look = interval(LOOK_INTERVAL);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done: Option<Place> = None;
    let mut failed: Option<(Place, u32, Instant)> = None;
    loop {
        look.tick().await;
        let Some(place) = source.place() else {
            if source.forgets() {
                done = None;
            }
            continue;
        };
        if done.as_ref() == Some(&place) {
            continue;
        }
        let before = failed.take().filter(|(other, ..)| *other == place);
        let attempt = before.as_ref().map_or(1, |(_, attempt, _)| attempt + 1);
        if let Some((other, attempt, next)) = before
            && Instant::now() < next
        {
            failed = Some((other, attempt, next));
            continue;
        }
        let (name, server) = (&settings.name, &place.server);
        match tell(&settings, &place, attempt).await {
            Ok(()) => {
                tracing::info!(
                    name,
                    server,
                    epoch = place.epoch,
                    "the cloud has moved an address"
                );
                done = Some(place);
            }
            Err(reason) => {
                let pause = pause(settings.retry_interval, attempt);
                tracing::error!(
                    name,
                    server,
                    attempt,
                    "the cloud moves no address: {reason}"
                );
                failed = Some((place, attempt, Instant::now() + pause));
            }
        }
    }
}

/// Twice as long after each failure.
fn pause(first: Duration, attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1).min(16));
    first.saturating_mul(doubled).min(PAUSE_MAX.max(first))
}

async fn tell(settings: &CloudSettings, place: &Place, attempt: u32) -> Result<(), String> {
    match &settings.means {
        CloudMeans::Command(command) => {
            let script = Script {
                command: command.clone(),
                user: None,
                sets_weight: false,
            };
            let variables = [
                ("MAINSTAY_NAME", settings.name.clone()),
                ("MAINSTAY_ADDRESS", settings.address.clone()),
                ("MAINSTAY_EPOCH", place.epoch.to_string()),
                ("MAINSTAY_SERVER", place.server.clone()),
                ("MAINSTAY_HOST", place.host.clone()),
                ("MAINSTAY_PORT", place.port.to_string()),
                ("MAINSTAY_ATTEMPT", attempt.to_string()),
            ];
            let told = run_script(&script, &variables, settings.limit).await;
            told.map_err(|failure| failure.to_string())
        }
        CloudMeans::Webhook(url) => {
            let body = json!({
                "name": settings.name,
                "address": settings.address,
                "epoch": place.epoch,
                "server": place.server,
                "host": place.host,
                "port": place.port,
                "attempt": attempt,
            });
            let (url, limit) = (url.clone(), settings.limit);
            let posted = spawn_blocking(move || {
                let config = ureq::Agent::config_builder().timeout_global(Some(limit));
                let agent: ureq::Agent = config.build().into();
                agent.post(&url).send_json(body).map(drop)
            });
            match posted.await {
                Ok(Ok(())) => Ok(()),
                // The address of a webhook often is a secret.
                Ok(Err(ureq::Error::StatusCode(code))) => Err(format!("it answered {code}")),
                Ok(Err(_)) => Err("no answer from the webhook".to_owned()),
                Err(_) => Err("mainstay is stopping".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn retries_come_rarer_up_to_a_minute() {
        let first = Duration::from_secs(2);
        let pauses = [1, 2, 3, 40].map(|attempt| pause(first, attempt).as_secs());
        assert_eq!(pauses, [2, 4, 8, 60]);
        assert_eq!(pause(Duration::from_mins(2), 5), Duration::from_mins(2));
    }

    #[test]
    fn the_examples_are_shell_that_can_be_read() {
        let root = env!("CARGO_MANIFEST_DIR");
        let folder = std::fs::read_dir(format!("{root}/../../examples/cloud"));
        let files = folder
            .expect("it is there")
            .map(|file| file.expect("a file").path());
        let scripts: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "sh"))
            .collect();
        assert!(!scripts.is_empty());
        for script in &scripts {
            for shell in ["sh", "bash"] {
                let read = Command::new(shell).arg("-n").arg(script).output();
                let read = read.expect("there is a shell");
                let said = String::from_utf8_lossy(&read.stderr);
                assert!(read.status.success(), "{shell}: {said}");
            }
        }
    }

    #[tokio::test]
    async fn a_program_is_told_everything_in_its_environment() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("told");
        let text = "test \"$MAINSTAY_SERVER:$MAINSTAY_HOST:$MAINSTAY_PORT:$MAINSTAY_ADDRESS:\
                    $MAINSTAY_EPOCH:$MAINSTAY_ATTEMPT\" = db2:10.0.0.2:3306:10.0.0.100:7:3 \
                    && touch \"$0\"";
        let path = file.to_str().expect("a path of text");
        let command = ["/bin/sh", "-c", text, path].map(str::to_owned).to_vec();
        let settings = CloudSettings {
            name: "writer".to_owned(),
            address: "10.0.0.100".to_owned(),
            follows: CloudFollows::Primary,
            means: CloudMeans::Command(command),
            limit: Duration::from_secs(20),
            retry_interval: Duration::from_secs(1),
        };
        let place = Place {
            epoch: 7,
            turn: 0,
            server: "db2".to_owned(),
            host: "10.0.0.2".to_owned(),
            port: 3306,
        };
        assert_eq!(tell(&settings, &place, 3).await, Ok(()));
        assert!(file.exists());
        let other = tell(&settings, &place, 4).await;
        assert_eq!(other, Err("exit code 1".to_owned()));
    }
}
