//! Routes follow roles: the proxies are told to write only to a server that has accepted writes
//! since it became the recorded primary, so no client is sent into a closed door.

pub(crate) const NAME: &str = "routes_follow_roles";

/// Who has served.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    primary: Option<usize>,
    served: bool,
}

impl Roles {
    /// A record was stored.
    pub(crate) fn recorded(&mut self, primary: Option<usize>, writable: bool) {
        if self.primary != primary {
            self.primary = primary;
            self.served = false;
        }
        self.served |= writable;
    }

    /// A server has begun to accept writes.
    pub(crate) fn opened(&mut self, server: usize) {
        self.served |= self.primary == Some(server);
    }

    /// The proxies are told to write to a server.
    pub(crate) fn told(&self, writer: usize) -> Result<(), String> {
        if self.served && self.primary == Some(writer) {
            return Ok(());
        }
        Err(format!(
            "the proxies are told to write to db{}, which has not accepted writes in this reign",
            writer + 1
        ))
    }
}
