//! What two processes say to each other, and the file descriptors that go with it: a stream of
//! words over a UNIX socket.
//!
//! A word is its byte, the length of what follows as four bytes, and that. File descriptors travel
//! with the word's byte.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// File descriptors of one word: the workers' listening sockets are the most.
const SOCKETS_MAX: usize = 253;
/// Bytes of one word: a session with all its prepared statements.
const BYTES_MAX: usize = 1 << 30;

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The new process can start.
    Ready,
    /// The new process may: the listening sockets go with it.
    Take,
    /// The new process serves.
    Serving,
    /// A client goes over: its worker and session, and its socket.
    Session,
}

impl Word {
    const ALL: [Self; 4] = [Self::Ready, Self::Take, Self::Serving, Self::Session];
}

/// A word, what follows it, and the file descriptors that came with it.
pub(super) type Said = (Word, Vec<u8>, Vec<OwnedFd>);

/// One end.
#[derive(Debug)]
pub(super) struct Channel(UnixStream);

impl Channel {
    /// Both ends; neither is inherited by other processes.
    pub(super) fn pair() -> Result<(Self, Self)> {
        let (one, other) = UnixStream::pair().context("no socket to the new process")?;
        Ok((Self(one), Self(other)))
    }

    /// The end that the process before this one has left in the place of standard input.
    pub(super) fn inherited() -> Result<Self> {
        let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
        if rustix::net::sockopt::socket_type(&socket).is_err() {
            bail!(
                "standard input is no socket: only mainstay sets {}",
                super::VARIABLE
            );
        }
        Ok(Self(UnixStream::from(socket)))
    }

    /// The end as the next process will find it.
    pub(super) fn into_inherited(self) -> OwnedFd {
        self.0.into()
    }

    /// From now on a word that does not come in this time is an error.
    pub(super) fn limit(&self, time: Duration) -> Result<()> {
        Ok(self.0.set_read_timeout(Some(time))?)
    }

    /// Says a word.
    pub(super) fn send(&self, word: Word, bytes: &[u8], sockets: &[BorrowedFd<'_>]) -> Result<()> {
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !sockets.is_empty() && !control.push(SendAncillaryMessage::ScmRights(sockets)) {
            bail!("more than {SOCKETS_MAX} listening sockets");
        }
        let byte = [word as u8];
        let slice = [IoSlice::new(&byte)];
        sendmsg(&self.0, &slice, &mut control, SendFlags::NOSIGNAL)?;
        let length = u32::try_from(bytes.len()).context("a session of more than 4 GiB")?;
        (&self.0).write_all(&length.to_le_bytes())?;
        (&self.0).write_all(bytes)?;
        Ok(())
    }

    /// The next word; `None` when the other end is closed.
    pub(super) fn receive(&self) -> Result<Option<Said>> {
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut slice = [IoSliceMut::new(&mut byte)];
        let received = recvmsg(&self.0, &mut slice, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Ok(None);
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            bail!("file descriptors were lost on the way: the limit of open files is too low");
        }
        let mut sockets = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(passed) = message {
                sockets.extend(passed);
            }
        }
        let Some(&word) = Word::ALL.iter().find(|word| **word as u8 == byte[0]) else {
            bail!("the other process is of a version that says other words");
        };
        let mut length = [0; 4];
        (&self.0).read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > BYTES_MAX {
            bail!("the other process says too much at once");
        }
        let mut bytes = vec![0; length];
        (&self.0).read_exact(&mut bytes)?;
        Ok(Some((word, bytes, sockets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_in_order_with_what_goes_with_them() {
        let (one, other) = Channel::pair().expect("a pair");
        let (socket, mut peer) = UnixStream::pair().expect("a pair");
        let session = vec![7; 300_000];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                one.send(Word::Ready, &[], &[]).expect("sent");
                one.send(Word::Session, &session, &[socket.as_fd()])
                    .expect("sent");
            });
            let (word, bytes, sockets) = other.receive().expect("open").expect("a word");
            assert_eq!((word, bytes.len(), sockets.len()), (Word::Ready, 0, 0));
            let (word, bytes, mut sockets) = other.receive().expect("open").expect("a word");
            assert_eq!((word, bytes), (Word::Session, session.clone()));
            let mut same = UnixStream::from(sockets.pop().expect("a socket"));
            same.write_all(b"x").expect("open");
        });
        let mut byte = [0];
        peer.read_exact(&mut byte).expect("the same socket");
        assert_eq!(&byte, b"x");
        drop(one);
        assert!(other.receive().expect("closed in order").is_none());
    }
}
