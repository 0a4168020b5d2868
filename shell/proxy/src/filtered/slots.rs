//! Which connections have something, by the machine's ids: those are dense.

use mainstay_session::ConnId;

/// What some connections have.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    clients: Vec<Option<Box<T>>>,
    servers: Vec<Option<Box<T>>>,
    taken: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            clients: Vec::new(),
            servers: Vec::new(),
            taken: 0,
        }
    }
}

impl<T> Slots<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    pub(crate) fn get(&mut self, who: ConnId) -> Option<&mut T> {
        let (list, at) = self.place(who);
        list.get_mut(at)?.as_deref_mut()
    }

    pub(crate) fn insert(&mut self, who: ConnId, value: T) {
        let (list, at) = self.place(who);
        if list.len() <= at {
            list.resize_with(at + 1, || None);
        }
        let before = list[at].replace(Box::new(value));
        self.taken += usize::from(before.is_none());
    }

    pub(crate) fn remove(&mut self, who: ConnId) {
        let (list, at) = self.place(who);
        let before = list.get_mut(at).and_then(Option::take);
        self.taken -= usize::from(before.is_some());
    }

    fn place(&mut self, who: ConnId) -> (&mut Vec<Option<Box<T>>>, usize) {
        match who {
            ConnId::Client(number) => (&mut self.clients, number as usize),
            ConnId::Server(number) => (&mut self.servers, number as usize),
        }
    }
}

impl<T: Default> Slots<T> {
    pub(crate) fn get_or_insert(&mut self, who: ConnId) -> &mut T {
        if self.get(who).is_none() {
            self.insert(who, T::default());
        }
        self.get(who).expect("just inserted")
    }
}
