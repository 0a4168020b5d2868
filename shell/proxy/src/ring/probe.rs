//! Whether `io_uring` works here: a few bytes there and back, with everything the driver uses.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{Chunk, ConnId, Op};

use super::{Parts, Ring};
use crate::driver::{Driver, Event};
use crate::load::Loads;

const WORDS: &[u8] = b"is anybody there?";
/// How often an answer is waited for, and how long each time.
const TRIES: usize = 20;
const WAIT: Duration = Duration::from_millis(50);

/// Tries it. A kernel that only pretends to have what is needed is found out too.
pub(crate) fn probe() -> io::Result<()> {
    let mut ring = Ring::new(Parts::new()?);
    let (near, mut far) = UnixStream::pair()?;
    far.set_nonblocking(true)?;
    far.write_all(WORDS)?;
    let client = ConnId::Client(0);
    ring.add_client(client, near.into(), Loads::new(1).ticket(0));
    let mut answer = Vec::new();
    for _ in 0..TRIES {
        ring.wait(Some(WAIT));
        while let Some(event) = ring.next(Timestamp::ZERO) {
            if let Event::Input(to) = event {
                let chunk = Chunk::Input(0..ring.input().len());
                ring.run(Timestamp::ZERO, &mut vec![Op::Send { to, chunk }]);
            }
        }
        let mut buffer = [0; WORDS.len()];
        if let Ok(count) = far.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..count]);
        }
        if answer == WORDS {
            return Ok(());
        }
    }
    Err(io::Error::other("nothing came back through it"))
}
