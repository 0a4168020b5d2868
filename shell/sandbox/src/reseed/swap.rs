//! Puts new data in the place of a server's old data, by renaming; a cut at any point is healed at
//! the next start.
//!
//! ```text
//! data  data.making            a copy is being made: the next start removes it
//!       data.making  data.old  between the two renames: the old data are put back
//! data               data.old  the new data are in place: the old are removed
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use crate::copy::remove_tree;
use crate::{Result, SandboxError};

/// Where data are made, before they appear whole.
pub(crate) fn making(server: &Path) -> PathBuf {
    server.join("data.making")
}

fn data(server: &Path) -> PathBuf {
    server.join("data")
}

fn old(server: &Path) -> PathBuf {
    server.join("data.old")
}

/// Finishes or takes back what was cut short; does nothing to a server that is as it should be.
pub(crate) fn recover(server: &Path) -> Result<()> {
    if old(server).exists() && !data(server).exists() {
        rename(&old(server), &data(server))?;
    }
    remove(&old(server))?;
    remove(&making(server))
}

/// Puts the new data in place and keeps the old ones beside them. The server must be down. After
/// a failure the old data are in their place.
pub(crate) fn put_in_place(server: &Path) -> Result<()> {
    remove(&old(server))?;
    rename(&data(server), &old(server))?;
    rename(&making(server), &data(server)).or_else(|error| {
        rename(&old(server), &data(server))?;
        Err(error)
    })
}

/// Puts replaced data back, and removes the new. The server must be down.
pub(crate) fn take_back(server: &Path) -> Result<()> {
    remove(&making(server))?;
    rename(&data(server), &making(server))?;
    rename(&old(server), &data(server))?;
    remove(&making(server))
}

/// Deletes the old data.
pub(crate) fn forget_old(server: &Path) -> Result<()> {
    remove(&old(server))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(SandboxError::io("rename", from))
}

fn remove(path: &Path) -> Result<()> {
    remove_tree(path).map_err(SandboxError::io("remove", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with these folders, each holding a file that says which data it was first.
    fn server(folders: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for folder in folders {
            fs::create_dir(dir.path().join(folder)).expect("a folder");
            fs::write(dir.path().join(folder).join("was"), folder).expect("a file");
        }
        dir
    }

    /// What is there: its place now, and what it was first.
    fn holds(server: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(server).expect("a folder");
        let mut found: Vec<_> = entries
            .map(|entry| {
                let entry = entry.expect("an entry");
                let was = fs::read_to_string(entry.path().join("was")).expect("a file");
                (entry.file_name().to_string_lossy().into_owned(), was)
            })
            .collect();
        found.sort();
        found
    }

    fn pair(place: &str, was: &str) -> (String, String) {
        (place.to_owned(), was.to_owned())
    }

    #[test]
    fn data_are_replaced_and_the_old_deleted_last() {
        let dir = server(&["data", "data.making"]);
        put_in_place(dir.path()).expect("renamed");
        let both = [pair("data", "data.making"), pair("data.old", "data")];
        assert_eq!(holds(dir.path()), both);
        forget_old(dir.path()).expect("deleted");
        assert_eq!(holds(dir.path()), [pair("data", "data.making")]);
    }

    #[test]
    fn replaced_data_can_be_taken_back() {
        let dir = server(&["data", "data.making"]);
        put_in_place(dir.path()).expect("renamed");
        take_back(dir.path()).expect("renamed");
        assert_eq!(holds(dir.path()), [pair("data", "data")]);
    }

    #[test]
    fn without_new_data_the_old_stay_in_place() {
        let dir = server(&["data"]);
        put_in_place(dir.path()).expect_err("there are none");
        assert_eq!(holds(dir.path()), [pair("data", "data")]);
    }

    #[test]
    fn a_swap_cut_at_any_point_leaves_one_whole_set_of_data() {
        for (left, kept) in [
            (vec!["data", "data.making"], "data"),
            (vec!["data.making", "data.old"], "data.old"),
            (vec!["data", "data.old"], "data"),
            (vec!["data.old"], "data.old"),
            (vec!["data"], "data"),
        ] {
            let dir = server(&left);
            recover(dir.path()).expect("recovered");
            assert_eq!(holds(dir.path()), [pair("data", kept)], "{left:?}");
        }
    }

    #[test]
    fn data_that_were_never_finished_do_not_become_a_servers() {
        let dir = server(&["data.making"]);
        recover(dir.path()).expect("recovered");
        assert_eq!(holds(dir.path()), []);
    }
}
