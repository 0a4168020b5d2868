//! The kept inputs: a folder for each target, a file for each input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Target;

/// The folder of a target's inputs.
pub fn folder(target: Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

/// The inputs of a target, with their paths, in the order of their names.
pub fn inputs(target: Target) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder(target))? {
        paths.push(entry?.path());
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| Ok((path.clone(), fs::read(path)?)))
        .collect()
}

/// Keeps an input that has broken something; gives its path.
pub fn keep(target: Target, data: &[u8]) -> io::Result<PathBuf> {
    let sum = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder(target).join(format!("broke-{sum:016x}"));
    fs::create_dir_all(folder(target))?;
    fs::write(&path, data)?;
    Ok(path)
}
