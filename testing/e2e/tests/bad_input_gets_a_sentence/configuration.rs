//! Configuration files: every mistake at once, each with file, line, key and what was expected.

use std::fs;

use mainstay_e2e::Home;

use super::{contains_all, mainstay};

const MISTAKEN: &str = r#"[cluster]
name = "main"
durability = "perfect"
hang_after = 2

[[server]]
name = "db1"
address = "127.0.0.1"

[[server]]
name = "db1"
address = "127.0.0.1:3307"
promotion = "sometimes"
colour = "green"

[manager]
user = "mainstay"
password = "a secret word"
replication_user = "replication"

[api]
listen = "nowhere"
"#;

/// Line, key, and a part of what is said.
const MISTAKES: [(usize, &str); 7] = [
    (3, "durability"),
    (4, "hang_after"),
    (8, "address"),
    (11, "name"),
    (13, "promotion"),
    (14, "colour"),
    (22, "listen"),
];

#[test]
fn all_mistakes_of_a_file_are_told_at_once_with_their_lines_and_keys() {
    let home = Home::new();
    let file = home.join("mainstay.toml");
    fs::write(&file, MISTAKEN).expect("a file can be written");
    let file = file.to_str().expect("a path of text");
    for check in [&["--check"][..], &[]] {
        let arguments = [&["serve", "--config", file], check].concat();
        let complaint = mainstay(&arguments).failed_with(2);
        for (line, key) in MISTAKES {
            let place = format!("{file}:{line}: ");
            let told = complaint.lines().find(|told| told.contains(&place));
            let told = told.unwrap_or_else(|| panic!("no {place} in: {complaint}"));
            assert!(told.contains(key), "{key} is not in: {told}");
        }
        contains_all(&complaint, &["replication_password"]);
        assert!(!complaint.contains("a secret word"), "{complaint}");
    }
}

#[test]
fn a_missing_file_and_a_broken_file_are_told() {
    let complaint = mainstay(&["serve", "--config", "/nowhere/mainstay.toml"]).failed_with(2);
    contains_all(&complaint, &["/nowhere/mainstay.toml"]);
    let home = Home::new();
    let file = home.join("broken.toml");
    fs::write(&file, "[cluster\nname = 1\n").expect("a file can be written");
    let file = file.to_str().expect("a path of text");
    let complaint = mainstay(&["serve", "--config", file]).failed_with(2);
    contains_all(&complaint, &[&format!("{file}:1: ")]);
}

#[test]
fn the_example_of_a_configuration_is_right() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/mainstay.toml");
    let checked = mainstay(&["serve", "--check", "--config", example]).succeeded();
    contains_all(&checked, &["mainstay.toml"]);
}
