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
        unsafe { queue.send((Tag::own(Kind::Send), false), ours, words.into_iter()) };
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

/// More than a socket takes at once.
static MUCH: [u8; 1 << 22] = [7; 1 << 22];

#[test]
fn a_send_at_once_tells_only_of_what_it_did_not_take_before_the_next_event() {
    if let Err(error) = crate::ring::probe() {
        eprintln!("skipped, there is no io_uring here: {error}");
        return;
    }
    let mut queue = Queue::new().expect("probed");
    queue.enable().expect("made to be enabled");
    let (ours, mut theirs) = UnixStream::pair().expect("sockets");
    ours.set_nonblocking(true).expect("open");
    let mut send = |bytes: &'static [u8], completions: &mut Vec<Completion>| {
        completions.clear();
        // SAFETY: the bytes are static.
        unsafe { queue.send((Tag::own(Kind::Send), true), &ours, [bytes].into_iter()) };
        queue.poll(Tag::own(Kind::Bell), &ours, libc::POLLOUT);
        queue.enter(None, completions);
        completions
            .iter()
            .map(|one| (one.tag.kind, one.result))
            .collect::<Vec<_>>()
    };
    let mut completions = Vec::new();
    let small = send(b"hello", &mut completions);
    assert_eq!(small, [(Kind::Bell, 4), (Kind::Send, ALL)]);
    let much = send(&MUCH, &mut completions);
    let (kind, taken) = much[0];
    assert_eq!(kind, Kind::Send);
    assert!((1..1 << 22).contains(&taken), "{taken}");
    let none = send(b"more", &mut completions);
    assert_eq!(none, [(Kind::Send, -libc::EAGAIN)]);
    let mut bytes = vec![0; 5 + usize::try_from(taken).expect("a count")];
    theirs.read_exact(&mut bytes).expect("sent");
    assert!(bytes.starts_with(b"hello\x07"));
}
