//! The queues, with sockets at the other end.

use std::io::Read;
use std::os::unix::net::UnixStream;

use super::*;

#[test]
fn a_gathered_send_for_which_room_had_to_be_made_keeps_its_pieces() {
    if let Err(error) = crate::ring::probe() {
        eprintln!("skipped, there is no io_uring here: {error}");
        return;
    }
    let mut queue = Queue::new().expect("probed");
    queue.enable().expect("made to be enabled");
    let pairs = [(); 2].map(|()| UnixStream::pair().expect("sockets"));
    for _ in 0..SUBMISSIONS {
        queue.poll(Tag::own(Kind::Bell), &pairs[0].0, libc::POLLOUT);
    }
    let words: [[&[u8]; 2]; 2] = [[b"one ", b"first"], [b"the ", b"other"]];
    for ((ours, _), words) in pairs.iter().zip(words) {
        // SAFETY: the words are static.
        unsafe { queue.send(Tag::own(Kind::Send), ours, words.into_iter()) };
    }
    let mut completions = Vec::new();
    while queue.pending() > 0 {
        queue.enter(None, &mut completions);
    }
    let received = pairs.map(|(_, mut theirs)| {
        let mut bytes = [0; 9];
        theirs.set_nonblocking(true).expect("open");
        theirs.read_exact(&mut bytes).expect("sent");
        bytes
    });
    assert_eq!(received, [*b"one first", *b"the other"]);
}
