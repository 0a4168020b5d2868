//! What floating addresses depend on and what has to be looked at again and again: each track has a
//! task of its own, and each change of a verdict goes to the thread of the addresses.

use mainstay_health::Verdict as Seen;
use mainstay_probes::watch;
use mainstay_settings::{Track, VipRole};
use mainstay_vip::VipHandle;
use mainstay_vrrp::Verdict;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::{JoinSet, spawn_blocking};

/// Changes that wait for the thread.
const CHANGES_MAX: usize = 64;

/// The tracks that are looked at; dropped, nobody looks any more.
#[derive(Debug)]
pub(super) struct Tracks {
    _tasks: JoinSet<()>,
}

/// Which track, of which address, with which weight.
#[derive(Debug, Clone)]
struct Place {
    vip: String,
    track: String,
    weight: i16,
}

impl Tracks {
    /// Starts to look.
    pub(super) fn start(role: &VipRole, handle: VipHandle) -> Self {
        let mut tasks = JoinSet::new();
        let (tell, changes) = channel(CHANGES_MAX);
        for vip in &role.vips {
            for track in &vip.tracks {
                let Track::Probe { probe, timing } = &track.track else {
                    continue;
                };
                let place = Place {
                    vip: vip.name.clone(),
                    track: track.name.clone(),
                    weight: track.weight,
                };
                tasks.spawn(watch(place, (probe.clone(), *timing), tell.clone()));
            }
        }
        tasks.spawn(pass_on(changes, handle));
        Self { _tasks: tasks }
    }
}

async fn pass_on(mut changes: Receiver<(Place, Seen, Option<String>)>, handle: VipHandle) {
    while let Some((place, seen, reason)) = changes.recv().await {
        let Place { vip, track, weight } = place;
        let ok = seen == Seen::Up;
        if ok {
            tracing::info!(vip, track, "a track is well");
        } else {
            let reason = reason.unwrap_or_default();
            tracing::warn!(vip, track, "a track fails: {reason}");
        }
        let handle = handle.clone();
        let told = spawn_blocking(move || handle.set_track(&vip, &track, Verdict { ok, weight }));
        if let Ok(Err(error)) = told.await {
            tracing::error!(%error, "a verdict has not reached the floating addresses");
        }
    }
}
