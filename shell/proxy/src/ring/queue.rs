//! The submission and completion queues: operations in, what became of them out. Who they belong
//! to, and that the memory they point to stays, is left to the caller.
#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode};

use crate::driver::Token;

/// Operations of one turn before some are submitted early.
const SUBMISSIONS: u32 = 512;
/// Completions the kernel keeps without help; more wait on a list of its own.
const COMPLETIONS: u32 = 4096;
/// Pieces that one send gathers.
pub(super) const PIECES_MAX: usize = 128;
/// The result of a send that took everything, and was not completed because of that.
pub(super) const ALL: i32 = i32::MAX;
/// The group of the receive buffers.
pub(super) const GROUP: u16 = 0;

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Receives until it is cancelled or fails.
    Receive,
    /// Sends everything that it was given.
    Send,
    /// Waits until an attempt to connect has ended.
    Open,
    /// Waits for the failure of a connection that nobody reads.
    Failure,
    /// Waits for the bell of the mailbox.
    Bell,
    /// Waits for clients.
    Listener,
    /// Ends another operation; nobody waits for it.
    Cancel,
}

/// Which operation: what for, and of which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) kind: Kind,
    pub(super) token: Token,
}

impl Tag {
    /// One of the worker itself.
    pub(super) const fn own(kind: Kind) -> Self {
        let token = Token {
            index: 0,
            generation: 0,
        };
        Self { kind, token }
    }

    /// The kind has three bits of the index: half a thousand million connections are enough.
    fn to_bits(self) -> u64 {
        debug_assert!(self.token.index >> 29 == 0, "more connections than files");
        self.token.to_bits() | (self.kind as u64) << 29
    }

    fn from_bits(bits: u64) -> Self {
        let kind = match bits >> 29 & 7 {
            0 => Kind::Receive,
            1 => Kind::Send,
            2 => Kind::Open,
            3 => Kind::Failure,
            4 => Kind::Bell,
            5 => Kind::Listener,
            _ => Kind::Cancel,
        };
        let token = Token::from_bits(bits & !(7 << 29));
        Self { kind, token }
    }
}

/// Which operations of a connection are under way: at most one of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UnderWay(u8);

impl UnderWay {
    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn begin(&mut self, kind: Kind) {
        debug_assert!(!self.has(kind), "at most one of each kind");
        self.0 |= 1 << kind as u8;
    }

    pub(super) fn end(&mut self, kind: Kind) {
        self.0 &= !(1 << kind as u8);
    }
}

/// What became of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Completion {
    pub(super) tag: Tag,
    /// A count, or the negated error.
    pub(super) result: i32,
    /// The buffer that was filled.
    pub(super) buffer: Option<u16>,
    /// The operation goes on.
    pub(super) more: bool,
}

/// What a gathered send points to until it is submitted.
struct Header {
    message: libc::msghdr,
    pieces: [libc::iovec; PIECES_MAX],
}

/// The two queues of one worker.
pub(super) struct Queue {
    ring: IoUring,
    /// Operations whose last completion is still to come.
    pending: usize,
    /// Sends that are over when they have been submitted. See [`Queue::send`].
    at_once: Vec<Tag>,
    /// Boxed, since the kernel reads them where they are when it takes the submissions.
    #[allow(clippy::vec_box)]
    headers: Vec<Box<Header>>,
    headers_used: usize,
}

// SAFETY: the raw pointers in `headers` are only read by the kernel, during a call of the thread
// that has the queue.
unsafe impl Send for Queue {}

impl Queue {
    /// New queues, which do nothing until [`Queue::enable`].
    pub(super) fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_r_disabled()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .dontfork()
            .build(SUBMISSIONS)?;
        let params = ring.params();
        if !(params.is_feature_ext_arg()
            && params.is_feature_nodrop()
            && params.is_feature_submit_stable()
            && params.is_feature_skip_cqe_on_success())
        {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self {
            ring,
            pending: 0,
            at_once: Vec::new(),
            headers: Vec::new(),
            headers_used: 0,
        })
    }

    /// Makes the calling thread the only one that may use the queues.
    pub(super) fn enable(&self) -> io::Result<()> {
        self.ring.submitter().register_enable_rings()
    }

    /// Tells the kernel where it finds receive buffers.
    ///
    /// # Safety
    /// `entries` entries at `address` must stay for as long as the queues.
    pub(super) unsafe fn register_buffers(&self, address: u64, entries: u16) -> io::Result<()> {
        let submitter = self.ring.submitter();
        // SAFETY: the caller keeps the entries.
        unsafe { submitter.register_buf_ring_with_flags(address, entries, GROUP, 0) }
    }

    /// Operations whose last completion is still to come.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Receives into the buffers of the group until it is cancelled.
    pub(super) fn receive(&mut self, tag: Tag, socket: &impl AsRawFd) {
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), GROUP).build();
        self.push(tag, entry);
    }

    /// Waits once for what `poll(2)` calls `events`, or for a failure.
    pub(super) fn poll(&mut self, tag: Tag, file: &impl AsRawFd, events: i16) {
        let events = u32::from(events.cast_unsigned());
        let entry = opcode::PollAdd::new(Fd(file.as_raw_fd()), events).build();
        self.push(tag, entry);
    }

    /// Sends the pieces, at least one and at most [`PIECES_MAX`]: until all are sent, or `at_once`
    /// as much as there is room for.
    ///
    /// A send at once is over when it has been submitted. One that takes everything is completed
    /// with [`ALL`] behind the next events, and does not end the wait for those: one system call
    /// sends and waits, not one each. Any other tells its result like an event.
    ///
    /// # Safety
    /// The bytes must stay where they are until the completion.
    pub(super) unsafe fn send<'a>(
        &mut self,
        (tag, at_once): (Tag, bool),
        socket: &impl AsRawFd,
        mut pieces: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        let fd = Fd(socket.as_raw_fd());
        // With MSG_WAITALL less than everything is a failure, which completes in any case.
        let mut flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
        if at_once {
            flags |= libc::MSG_DONTWAIT;
        }
        let entry = if pieces.len() == 1
            && let Some(one) = pieces.next()
        {
            let (bytes, length) = (one.as_ptr(), one.len() as u32);
            opcode::Send::new(fd, bytes, length).flags(flags).build()
        } else {
            // Places for heads are used again after a submission: this one must not be among them.
            self.make_room();
            let message = self.header(pieces);
            let flags = flags.cast_unsigned();
            opcode::SendMsg::new(fd, message).flags(flags).build()
        };
        if at_once {
            self.push(tag, entry.flags(Flags::SKIP_SUCCESS));
            self.at_once.push(tag);
        } else {
            self.push(tag, entry);
        }
    }

    /// Ends an operation; its own last completion tells that it has.
    pub(super) fn cancel(&mut self, tag: Tag) {
        self.push_cancel(CancelBuilder::user_data(tag.to_bits()));
    }

    /// Ends every operation.
    pub(super) fn cancel_all(&mut self) {
        self.push_cancel(CancelBuilder::any());
    }

    /// Submits everything, waits for a completion or until the time is over, and takes all there
    /// are.
    pub(super) fn enter(&mut self, timeout: Option<Duration>, into: &mut Vec<Completion>) {
        let timespec = timeout.map(Timespec::from);
        let entered = match &timespec {
            Some(timespec) => {
                let limit = SubmitArgs::new().timespec(timespec);
                self.ring.submitter().submit_with_args(1, &limit)
            }
            None => self.ring.submit_and_wait(1),
        };
        self.check(entered);
        for entry in self.ring.completion() {
            let flags = entry.flags();
            let completion = Completion {
                tag: Tag::from_bits(entry.user_data()),
                result: entry.result(),
                buffer: cqueue::buffer_select(flags),
                more: cqueue::more(flags),
            };
            if completion.tag.kind == Kind::Cancel {
                continue;
            }
            if !completion.more {
                self.pending -= 1;
            }
            if completion.tag.kind == Kind::Send {
                self.at_once.retain(|tag| *tag != completion.tag);
            }
            into.push(completion);
        }
        // What the kernel has not taken yet is not over.
        if self.ring.submission().is_empty() {
            self.pending -= self.at_once.len();
            into.extend(self.at_once.drain(..).map(|tag| Completion {
                tag,
                result: ALL,
                buffer: None,
                more: false,
            }));
        }
    }

    fn push_cancel(&mut self, what: CancelBuilder) {
        let entry = opcode::AsyncCancel2::new(what).build();
        let tag = Tag::own(Kind::Cancel).to_bits();
        // One that found its operation is not told: the operation's own completion says enough.
        self.push_entry(&entry.flags(Flags::SKIP_SUCCESS).user_data(tag));
    }

    fn push(&mut self, tag: Tag, entry: Entry) {
        self.pending += 1;
        self.push_entry(&entry.user_data(tag.to_bits()));
    }

    fn push_entry(&mut self, entry: &Entry) {
        self.make_room();
        // SAFETY: what the entry points to is kept by the callers: nothing, the boxed headers
        // until the submission, and bytes whose owner promised to keep them.
        unsafe { self.ring.submission().push(entry) }.expect("there is room");
    }

    /// Submits what there is if there is no room for one more.
    fn make_room(&mut self) {
        while self.ring.submission().is_full() {
            let submitted = self.ring.submit();
            self.check(submitted);
        }
    }

    /// A place for the head of a gathered send.
    fn header<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) -> *const libc::msghdr {
        if self.headers.len() == self.headers_used {
            // SAFETY: both are plain C structures, for which all zeroes is a valid value.
            self.headers.push(Box::new(unsafe { std::mem::zeroed() }));
        }
        let header = &mut *self.headers[self.headers_used];
        self.headers_used += 1;
        let mut count = 0;
        for (slot, piece) in header.pieces.iter_mut().zip(pieces) {
            slot.iov_base = piece.as_ptr().cast_mut().cast();
            slot.iov_len = piece.len();
            count += 1;
        }
        header.message.msg_iov = header.pieces.as_mut_ptr();
        header.message.msg_iovlen = count;
        &raw const header.message
    }

    /// After an attempt to submit. What the kernel has not taken yet stays in the queue.
    fn check(&mut self, entered: io::Result<usize>) {
        if let Err(error) = entered {
            match error.raw_os_error() {
                // The time is over; a signal; no memory or too many completions just now.
                Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY) => {}
                _ => panic!("io_uring_enter cannot fail on an open ring: {error}"),
            }
        }
        if self.ring.submission().is_empty() {
            self.headers_used = 0;
        }
    }
}
