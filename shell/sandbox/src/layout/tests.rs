//! Directories that are taken, picked up and refused.

use super::*;

fn program(flavor: Flavor, version: &str) -> ServerProgram {
    ServerProgram {
        path: PathBuf::from("/usr/sbin/mysqld"),
        flavor,
        version: version.parse().expect("a version"),
        base: PathBuf::from("/usr"),
        plugins: None,
        messages: None,
    }
}

fn mysql() -> ServerProgram {
    program(Flavor::MySql, "9.7.4")
}

fn open(dir: &Path, program: &ServerProgram, force: bool) -> Result<Layout> {
    Layout::open(dir, program, 0, force)
}

fn refusal(dir: &Path, program: &ServerProgram) -> String {
    open(dir, program, false).expect_err("refused").to_string()
}

/// A directory with a sandbox in it, and a file in the data of db1.
fn made() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let template = dir.path().join("sandbox.template");
    fs::create_dir(&template).expect("a folder");
    fs::write(template.join("ibdata1"), "rows").expect("a file");
    let layout = open(dir.path(), &mysql(), false).expect("an empty directory");
    assert!(layout.is_new && layout.needs_template());
    layout
        .furnish(&mysql(), Some(&template))
        .expect("furnished");
    let row = dir.path().join("db1/data/ibdata1");
    assert!(row.exists() && !layout.needs_template());
    (dir, row)
}

#[test]
fn a_second_start_keeps_ports_passwords_and_data() {
    let (dir, row) = made();
    let read = || fs::read_to_string(dir.path().join(DESCRIPTION)).expect("a description");
    let before = read();
    fs::write(&row, "changed").expect("a file");
    let layout = open(dir.path(), &mysql(), false).expect("ours");
    layout.furnish(&mysql(), None).expect("furnished");
    assert!(!layout.is_new);
    assert_eq!(read(), before);
    assert_eq!(fs::read_to_string(&row).expect("a file"), "changed");
}

#[test]
fn only_the_owner_can_read_what_holds_passwords() {
    let (dir, _) = made();
    let mode = |path: &str| {
        let metadata = fs::metadata(dir.path().join(path)).expect("it exists");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("."), 0o700);
    assert_eq!(mode(DESCRIPTION), 0o600);
    assert_eq!(mode("db1/accounts.sql"), 0o600);
    assert_eq!(mode("db1/data"), 0o700);
}

#[test]
fn a_sandbox_of_another_flavor_or_series_is_refused_and_untouched() {
    let (dir, row) = made();
    let flavor = refusal(dir.path(), &program(Flavor::MariaDb, "10.11.6-MariaDB"));
    assert!(
        flavor.contains("holds a sandbox of MySQL 9.7.4"),
        "{flavor}"
    );
    assert!(flavor.contains("--force"), "{flavor}");
    let version = refusal(dir.path(), &program(Flavor::MySql, "8.4.6"));
    assert!(version.contains("this one is MySQL 8.4.6"), "{version}");
    assert!(row.exists());
}

#[test]
fn what_a_sandbox_leaves_in_its_directory_is_its_own_at_the_next_start() {
    let (dir, _) = made();
    for folder in ["salvage", "tls"] {
        fs::create_dir_all(dir.path().join(folder)).expect("a folder");
    }
    for file in [
        "mainstay.log",
        "mainstay-admin.db",
        "mainstay.state.sqlite",
        "sandbox.lock",
    ] {
        fs::write(dir.path().join(file), "").expect("a file");
    }
    assert!(!open(dir.path(), &mysql(), false).expect("ours").is_new);
}

#[test]
fn force_deletes_the_servers_of_another_sandbox_and_nothing_else() {
    let (dir, row) = made();
    let saved = dir.path().join("salvage/db1-1/binlog.000001");
    fs::create_dir_all(saved.parent().expect("a parent")).expect("a folder");
    fs::write(&saved, "rows").expect("a file");
    let other = program(Flavor::MariaDb, "10.11.6-MariaDB");
    let layout = open(dir.path(), &other, true).expect("forced");
    assert!(layout.is_new && !row.exists() && saved.exists());
}

#[test]
fn force_does_not_delete_the_data_of_a_sandbox_that_fits() {
    let (dir, row) = made();
    assert!(!open(dir.path(), &mysql(), true).expect("ours").is_new);
    assert!(row.exists());
}

#[test]
fn a_directory_with_files_of_others_is_refused_even_with_force() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("thesis.txt"), "years").expect("a file");
    for force in [false, true] {
        let error = open(dir.path(), &mysql(), force)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("thesis.txt"), "{error}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
}

#[test]
fn data_without_its_description_is_refused() {
    let (dir, row) = made();
    fs::remove_file(dir.path().join(DESCRIPTION)).expect("removed");
    let error = refusal(dir.path(), &mysql());
    assert!(error.contains("no sandbox.json"), "{error}");
    assert!(row.exists());
}

#[test]
fn a_description_that_cannot_be_understood_is_refused_with_the_reason() {
    let (dir, _) = made();
    fs::write(dir.path().join(DESCRIPTION), "{\"format\": 9}").expect("written");
    let format = refusal(dir.path(), &mysql());
    assert!(format.contains("its format is 9, not 1"), "{format}");
    fs::write(dir.path().join(DESCRIPTION), "{").expect("written");
    let syntax = refusal(dir.path(), &mysql());
    assert!(
        syntax.contains("sandbox.json") && syntax.contains("line 1"),
        "{syntax}"
    );
}

#[test]
fn a_path_that_an_option_file_cannot_hold_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = refusal(&dir.path().join("a:b"), &mysql());
    assert!(error.contains("':'"), "{error}");
}

#[test]
fn a_running_sandbox_is_not_opened_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let _running = open(dir.path(), &mysql(), false).expect("free");
    assert!(refusal(dir.path(), &mysql()).contains("already running as pid"));
}

#[test]
fn new_base_ports_replace_the_kept_ones() {
    let (dir, _) = made();
    let free = ports::choose(0).expect("free ports")[0];
    let layout = Layout::open(dir.path(), &mysql(), free, false).expect("ours");
    assert_eq!(layout.ports(), [free, free + 1, free + 2]);
}
