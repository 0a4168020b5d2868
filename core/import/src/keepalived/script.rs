//! What scripts really ask: the idioms that people copy from each other are something better here.

/// What a script is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Idiom {
    /// Whether a process of this name runs: `killall -0 NAME`, `pidof NAME`, `pgrep NAME`.
    Process(String),
    /// Whether a file is there, which lets the host step down: `[ -f FILE ] && exit 1`.
    File(String),
    /// Something else: a program and its arguments.
    Command(Vec<String>),
}

/// Recognises a script.
pub(super) fn recognise(text: &str) -> Idiom {
    let text = text.trim();
    let bare = without_exits(text);
    let words: Vec<&str> = bare.split_whitespace().collect();
    if let Some(name) = process(&words) {
        return Idiom::Process(name.to_owned());
    }
    if let Some(path) = file(text) {
        return Idiom::File(path.to_owned());
    }
    Idiom::Command(command(text))
}

/// `COMMAND && exit 0 || exit 1` says what COMMAND says.
fn without_exits(text: &str) -> &str {
    let compact = |end: &str| text.strip_suffix(end).map(str::trim_end);
    ["&& exit 0 || exit 1", "|| exit 1", "&& exit 0"]
        .into_iter()
        .find_map(compact)
        .unwrap_or(text)
}

fn process<'t>(words: &[&'t str]) -> Option<&'t str> {
    let (program, arguments) = words.split_first()?;
    let program = program.rsplit('/').next()?;
    let options: Vec<_> = arguments
        .iter()
        .filter(|word| word.starts_with('-'))
        .collect();
    let plain = |word: &&&str| !word.starts_with('-') && !word.starts_with(['>', '2']);
    let mut names = arguments.iter().filter(plain);
    let name = names.next()?;
    let only_one = names.next().is_none();
    let asks = match program {
        "killall" | "pkill" => options.iter().any(|option| ["-0", "-s0"].contains(option)),
        // Options of the others narrow the search down to what is not known here.
        "pidof" | "pgrep" => options.iter().all(|option| ["-x", "-s"].contains(option)),
        _ => false,
    };
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (asks && only_one && is_name).then_some(name)
}

/// `[[ -f FILE ]] && exit 1 || exit 0`, and its kin.
fn file(text: &str) -> Option<&str> {
    let rest = [("[[ ", " ]]"), ("[ ", " ]")]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.split_once(close))
        .or_else(|| {
            text.strip_prefix("test ")?
                .split_once(" &&")
                .map(|(a, _)| (a, "&&"))
        });
    let (condition, then) = rest?;
    let fails = then.trim_start().starts_with("&&") && text.contains("exit 1");
    let (negated, condition) = match condition.trim().strip_prefix("! ") {
        Some(rest) => (true, rest),
        None => (false, condition.trim()),
    };
    let path = condition
        .strip_prefix("-f ")
        .or_else(|| condition.strip_prefix("-e "))?;
    let path = path.trim().trim_matches(['"', '\'']);
    let first_exit = text.split("exit ").nth(1)?;
    let exits_1_first = first_exit.starts_with('1');
    let steps_down = fails && exits_1_first != negated && path.starts_with('/');
    (steps_down && !path.contains(char::is_whitespace)).then_some(path)
}

/// As a program and its arguments; through a shell where it needs one.
pub(super) fn command(text: &str) -> Vec<String> {
    let needs_shell = text.contains(['&', '|', ';', '<', '>', '$', '`', '[', '*', '(', '\\']);
    if !needs_shell && !text.contains(['"', '\'']) {
        return text.split_whitespace().map(str::to_owned).collect();
    }
    // `[[` is a word of bash.
    let shell = if text.contains("[[") {
        "/bin/bash"
    } else {
        "/bin/sh"
    };
    [shell, "-c", text].map(str::to_owned).to_vec()
}

/// Whether a command ends keepalived, so that its address moves: what people do where nothing
/// else ties the address to a server.
pub(super) fn ends_keepalived(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    has(&["keepalived"]) && has(&["kill", "killall", "pkill", "stop", "shutdown"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_ask_for_a_process_are_recognised() {
        for text in [
            "killall -0 proxysql && exit 0 || exit 1",
            "killall -0 proxysql",
            "/usr/bin/killall -0 proxysql",
            "pidof proxysql",
            "pgrep -x proxysql || exit 1",
            "/usr/bin/pkill -0 proxysql",
        ] {
            assert_eq!(
                recognise(text),
                Idiom::Process("proxysql".to_owned()),
                "{text}"
            );
        }
        for other in ["killall proxysql", "pgrep -f proxy.*sql", "killall -0 a b"] {
            assert!(matches!(recognise(other), Idiom::Command(_)), "{other}");
        }
    }

    #[test]
    fn scripts_that_look_for_a_file_are_recognised() {
        for text in [
            "[[ -f /etc/keepalived/down ]] && exit 1 || exit 0",
            "[ -e /etc/keepalived/down ] && exit 1",
            "test -f /etc/keepalived/down && exit 1 || exit 0",
            "[ ! -f /etc/keepalived/down ] && exit 0 || exit 1",
        ] {
            let path = "/etc/keepalived/down".to_owned();
            assert_eq!(recognise(text), Idiom::File(path), "{text}");
        }
        let other = "[ -f /run/ok ] && exit 0 || exit 1";
        assert!(
            matches!(recognise(other), Idiom::Command(_)),
            "it must be there"
        );
    }

    #[test]
    fn other_scripts_are_commands_with_a_shell_only_where_they_need_one() {
        assert_eq!(
            command("/usr/local/bin/look -v"),
            ["/usr/local/bin/look", "-v"]
        );
        assert_eq!(command("a | b"), ["/bin/sh", "-c", "a | b"]);
        assert_eq!(command("[[ a ]]"), ["/bin/bash", "-c", "[[ a ]]"]);
    }

    #[test]
    fn commands_that_end_keepalived_are_recognised() {
        for text in [
            "/etc/keepalived/shutdown.sh",
            "killall keepalived",
            "systemctl stop keepalived",
            "pkill keepalived",
        ] {
            assert!(ends_keepalived(text), "{text}");
        }
        assert!(!ends_keepalived("/etc/keepalived/notify.sh down"));
    }
}
