//! The choice between epoll and `io_uring`.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

use crate::epoll;
use crate::error::Error;
use crate::ring::{self, Parts};

/// What the workers read and write with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// epoll, which has been tried for longer and costs little more.
    #[default]
    Auto,
    /// epoll, which is always there.
    Epoll,
    /// `io_uring`, or no start.
    IoUring,
}

impl Io {
    /// As the settings and the API write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Epoll => "epoll",
            Self::IoUring => "io_uring",
        }
    }
}

impl fmt::Display for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one worker's driver is made of.
pub(crate) enum Means {
    Epoll(OwnedFd),
    Ring(Box<Parts>),
}

/// Makes what `count` workers need, and tells what was chosen.
pub(crate) fn prepare(wanted: Io, count: usize) -> Result<(Io, Vec<Means>), Error> {
    let rings = match wanted {
        Io::Epoll | Io::Auto => None,
        Io::IoUring => Some(rings(count).map_err(Error::NoRing)?),
    };
    if let Some(rings) = rings {
        return Ok((Io::IoUring, rings));
    }
    let epoll = || epoll::create().map(Means::Epoll);
    let epolls = (0..count).map(|_| epoll()).collect::<Result<_, _>>();
    Ok((
        Io::Epoll,
        epolls.map_err(|errno| Error::Workers(errno.into()))?,
    ))
}

fn rings(count: usize) -> io::Result<Vec<Means>> {
    ring::probe()?;
    (0..count)
        .map(|_| Ok(Means::Ring(Box::new(Parts::new()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_never_auto() {
        let (io, means) = prepare(Io::Auto, 2).expect("epoll is always there");
        assert_ne!(io, Io::Auto);
        assert_eq!(means.len(), 2);
        assert_eq!(prepare(Io::Epoll, 1).expect("always there").0, Io::Epoll);
    }

    #[test]
    fn a_system_that_forbids_it_is_told_with_the_remedy() {
        let error = Error::NoRing(io::Error::from_raw_os_error(libc::EPERM));
        let text = error.to_string();
        assert!(text.contains("kernel.io_uring_disabled"), "{text}");
        assert!(
            text.ends_with("or set io = \"auto\" to use epoll instead"),
            "{text}"
        );
    }
}
