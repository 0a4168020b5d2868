//! keepalived's words, for scripts and FIFOs that were written for it (keepalived.conf(5),
//! `notify` and `notify_fifo`).

use mainstay_vrrp::State;

/// The arguments of a script, after its own: what changed, its name, its state, its priority.
pub(crate) fn arguments(name: &str, state: State, priority: u8) -> [String; 4] {
    let words = ["INSTANCE".to_owned(), name.to_owned()];
    let [kind, name] = words;
    [kind, name, word(state).to_owned(), priority.to_string()]
}

/// A line of a FIFO.
pub(crate) fn line(name: &str, state: State, priority: u8) -> String {
    format!("INSTANCE \"{name}\" {} {priority}\n", word(state))
}

fn word(state: State) -> &'static str {
    match state {
        State::Init => "STOP",
        State::Fault => "FAULT",
        State::Backup => "BACKUP",
        State::Active => "MASTER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_fifos_read_what_they_are_used_to() {
        let expected = ["INSTANCE", "writer", "MASTER", "100"];
        assert_eq!(arguments("writer", State::Active, 100), expected);
        assert_eq!(line("w", State::Init, 90), "INSTANCE \"w\" STOP 90\n");
    }
}
