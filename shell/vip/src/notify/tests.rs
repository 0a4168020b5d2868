//! What programs and FIFOs are told.

use super::*;

#[test]
fn changes_are_told_in_their_order_to_the_program_and_the_fifo() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = folder.path().join("said");
    let script = format!("echo \"$@\" >>{}", said.display());
    let program: Vec<_> = ["/bin/sh", "-c", &script, "sh"].map(str::to_owned).into();
    let (sender, receiver) = sync_channel(4);
    for (state, priority) in [(State::Backup, 90), (State::Active, 91)] {
        let (name, program, fifo) = ("w".to_owned(), program.clone(), None);
        let change = Change {
            name,
            state,
            priority,
            program,
            fifo,
        };
        sender.send(change).expect("there is room");
    }
    drop(sender);
    tell_all(&receiver);
    let text = std::fs::read_to_string(said).expect("it was written");
    assert_eq!(text, "INSTANCE w BACKUP 90\nINSTANCE w MASTER 91\n");

    let fifo = folder.path().join("fifo");
    let mut options = std::fs::OpenOptions::new();
    write(&fifo, "one\n").expect("it is made");
    let open = options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&fifo);
    write(&fifo, "two\n").expect("it is there");
    let mut bytes = [0; 4];
    std::io::Read::read_exact(&mut open.expect("it is there"), &mut bytes).expect("a line");
    assert_eq!(&bytes, b"two\n");
}
