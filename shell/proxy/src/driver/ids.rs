//! Which connection of the driver has which id of the machine.

use mainstay_session::ConnId;

/// The machine's ids of one kind to indexes of connections. The machine's ids are dense.
#[derive(Debug, Default)]
pub(crate) struct Ids(Vec<Option<u32>>);

impl Ids {
    /// The connection of this id.
    pub(crate) fn get(&self, who: ConnId) -> Option<u32> {
        self.0.get(number(who)).copied().flatten()
    }

    /// Gives the id to a connection.
    pub(crate) fn set(&mut self, who: ConnId, index: u32) {
        let number = number(who);
        if self.0.len() <= number {
            self.0.resize(number + 1, None);
        }
        self.0[number] = Some(index);
    }

    /// Takes the id away.
    pub(crate) fn clear(&mut self, who: ConnId) {
        if let Some(entry) = self.0.get_mut(number(who)) {
            *entry = None;
        }
    }
}

fn number(who: ConnId) -> usize {
    match who {
        ConnId::Client(number) | ConnId::Server(number) => number as usize,
    }
}
