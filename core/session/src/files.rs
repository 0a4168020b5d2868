//! `LOAD DATA LOCAL`: the file of a client on its way to the server, never held whole.
//!
//! A server may ask for any file that the client can read, so it is believed only when the client
//! itself has just sent a `LOAD DATA LOCAL`.

use mainstay_sql::Flags;

use crate::core::Core;
use crate::session::{Job, Running, Session};
use crate::stream::Stream;

impl Core {
    /// True when the running command of the client may lead to a request for a file.
    pub(crate) fn may_send_file(&self, client: u32) -> bool {
        let running = self.clients.get(client).and_then(Session::running);
        self.policy.local_infile && running.is_some_and(Running::loads_file)
    }

    /// The server has asked for the file, and the client was told.
    pub(crate) fn begin_file(&mut self, client: u32) {
        if let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) {
            running.stream = Some(Stream::file());
            self.ready.push_back(client);
        }
    }
}

impl Running {
    fn loads_file(&self) -> bool {
        let text = matches!(self.job, Job::Query(_));
        text && self.stream.is_none() && self.job.has(Flags::LOCAL_FILE)
    }
}
