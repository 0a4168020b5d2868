//! Waiting for a state. The limits are generous: they end a test that hangs, and measure nothing.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take that is not about to hang.
pub const LIMIT: Duration = Duration::from_mins(1);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks again and again until there is an answer. `Err` says what is still wrong, for the message
/// of the failure.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(wrong) if began.elapsed() > LIMIT => {
                panic!("waited {} s for {what}; {wrong}", LIMIT.as_secs())
            }
            Err(_) => sleep(PAUSE),
        }
    }
}

/// The same for a plain question.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || {
        if holds() {
            Ok(())
        } else {
            Err("it has not happened".to_owned())
        }
    });
}
