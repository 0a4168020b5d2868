//! Looks again and again, and tells when the verdict changes: what a track of an address is.

use std::time::Instant;

use mainstay_clock::Timestamp;
use mainstay_health::{Probe, Streak, Timing, Verdict};
use tokio::sync::mpsc::Sender;

use crate::look;

/// Looks until nobody listens any more. Each change is told with the key; what is down is told with
/// the reason.
pub async fn watch<K: Clone>(
    key: K,
    (probe, timing): (Probe, Timing),
    tell: Sender<(K, Verdict, Option<String>)>,
) {
    let began = Instant::now();
    let mut streak = Streak::new(timing, Timestamp::ZERO);
    loop {
        let due = began + streak.due().since(Timestamp::ZERO);
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = tell.closed() => return,
        }
        let looked = look(&probe, streak.limit()).await;
        let now = Timestamp::ZERO + began.elapsed();
        if let Some(verdict) = streak.answer(now, looked.is_ok()) {
            let reason = looked.err().map(|failure| failure.to_string());
            if tell.send((key.clone(), verdict, reason)).await.is_err() {
                return;
            }
        }
    }
}
