//! Directories that cannot be used, and directories where nothing runs.

use std::fs;

use mainstay_e2e::start_command;
use mainstay_e2e::{Family, Home, Sandbox, processes, run};

use super::{contains_all, mainstay, one_sentence};

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let home = Home::new();
    fs::write(home.join("notes.txt"), "mine").expect("a file can be written");
    let text = home.path().to_str().expect("a path of text");
    for force in [&[][..], &["--force"]] {
        let mut command = start_command(Family::MariaDb, Some(home.path()));
        let sentence = run(command.arg("--detach").args(force)).failed_with(2);
        one_sentence(&sentence);
        contains_all(&sentence, &[text, "notes.txt", "--dir"]);
        let kept = fs::read_to_string(home.join("notes.txt"));
        assert_eq!(kept.expect("it is still there"), "mine");
    }
    assert_eq!(processes::naming(home.path()), []);
}

#[test]
fn a_directory_is_used_by_one_sandbox_at_a_time_and_by_one_family() {
    let sandbox = Sandbox::start(Family::MariaDb);
    let dir = sandbox.dir().to_str().expect("a path of text");
    let pid = sandbox.pid().to_string();
    for detach in [&["--detach"][..], &[]] {
        let mut command = start_command(Family::MariaDb, Some(sandbox.dir()));
        let sentence = run(command.args(detach)).failed_with(2);
        one_sentence(&sentence);
        contains_all(&sentence, &[dir, &pid, "mainstay sandbox stop --dir"]);
    }
    assert!(sandbox.status().is_whole());
    sandbox.stop();

    let data = sandbox.dir().join("db1/data");
    let before = fs::read_dir(&data).expect("data").count();
    let mut command = start_command(Family::MySql, Some(sandbox.dir()));
    let sentence = run(command.arg("--detach")).failed_with(2);
    one_sentence(&sentence);
    contains_all(&sentence, &[dir, "MariaDB", "MySQL", "--force", "--dir"]);
    assert_eq!(fs::read_dir(&data).expect("data").count(), before);
}

#[test]
fn where_nothing_runs_every_command_says_so() {
    let home = Home::new();
    let dir = home.path().to_str().expect("a path of text");
    let commands: [&[&str]; 7] = [
        &["status"],
        &["status", "--history"],
        &["plan", "failover"],
        &["plan", "switchover"],
        &["switchover"],
        &["drill", "kill-primary"],
        &["sandbox", "stop"],
    ];
    for command in commands {
        let with_dir = [command, &["--dir", dir]].concat();
        let sentence = mainstay(&with_dir).failed_with(2);
        one_sentence(&sentence);
        contains_all(&sentence, &["no sandbox is running", dir]);
    }
    let sentence = mainstay(&["status"]).failed_with(2);
    contains_all(&sentence, &["mainstay sandbox"]);
}
