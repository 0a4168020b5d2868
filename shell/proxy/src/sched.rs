//! The scheduling class of a worker thread.
#![allow(unsafe_code)]

use std::io;

/// Puts the calling thread into `SCHED_BATCH` (sched(7)): it no longer loses the processor to
/// each peer that its own `send` wakes, which saves up to a third of the processor time per query
/// where proxy and servers share processors.
pub(crate) fn batch() -> io::Result<()> {
    // SAFETY: `sched_param` is a plain integer struct, for which all zeroes is a valid value, and
    // SCHED_BATCH asks for priority zero.
    let param: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: thread 0 is the caller, and `param` lives for the whole call, which only reads it.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const param) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_may_always_become_a_batch_thread() {
        std::thread::spawn(|| super::batch().expect("needs no privilege"))
            .join()
            .expect("no panic");
    }
}
