//! Users who are in no settings, where these let them pass through: their servers judge. The
//! client is asked for its password, as in `full_login`; one login at a server with it decides,
//! and what was right is kept for the next logins and for connections to servers, for a while.
//!
//! ```text
//! password ─▶ Asking ─┬─ a server lets it in ──▶ admitted
//!             ▲   │   └─ a server refuses ─────▶ Denied ─ after a delay ─▶ the server's error
//!             └───┘ no server is reached: asked again, until the login's time is over
//! ```
//! * Nothing but a login by password at a server's network address admits: the peer credentials
//!   of a local socket would be those of the proxy.
//! * An account of the manager passes never: fences spare its connections.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::ServerName;
use mainstay_wire::auth::same;
use mainstay_wire::{ErrPacket, ErrorCode, HandshakeResponse};

use crate::client_login::{Login, LoginStage};
use crate::core::Core;
use crate::counts::Count;
use crate::note::Asker;
use crate::offer::SHAPE;
use crate::op::{ConnId, Ops};
use crate::opening::PASSING;
use crate::policy::Secret;
use crate::session::{Key, Phase, Session};

/// Logins at servers for this at the same time, of one worker: guessing must not fill a server.
const UNDER_WAY_MAX: usize = 16;
/// Until servers are tried again when none could be reached.
const RETRY: Duration = Duration::from_millis(250);
/// What the first wrong password of a host costs; each further one twice as much.
const DELAY: Duration = Duration::from_millis(100);
/// Below what clients wait for a login.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// How often it is looked for what need not be kept any more.
const LOOK: Duration = Duration::from_mins(1);

/// What is known of these users.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    known: BTreeMap<String, Guest>,
    /// Clients whose passwords are to be checked, in order.
    waiting: VecDeque<Asker>,
    under_way: usize,
    look_at: Option<Timestamp>,
}

/// A user who was let in by a server.
#[derive(Debug)]
struct Guest {
    password: Secret,
    /// A login after that is checked by a server again.
    until: Timestamp,
}

/// A login that a server is to decide.
#[derive(Debug)]
pub(crate) struct Asking {
    hello: Box<HandshakeResponse>,
    password: Secret,
    /// Servers that were not reached.
    tried: Vec<ServerName>,
    /// None is to be tried before.
    again_at: Option<Timestamp>,
    /// Of the answer to the client.
    sequence: u8,
}

/// A login that a server has refused.
#[derive(Debug)]
pub(crate) struct Denied {
    error: ErrPacket,
    sequence: u8,
    at: Timestamp,
}

impl Guests {
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.look_at
    }

    pub(crate) fn password(&self, user: &str) -> Option<&Secret> {
        self.known.get(user).map(|guest| &guest.password)
    }

    /// From now on a server has to say again who they are.
    pub(crate) fn doubt(&mut self) {
        for guest in self.known.values_mut() {
            guest.until = Timestamp::ZERO;
        }
    }

    /// The same of one user, whom a server has just refused.
    pub(crate) fn doubt_user(&mut self, user: &str) {
        if let Some(guest) = self.known.get_mut(user) {
            guest.until = Timestamp::ZERO;
        }
    }
}

impl Core {
    /// Whether servers judge this user.
    pub(crate) fn passes(&self, user: &str) -> bool {
        let pass = self.policy.pass_through.as_ref();
        pass.is_some_and(|pass| !pass.never.contains(user) && !user.is_empty())
            && !self.policy.users.contains_key(user)
    }

    /// The password of such a user by which a client may prove itself without a server.
    pub(crate) fn guest_password(&self, user: &str) -> Option<&Secret> {
        let guest = self.guests.known.get(user)?;
        (self.passes(user) && guest.until > self.now).then_some(&guest.password)
    }

    pub(crate) fn is_guest_password(&self, user: &str, password: &[u8]) -> bool {
        let known = self.guest_password(user);
        known.is_some_and(|known| same(known.reveal().as_bytes(), password))
    }

    /// Has a server decide a login. `sequence` is that of the answer to the client.
    pub(crate) fn ask_servers(
        &mut self,
        client: u32,
        (hello, sequence): (&HandshakeResponse, u8),
        password: Secret,
        out: &mut Ops,
    ) {
        let stage = LoginStage::Asking(Box::new(Asking {
            hello: Box::new(hello.clone()),
            password,
            tried: Vec::new(),
            again_at: None,
            sequence,
        }));
        if let Some(login) = self.login_of(client) {
            login.stage = stage;
            self.queue_guest(client, out);
        }
    }

    fn queue_guest(&mut self, client: u32, out: &mut Ops) {
        if let Some(session) = self.clients.get(client) {
            let (worker, serial) = (self.worker, session.serial);
            self.guests.waiting.push_back(Asker {
                worker,
                client,
                serial,
            });
        }
        self.next_guests(out);
    }

    /// Opens connections for those who wait, as far as it may.
    fn next_guests(&mut self, out: &mut Ops) {
        while self.guests.under_way < UNDER_WAY_MAX
            && let Some(asker) = self.guests.waiting.pop_front()
        {
            self.begin_check(asker, out);
        }
    }

    fn begin_check(&mut self, asker: Asker, out: &mut Ops) {
        let offered = self.offered();
        let told = self.policy.proxy_header;
        let Some((session, asking)) = self.asking(asker) else {
            return;
        };
        let user = asking.hello.user.as_str();
        if self.is_guest_password(user, asking.password.reveal().as_bytes()) {
            // Another login of the same user was quicker.
            return self.guest_admitted(asker, out);
        }
        let Some(upstream) = self.judge_of_guests(&asking.tried) else {
            let (client, at) = (asker.client, self.now + RETRY);
            if let Some(LoginStage::Asking(asking)) =
                self.login_of(client).map(|login| &mut login.stage)
            {
                asking.tried.clear();
                asking.again_at = Some(at);
            }
            return self.timers.arm(ConnId::Client(client), at);
        };
        let key = Key {
            user: user.into(),
            capabilities: asking.hello.capabilities & SHAPE & offered,
            collation: asking.hello.charset,
            address: session.told_address(told),
        };
        let password = asking.password.clone();
        self.guests.under_way += 1;
        self.open_for_guest(upstream, key, (asker, password), out);
    }

    /// The writer; a reader may lag behind the creation of an account.
    fn judge_of_guests(&self, tried: &[ServerName]) -> Option<usize> {
        let can = |index: &usize| {
            let one = &self.upstreams[*index];
            one.listed && one.opening.until.is_none() && !tried.contains(&one.target.name)
        };
        let readers = 0..self.upstreams.len();
        self.writer.into_iter().chain(readers).find(can)
    }

    /// A server has let the user in, or has refused it by an error, or was not reached.
    pub(crate) fn guest_judged(
        &mut self,
        (asker, server): (Asker, ServerName),
        verdict: Result<(), Option<ErrPacket>>,
        out: &mut Ops,
    ) {
        self.guests.under_way = self.guests.under_way.saturating_sub(1);
        let now = self.now;
        match verdict {
            Ok(()) => {
                let found = self.asking(asker);
                let found = found.map(|(_, one)| (one.hello.user.clone(), one.password.clone()));
                if let Some((user, password)) = found {
                    if self.keep_guest(&user, password, now) {
                        self.guest_admitted(asker, out);
                    } else {
                        let text = "more users than passthrough_users_max allows are here by \
                                    passthrough";
                        let error = ErrorCode::TooManyConnections.with(text);
                        self.guest_denied(asker, error, Duration::ZERO);
                    }
                }
            }
            Err(Some(error)) if !PASSING.contains(&error.code) => {
                let host = self.asking(asker).map(|(session, _)| session.host.clone());
                if let Some(host) = host {
                    self.stats.logins_refused += 1;
                    self.counts.one(Count::DeniedPassword);
                    self.note_failed_login(&host);
                    let errors = self.hosts.get(&host).map_or(1, |row| row.errors);
                    self.guest_denied(asker, error, delay(errors));
                }
            }
            Err(_) => {
                if self.asking(asker).is_some()
                    && let Some(LoginStage::Asking(asking)) =
                        self.login_of(asker.client).map(|login| &mut login.stage)
                {
                    asking.tried.push(server);
                    self.guests.waiting.push_front(asker);
                }
            }
        }
        self.next_guests(out);
    }

    fn guest_admitted(&mut self, asker: Asker, out: &mut Ops) {
        let Some(login) = self.login_of(asker.client) else {
            return;
        };
        let stage = std::mem::replace(&mut login.stage, LoginStage::Greeted);
        if let LoginStage::Asking(asking) = stage {
            self.admit(asker.client, (&asking.hello, asking.sequence), out);
        }
    }

    fn guest_denied(&mut self, asker: Asker, error: ErrPacket, delay: Duration) {
        let at = self.now + delay;
        let Some(login) = self.login_of(asker.client) else {
            return;
        };
        if let LoginStage::Asking(asking) = &login.stage {
            let (sequence, user) = (asking.sequence, asking.hello.user.clone());
            login.stage = LoginStage::Denied(Box::new(Denied {
                error,
                sequence,
                at,
            }));
            // Its own time may be over before.
            login.deadline = login.deadline.max(at);
            self.refused_user = user;
            self.timers.arm(ConnId::Client(asker.client), at);
        }
    }

    /// The timer of a client that has not logged in rang; true when nothing else is to be done.
    pub(crate) fn guest_timer(&mut self, client: u32, out: &mut Ops) -> bool {
        let now = self.now;
        let Some(login) = self.login_of(client) else {
            return false;
        };
        let deadline = login.deadline;
        match &mut login.stage {
            LoginStage::Denied(denied) if denied.at <= now => {
                let (error, sequence) = (denied.error.clone(), denied.sequence);
                self.refuse(client, sequence, &error, out);
                true
            }
            LoginStage::Asking(asking) if deadline <= now => {
                let text = "no server could be reached to check the password";
                let error = ErrorCode::NetReadInterrupted.with(text);
                let sequence = asking.sequence;
                self.refuse(client, sequence, &error, out);
                true
            }
            LoginStage::Asking(asking) => {
                let due = asking.again_at.take_if(|at| *at <= now).is_some();
                self.timers.arm(ConnId::Client(client), deadline);
                if due {
                    self.queue_guest(client, out);
                }
                true
            }
            LoginStage::Greeted
            | LoginStage::Switched { .. }
            | LoginStage::Full { .. }
            | LoginStage::Denied(_) => false,
        }
    }

    /// Keeps a password that a server took. False when there are too many already.
    fn keep_guest(&mut self, user: &str, password: Secret, now: Timestamp) -> bool {
        let Some(pass) = self.policy.pass_through.clone() else {
            return false;
        };
        if !self.guests.known.contains_key(user) && self.guests.known.len() >= pass.users_max {
            let here = self.users_here();
            let known = self.guests.known.iter();
            let gone = known.filter(|(name, _)| !here.contains(*name));
            let oldest = gone.min_by_key(|(_, guest)| guest.until);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                return false;
            };
            self.guests.known.remove(&oldest);
        }
        let until = now + pass.kept;
        let guest = Guest { password, until };
        self.guests.known.insert(user.to_owned(), guest);
        self.guests.look_at.get_or_insert(now + LOOK);
        true
    }

    /// A user whose session came from another process.
    pub(crate) fn receive_guest(&mut self, user: &str, password: Secret) -> bool {
        self.passes(user) && self.keep_guest(user, password, Timestamp::ZERO)
    }

    /// Forgets whose time is over and who has no session.
    pub(crate) fn forget_guests(&mut self) {
        let now = self.now;
        if self.guests.look_at.is_none_or(|at| at > now) {
            return;
        }
        let here = self.users_here();
        let known = &mut self.guests.known;
        known.retain(|name, guest| guest.until > now || here.contains(name));
        self.guests.look_at = (!known.is_empty()).then_some(now + LOOK);
    }

    fn users_here(&self) -> std::collections::BTreeSet<String> {
        let sessions = self.clients.iter();
        sessions.map(|(_, one)| one.key.user.to_string()).collect()
    }

    fn asking(&self, asker: Asker) -> Option<(&Session, &Asking)> {
        let session = self.clients.get(asker.client)?;
        match &session.phase {
            Phase::Login(Login {
                stage: LoginStage::Asking(asking),
                ..
            }) if session.serial == asker.serial => Some((session, asking)),
            Phase::Login(_) | Phase::Ready | Phase::Busy(_) => None,
        }
    }

    fn login_of(&mut self, client: u32) -> Option<&mut Login> {
        match &mut self.clients.get_mut(client)?.phase {
            Phase::Login(login) => Some(login),
            Phase::Ready | Phase::Busy(_) => None,
        }
    }
}

fn delay(errors: u64) -> Duration {
    let doubled = u32::try_from(errors.saturating_sub(1)).unwrap_or(u32::MAX);
    DELAY.saturating_mul(1 << doubled.min(16)).min(DELAY_MAX)
}
