//! Saves a server's binary logs before its data is replaced: they may hold the only copy of
//! transactions that the others do not have.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::copy::create_private;
use crate::{Result, SandboxError};

/// The first folder `server-1`, `server-2`, ... that is not there yet, now made.
pub(crate) fn new_folder(salvage: &Path, server: &str) -> Result<PathBuf> {
    fs::create_dir_all(salvage).map_err(SandboxError::io("create", salvage))?;
    let mut number = 1_u32;
    loop {
        let folder = salvage.join(format!("{server}-{number}"));
        match create_private(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            made => {
                return made
                    .map(|()| folder.clone())
                    .map_err(SandboxError::io("create", &folder));
            }
        }
    }
}

/// Copies the binary logs and their index, oldest first, to the disk.
pub(crate) fn save_binlogs(data: &Path, into: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(into).map_err(SandboxError::io("create", into))?;
    let mut saved = Vec::new();
    for entry in fs::read_dir(data).map_err(SandboxError::io("read", data))? {
        let entry = entry.map_err(SandboxError::io("read", data))?;
        if entry.file_name().to_string_lossy().starts_with("binlog.") {
            let copy = into.join(entry.file_name());
            fs::copy(entry.path(), &copy)
                .and_then(|_| fs::File::open(&copy)?.sync_all())
                .map_err(SandboxError::io("save", &copy))?;
            saved.push(copy);
        }
    }
    saved.sort();
    Ok(saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_logs_and_their_index_are_saved_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("data");
        fs::create_dir(&data).expect("a folder");
        for file in [
            "binlog.000002",
            "binlog.000001",
            "binlog.index",
            "ibdata1",
            "relay.000001",
        ] {
            fs::write(data.join(file), file).expect("a file");
        }
        let salvage = dir.path().join("salvage");
        let into = new_folder(&salvage, "db1").expect("a folder");
        let saved = save_binlogs(&data, &into).expect("saved");
        let names = ["binlog.000001", "binlog.000002", "binlog.index"];
        assert_eq!(saved, names.map(|name| into.join(name)));
    }
}
