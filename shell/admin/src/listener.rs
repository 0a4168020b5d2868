//! The port: takes clients, each on a thread of its own, and ends them all when it is dropped.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mainstay_wire::ErrorCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::admin::{Admin, Who};
use crate::functions::Asker;
use crate::guard::Role;
use crate::login::{self, Door};
use crate::runtime::Happened;
use crate::session::{Channel, Lost, Session};

/// Clients at the same time: each is a thread.
const CLIENTS_MAX: usize = 128;

/// Who may come in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// What the port needs to know.
#[derive(Clone, Default)]
pub struct Listener {
    /// Accounts that may do everything.
    pub admins: Vec<Account>,
    /// Accounts that see figures.
    pub stats: Vec<Account>,
    /// TLS, where it is offered.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// The port, open until this is dropped.
pub struct Listening {
    task: JoinHandle<()>,
    clients: Arc<Clients>,
}

#[derive(Default)]
struct Clients {
    open: Mutex<BTreeMap<u32, TcpStream>>,
    last: AtomicU32,
    closed: AtomicBool,
}

impl Listener {
    /// Takes clients from now on.
    pub fn start(self, admin: Arc<Admin>, port: TcpListener) -> Listening {
        let clients = Arc::new(Clients::default());
        let here = Arc::clone(&clients);
        let task = tokio::spawn(async move {
            loop {
                match port.accept().await {
                    Ok((stream, address)) => self.take(&admin, &here, stream.into_std(), address),
                    // Out of file descriptors: the next client may find one.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
                }
            }
        });
        Listening { task, clients }
    }

    fn take(
        &self,
        admin: &Arc<Admin>,
        clients: &Arc<Clients>,
        stream: std::io::Result<TcpStream>,
        address: SocketAddr,
    ) {
        let Ok(stream) = stream else { return };
        let Some(number) = clients.enter(&stream) else {
            // Its address could be anybody's: it gets one packet, and no thread.
            if let Ok(mut channel) = Channel::new(stream) {
                let error = ErrorCode::TooManyConnections.with("Too many connections");
                let _ = channel.send(|out| error.encode(out));
            }
            return;
        };
        let (listener, admin, clients) = (self.clone(), Arc::clone(admin), Arc::clone(clients));
        let serve = move || {
            if let Err(error) = listener.serve(&admin, stream, address, number) {
                tracing::debug!(%address, %error, "an admin client is gone");
            }
            clients.leave(number);
        };
        let thread = std::thread::Builder::new().name("admin".to_owned());
        if let Err(error) = thread.spawn(serve) {
            tracing::warn!(%error, "no thread for an admin client");
        }
    }

    fn serve(
        &self,
        admin: &Admin,
        stream: TcpStream,
        address: SocketAddr,
        connection: u32,
    ) -> Result<(), Lost> {
        let mut channel = Channel::new(stream)?;
        let admins = self
            .admins
            .iter()
            .map(|account| (Role::Admin, account.clone()));
        let stats = self
            .stats
            .iter()
            .map(|account| (Role::Stats, account.clone()));
        let accounts: Vec<_> = admins.chain(stats).collect();
        let door = Door {
            accounts: &accounts,
            tls: self.tls.as_ref(),
            version: &admin.version,
            connection,
        };
        let entered = match login::enter(&mut channel, &door)? {
            Ok(entered) => entered,
            Err(user) => {
                let (delay, failures) = admin.attempts.failed(address.ip(), Instant::now());
                let from = address.ip().to_string();
                admin.note(Happened::Refused, (&user, &from), "");
                tracing::warn!(user, %address, failures, "a login to the admin interface failed");
                std::thread::sleep(delay);
                return login::refuse(&mut channel, &user, address.ip());
            }
        };
        admin.attempts.succeeded(address.ip());
        let (user, from) = (entered.user.clone(), address.ip().to_string());
        admin.note(Happened::Entered, (&user, &from), "");
        tracing::debug!(user = entered.user, %address, "a login to the admin interface");
        login::welcome(&mut channel, &entered)?;
        channel.trust()?;
        let schema = entered.database.as_deref().and_then(crate::Schema::named);
        let who = Who {
            role: entered.role,
            asker: Asker {
                user: entered.user,
                address: address.ip().to_string(),
                schema: schema.map_or("main", crate::Schema::name).to_owned(),
                version: admin.version.clone(),
                connection,
                checksum: String::new(),
            },
            cipher: entered.cipher,
        };
        let served = Session::new(admin, who, entered.capabilities, channel).serve();
        admin.note(Happened::Left, (&user, &from), "");
        served
    }
}

impl Clients {
    /// The number of a new client; `None` when there are enough.
    fn enter(&self, stream: &TcpStream) -> Option<u32> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= CLIENTS_MAX || self.closed.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        open.insert(number, stream.try_clone().ok()?);
        Some(number)
    }

    fn leave(&self, number: u32) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&number);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        self.clients.closed.store(true, Ordering::Relaxed);
        let open = self.clients.open.lock();
        for stream in open.unwrap_or_else(PoisonError::into_inner).values() {
            // Its thread finds it closed, and ends.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
