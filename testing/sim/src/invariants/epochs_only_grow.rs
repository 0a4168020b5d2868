//! Epochs only grow: in the store, in what the manager publishes (over all its lives), and at each
//! proxy.

use mainstay_topology::{Routes, ServerName};

pub(crate) const NAME: &str = "epochs_only_grow";

/// The newest routes that were published.
#[derive(Debug, Default)]
pub(crate) struct Published(Routes);

impl Published {
    pub(crate) fn published(&mut self, routes: &Routes) -> Result<(), String> {
        let last = &self.0;
        if !routes.is_newer_than(last) {
            return Err(format!(
                "routes {}.{} were published after {}.{}",
                routes.epoch, routes.version, last.epoch, last.version
            ));
        }
        self.0 = routes.clone();
        Ok(())
    }

    /// The newest routes.
    pub(crate) fn newest(&self) -> &Routes {
        &self.0
    }

    /// Whom the newest routes name as the writer.
    pub(crate) fn writer(&self) -> Option<&ServerName> {
        self.0.writer.as_ref().map(|target| &target.name)
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
