//! Many sends in one system call.
//!
//! Each send wakes its receiver. Where that runs on the same processor it takes the worker's place
//! as soon as the system call returns, and the worker goes on with its next send only when it is
//! scheduled again: mostly one switch for each send. `io_submit` (`io_submit(2)`) runs a list of
//! writes within one call, one after the other. On a socket that does not block each is over when
//! the call returns, so nothing here is asynchronous; only the interface is.
//!
//! Which bytes go where, and what a short send means, is left to `sending`.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;

/// Sends in one system call at most: so long the first receiver may have to wait for the last.
pub(super) const SENDS_MAX: usize = 64;

/// `IOCB_CMD_PWRITE` of `linux/aio_abi.h`.
const WRITE: u16 = 1;

/// `struct iocb` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Request {
    data: u64,
    key: [u32; 2],
    operation: u16,
    priority: i16,
    file: u32,
    bytes: u64,
    length: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    event_file: u32,
}

/// `struct io_event` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    data: u64,
    request: u64,
    result: i64,
    second: i64,
}

/// The beginning of what the kernel shares of a context, `struct aio_ring` of `fs/aio.c`. It is
/// made to be read: outcomes that are there need no system call.
#[repr(C, align(8))]
struct Shared {
    id: u32,
    places: u32,
    head: AtomicU32,
    tail: AtomicU32,
    magic: u32,
    compatible: u32,
    incompatible: u32,
    header_bytes: u32,
}

/// `AIO_RING_MAGIC`.
const MAGIC: u32 = 0xa10a_10a1;

impl Request {
    fn send(place: usize, socket: BorrowedFd<'_>, bytes: &[u8]) -> Self {
        Self {
            data: place as u64,
            key: [0; 2],
            operation: WRITE,
            priority: 0,
            file: socket.as_raw_fd().cast_unsigned(),
            bytes: bytes.as_ptr() as u64,
            length: bytes.len() as u64,
            offset: 0,
            reserved: 0,
            flags: 0,
            event_file: 0,
        }
    }
}

/// A place of the kernel's for sends under way.
#[derive(Debug)]
pub(super) struct Batch {
    context: libc::c_ulong,
    requests: Vec<Request>,
    outcomes: Vec<Outcome>,
}

impl Batch {
    /// None where the kernel does not offer it, or has no room left (`fs.aio-max-nr`).
    pub(super) fn new() -> Option<Self> {
        let mut context: libc::c_ulong = 0;
        let place = &raw mut context;
        // SAFETY: `place` is a valid pointer to a zero, as io_setup(2) wants it.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, SENDS_MAX, place) };
        (made == 0).then(|| Self {
            context,
            requests: Vec::with_capacity(SENDS_MAX),
            outcomes: vec![Outcome::default(); SENDS_MAX],
        })
    }

    /// Sends to sockets that do not block, and says what each send returned, at its place in
    /// `results`. A send that was not tried says that it would block.
    pub(super) fn send<'a>(
        &mut self,
        sends: impl Iterator<Item = (usize, BorrowedFd<'a>, &'a [u8])>,
        results: &mut [Result<usize, Errno>],
    ) {
        self.requests.clear();
        let requests = sends.map(|(place, socket, bytes)| Request::send(place, socket, bytes));
        self.requests.extend(requests.take(SENDS_MAX));
        let mut pointers = [ptr::null_mut::<Request>(); SENDS_MAX];
        for (pointer, request) in pointers.iter_mut().zip(&mut self.requests) {
            *pointer = request;
        }
        let count = self.requests.len();
        let list = pointers.as_mut_ptr();
        // SAFETY: `context` came from io_setup; `list` holds `count` pointers to requests, which
        // outlive this call. So do their sockets and bytes, which are borrowed for it, and a send
        // on a socket that does not block is over when the call returns.
        let submitted = unsafe { libc::syscall(libc::SYS_io_submit, self.context, count, list) };
        // An error means that none was tried.
        self.collect(usize::try_from(submitted).unwrap_or(0), results);
    }

    /// Takes the outcomes, which are all there already.
    fn collect(&mut self, count: usize, results: &mut [Result<usize, Errno>]) {
        let mut left = count - self.collect_shared(count, results);
        while left > 0 {
            // SAFETY: `outcomes` has room for SENDS_MAX events, and `left` is no more than that.
            let taken = unsafe {
                libc::syscall(
                    libc::SYS_io_getevents,
                    self.context,
                    left,
                    left,
                    self.outcomes.as_mut_ptr(),
                    ptr::null_mut::<libc::timespec>(),
                )
            };
            let Ok(taken) = usize::try_from(taken) else {
                // Only a signal can be the reason.
                continue;
            };
            for outcome in &self.outcomes[..taken] {
                outcome.put(results);
            }
            left -= taken;
        }
    }

    /// Takes outcomes from the memory that the kernel shares; returns how many.
    fn collect_shared(&self, count: usize, results: &mut [Result<usize, Errno>]) -> usize {
        let shared = self.context as *const Shared;
        // SAFETY: a context is the address of its memory, which begins so since it exists, and
        // stays until io_destroy. The kernel changes head and tail only.
        let header = unsafe { &*shared };
        let known = header.magic == MAGIC
            && header.incompatible == 0
            && header.header_bytes as usize == size_of::<Shared>();
        if !known {
            return 0;
        }
        // SAFETY: outcomes follow the header, as many as it says.
        let outcomes = unsafe { shared.add(1).cast::<Outcome>() };
        let mut head = header.head.load(Ordering::Relaxed);
        let mut taken = 0;
        while taken < count && head != header.tail.load(Ordering::Acquire) && head < header.places {
            // SAFETY: this one is between head and tail: the kernel leaves it alone.
            unsafe { outcomes.add(head as usize).read() }.put(results);
            head = (head + 1) % header.places;
            taken += 1;
        }
        header.head.store(head, Ordering::Release);
        taken
    }
}

impl Outcome {
    fn put(&self, results: &mut [Result<usize, Errno>]) {
        if let Some(result) = results.get_mut(self.data as usize) {
            *result = usize::try_from(self.result)
                .map_err(|_| Errno::from_raw_os_error(-self.result as i32));
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: `context` came from io_setup, and nothing uses it after this.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.context) };
    }
}
