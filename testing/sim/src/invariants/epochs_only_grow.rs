//! Epochs only grow: in the store, in what the manager publishes (over all its lives), and at each
//! proxy.

use mainstay_topology::{Epoch, Routes};

pub(crate) const NAME: &str = "epochs_only_grow";

/// The newest routes that were published.
#[derive(Debug, Default)]
pub(crate) struct Published((Epoch, u64));

impl Published {
    pub(crate) fn published(&mut self, routes: &Routes) -> Result<(), String> {
        let now = (routes.epoch, routes.version);
        if now <= self.0 {
            return Err(format!(
                "routes {}.{} were published after {}.{}",
                now.0, now.1, self.0.0, self.0.1
            ));
        }
        self.0 = now;
        Ok(())
    }
}

/// A proxy takes routes.
pub(crate) fn proxy(present: Option<&Routes>, routes: &Routes) -> Result<(), String> {
    match present.filter(|present| present.epoch > routes.epoch) {
        None => Ok(()),
        Some(present) => Err(format!(
            "a proxy of epoch {} took routes of {}",
            present.epoch, routes.epoch
        )),
    }
}
