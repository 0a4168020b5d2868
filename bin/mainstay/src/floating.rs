//! The floating addresses of this process, where the settings have some: from the settings to the
//! thread, and from the thread to what the API shows.

mod routes;
mod text;
mod tracks;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use mainstay_dashboard::views::{VipProblemView, VipTrackView, VipView};
use mainstay_settings::{Track, TrackSettings, VipRole, VipSettings};
use mainstay_telemetry::exposition::{Exposition, Kind};
use mainstay_vip::{Config, TrackedLink, Vip, VipError, VipHandle, VipStatus};
use mainstay_vrrp::{State, Verdict};
use tokio::task::spawn_blocking;

use crate::output::BadInput;
pub(crate) use routes::{numbers, routes};
pub(crate) use text::text_of;
use tracks::Tracks;

/// The floating addresses of this process; its clones are the same. There may be none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floating(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    handle: Mutex<Option<VipHandle>>,
    tracks: Mutex<Option<Tracks>>,
    /// The name of the manager's track of each address that has one.
    managed: Mutex<BTreeMap<String, String>>,
    /// The highest epoch in whose name an address was moved.
    epoch: Mutex<u64>,
}

/// Why an address was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    #[error("{0}")]
    Vip(#[from] VipError),
    #[error(
        "`{0}` does not follow a manager: give it a [[vip.track]] with kind = \"manager\", or let \
         its priorities decide"
    )]
    NotManaged(String),
    #[error("`{name}`: epoch {asked} is older than {known}, in whose name it was moved last")]
    Old {
        name: String,
        asked: u64,
        known: u64,
    },
    #[error("`{name}` cannot be taken here: {reason}")]
    Missing { name: String, reason: String },
}

impl Floating {
    /// Starts those of the settings. `goes_on` where another process has just handed them over.
    pub(crate) async fn begin(role: &VipRole, goes_on: bool) -> Result<Self> {
        let floating = Self::default();
        if role.vips.is_empty() {
            return Ok(floating);
        }
        let config = Config {
            goes_on,
            ..config(role)
        };
        let started = spawn_blocking(move || mainstay_vip::start(config)).await?;
        let handle = started.map_err(|error| BadInput(error.to_string()))?;
        *lock(&floating.0.tracks) = Some(Tracks::start(role, handle.clone()));
        *lock(&floating.0.handle) = Some(handle);
        *lock(&floating.0.managed) = managed(role);
        Ok(floating)
    }

    /// Puts other settings in force.
    pub(crate) async fn change(&self, before: &VipRole, after: &VipRole) {
        if before == after {
            return;
        }
        let Some(handle) = self.handle() else {
            match Self::begin(after, false).await {
                Ok(begun) => {
                    *lock(&self.0.tracks) = lock(&begun.0.tracks).take();
                    *lock(&self.0.handle) = begun.handle();
                }
                Err(error) => tracing::error!("no floating addresses: {error:#}"),
            }
            *lock(&self.0.managed) = managed(after);
            return;
        };
        *lock(&self.0.managed) = managed(after);
        if let Err(error) = handle.reload(config(after)) {
            tracing::error!("the floating addresses stay as they were: {error}");
        }
        *lock(&self.0.tracks) = Some(Tracks::start(after, handle));
    }

    /// Lets all addresses go, and ends.
    pub(crate) async fn end(&self) {
        drop(lock(&self.0.tracks).take());
        let Some(handle) = lock(&self.0.handle).take() else {
            return;
        };
        let _ = spawn_blocking(move || handle.stop()).await;
    }

    /// Ends, and leaves the addresses to the process that takes over.
    pub(crate) async fn hand_over(&self) {
        drop(lock(&self.0.tracks).take());
        let Some(handle) = lock(&self.0.handle).take() else {
            return;
        };
        let _ = spawn_blocking(move || handle.leave()).await;
    }

    /// The thread, where there are addresses.
    pub(crate) fn handle(&self) -> Option<VipHandle> {
        lock(&self.0.handle).clone()
    }

    /// What they are as of now.
    pub(crate) fn views(&self) -> Vec<VipView> {
        let status = self.handle().map(|handle| handle.status());
        let managed = lock(&self.0.managed).clone();
        let one = |vip: &VipStatus| VipView {
            manager_track: managed.get(&vip.name).cloned(),
            ..view(vip)
        };
        status.unwrap_or_default().iter().map(one).collect()
    }

    /// The manager wants the addresses here, or not here. Returns when it is done.
    pub(crate) fn wanted(&self, name: &str, here: bool, epoch: u64) -> Result<(), MoveError> {
        let handle = self.handle().ok_or(VipError::Stopped)?;
        let track = lock(&self.0.managed).get(name).cloned();
        let status = handle.status();
        if status.iter().any(|vip| vip.name == name) && track.is_none() {
            return Err(MoveError::NotManaged(name.to_owned()));
        }
        let track = track.unwrap_or_default();
        // Held while the address moves, so that two requests cannot pass each other.
        let mut known = lock(&self.0.epoch);
        if epoch < *known {
            let (name, asked, known) = (name.to_owned(), epoch, *known);
            return Err(MoveError::Old { name, asked, known });
        }
        *known = epoch;
        let verdict = Verdict {
            ok: here,
            weight: 0,
        };
        handle.set_track(name, &track, verdict)?;
        if here && handle.claim(name)? != State::Active {
            let reason = handle.status().into_iter().find(|vip| vip.name == name);
            return Err(MoveError::Missing {
                name: name.to_owned(),
                reason: reason.map(|vip| vip.reason).unwrap_or_default(),
            });
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn managed(role: &VipRole) -> BTreeMap<String, String> {
    let track = |vip: &VipSettings| {
        let track = vip
            .tracks
            .iter()
            .find(|track| track.track == Track::Manager)?;
        Some((vip.name.clone(), track.name.clone()))
    };
    role.vips.iter().filter_map(track).collect()
}

fn config(role: &VipRole) -> Config {
    let process = &role.process;
    // A path that is still right after an upgrade has replaced the file.
    let guard = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    Config {
        state: process.state.clone(),
        goes_on: false,
        guard: Some(guard),
        lease: process.lease,
        realtime_priority: process.realtime_priority,
        notify_fifo: process.notify_fifo.clone(),
        vips: role.vips.iter().map(one).collect(),
    }
}

fn one(vip: &VipSettings) -> Vip {
    let link = |track: &TrackSettings| match &track.track {
        Track::Interface { interface } => Some(TrackedLink {
            track: track.name.clone(),
            interface: interface.clone(),
            weight: track.weight,
        }),
        Track::Manager | Track::Probe { .. } => None,
    };
    Vip {
        name: vip.name.clone(),
        interface: vip.interface.clone(),
        policy: vip.policy(),
        addresses: vip
            .addresses
            .iter()
            .chain(&vip.unadvertised)
            .copied()
            .collect(),
        source: vip.source,
        accept: vip.accept,
        use_vmac: vip.use_vmac,
        group: vip.sync_group.clone(),
        notify: vip.notify.clone(),
        links: vip.tracks.iter().filter_map(link).collect(),
    }
}

fn view(vip: &VipStatus) -> VipView {
    let tracks = vip.tracks.iter().map(|(name, verdict)| VipTrackView {
        name: name.clone(),
        ok: verdict.map(|verdict| verdict.ok),
        weight: verdict.map(|verdict| verdict.weight),
    });
    let problems = vip.problems.iter().map(|(problem, count)| VipProblemView {
        problem: (*problem).to_owned(),
        count: *count,
    });
    VipView {
        name: vip.name.clone(),
        state: vip.state.name().to_lowercase(),
        reason: vip.reason.clone(),
        since_ms: u64::try_from(vip.since.as_millis()).unwrap_or(u64::MAX),
        addresses: vip.addresses.iter().map(ToString::to_string).collect(),
        interface: vip.interface.clone(),
        virtual_router_id: vip.id,
        version: vip.version.number(),
        priority: vip.priority.0,
        priority_now: vip.priority.1,
        active: vip.active.map(|(source, _)| source.to_string()),
        sync_group: vip.group.clone(),
        tracks: tracks.collect(),
        manager_track: None,
        findings: vip.findings.clone(),
        problems: problems.collect(),
        sent: vip.counters.sent,
        received: vip.counters.received,
        ignored: vip.counters.ignored,
        became_active: vip.counters.became_active,
    }
}

/// A number of one address.
type Counted = fn(&VipView) -> u64;

/// Their numbers for Prometheus.
pub(crate) fn metrics(out: &mut Exposition, vips: &[VipView]) {
    if vips.is_empty() {
        return;
    }
    let mut states = out.family(
        "mainstay_vip_state",
        Kind::Gauge,
        "1 for the state of an address.",
    );
    for vip in vips {
        states.sample(&[("vip", &vip.name), ("state", &vip.state)], 1);
    }
    let help = "The priority of a virtual router after all weights.";
    let mut priorities = out.family("mainstay_vip_priority", Kind::Gauge, help);
    for vip in vips {
        priorities.sample(&[("vip", &vip.name)], vip.priority_now);
    }
    let counters: [(&str, &str, Counted); 4] = [
        ("mainstay_vip_sent_total", "Advertisements sent.", |vip| {
            vip.sent
        }),
        (
            "mainstay_vip_received_total",
            "Advertisements believed.",
            |vip| vip.received,
        ),
        (
            "mainstay_vip_ignored_total",
            "Packets that were ignored.",
            |vip| vip.ignored,
        ),
        (
            "mainstay_vip_became_active_total",
            "Times it became Active.",
            |vip| vip.became_active,
        ),
    ];
    for (name, help, count) in counters {
        let mut family = out.family(name, Kind::Counter, help);
        for vip in vips {
            family.sample(&[("vip", &vip.name)], count(vip));
        }
    }
    let help = "What was wrong with what others do, by problem.";
    let mut problems = out.family("mainstay_vip_problems_total", Kind::Counter, help);
    for vip in vips {
        for problem in &vip.problems {
            let labels = [("vip", &*vip.name), ("problem", &*problem.problem)];
            problems.sample(&labels, problem.count);
        }
    }
}
