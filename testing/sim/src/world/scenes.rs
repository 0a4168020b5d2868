//! Short sequences of faults that strike where it hurts most; chance alone would need many seeds
//! to find them. Each begins a life in which everything else may happen too.

use std::time::Duration;

use mainstay_failover::Request;

use super::faults::Fault;
use super::{Happening, World};
use crate::message::End;

/// A sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// One replica receives everything and applies slowly, the other applies at once and is cut
    /// off from the primary; then the primary dies.
    Behind,
    /// Only one replica receives; it disappears, and the primary dies.
    Absent,
    /// Only one replica receives, and applies slowly; it is killed and is soon back, and the
    /// primary dies.
    Forgetful,
    /// The manager does not see the primary, and an operator asks for a failover.
    Blind,
}

/// All sequences.
pub(crate) const SCENES: [Scene; 4] =
    [Scene::Behind, Scene::Absent, Scene::Forgetful, Scene::Blind];

impl World {
    /// Plays one part of a scene and schedules the next.
    pub(super) fn play(&mut self, scene: Scene, part: usize) {
        if self.peace.is_some() || self.is_recovering() {
            return;
        }
        let Some(primary) = self.recorded_primary() else {
            return;
        };
        let count = self.servers.len();
        let (one, other) = ((primary + 1) % count, (primary + 2) % count);
        let (p, o) = (End::Server(primary), End::Server(other));
        let manager = End::Manager;
        let next = match (scene, part) {
            (Scene::Behind | Scene::Forgetful, 0) => {
                self.slow_applier(one);
                self.random.millis(50, 300)
            }
            (Scene::Behind | Scene::Forgetful, 1) | (Scene::Absent, 0) => {
                self.cut_for_a_while(&[(p, o), (o, p)], 3_000);
                self.random.millis(50, 500)
            }
            (Scene::Behind | Scene::Absent, 2) | (Scene::Forgetful, 3) => {
                return self.kill_for_a_while(primary, (2_000, 8_000));
            }
            (Scene::Absent, 1) => {
                if self.random.permille(500) {
                    self.kill_for_a_while(one, (2_000, 8_000));
                } else {
                    let server = End::Server(one);
                    self.cut_for_a_while(&[(manager, server), (server, manager)], 3_000);
                }
                self.random.millis(1, 100)
            }
            (Scene::Forgetful, 2) => {
                self.kill_for_a_while(one, (1, 30));
                self.random.millis(1, 200)
            }
            (Scene::Blind, 0) => {
                self.cut_for_a_while(&[(manager, p), (p, manager)], 3_000);
                self.random.millis(10, 1_500)
            }
            (Scene::Blind, 1) => {
                self.request(Request::Failover);
                return;
            }
            (Scene::Behind | Scene::Absent | Scene::Forgetful | Scene::Blind, _) => return,
        };
        self.after(next, Happening::Play(scene, part + 1));
    }

    fn slow_applier(&mut self, server: usize) {
        if let Some(link) = &mut self.servers[server].link {
            link.slow_ms = 200;
            self.tell(server, || "applies slowly".to_owned());
        }
        self.mend_after(3_000, Fault::Applier(server));
    }

    fn kill_for_a_while(&mut self, server: usize, ms: (u64, u64)) {
        let incarnation = self.servers[server].incarnation;
        self.crash(server);
        let pause = self.random.millis(ms.0, ms.1);
        self.after(pause, Happening::Restart(server, incarnation));
    }

    fn cut_for_a_while(&mut self, paths: &[(End, End)], at_least_ms: u64) {
        for (from, to) in paths {
            self.network.cut(*from, *to);
        }
        self.say(|| format!("network  is cut: {paths:?}"));
        self.mend_after(at_least_ms, Fault::Cut(paths.to_vec()));
    }

    fn mend_after(&mut self, at_least_ms: u64, fault: Fault) {
        self.checks.faults_that_last += 1;
        let time = self.random.millis(at_least_ms, at_least_ms * 2);
        self.after(
            time + Duration::from_millis(1),
            Happening::Mend(Box::new(fault)),
        );
    }
}
