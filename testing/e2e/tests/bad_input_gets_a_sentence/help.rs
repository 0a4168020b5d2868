//! Every command explains itself, with an example.

use super::mainstay;

#[test]
fn the_help_of_every_command_has_an_example() {
    let overview = mainstay(&["--help"]).succeeded();
    let commands = commands_in(&overview);
    assert!(commands.len() >= 6, "{overview}");
    for command in commands {
        let help = mainstay(&[&command, "--help"]).succeeded();
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(
            help.contains(&format!("mainstay {command}")),
            "{command}: {help}"
        );
    }
}

/// First words of the lines below `Commands:`.
fn commands_in(help: &str) -> Vec<String> {
    let list = help
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    // Longer explanations go on in lines that begin further to the right.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}
