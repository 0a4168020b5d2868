//! A disk for each server: a small file system in memory, which can be full.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::Lab;
use crate::program::run;

const SIZE: &str = "size=900M";

/// A mounted file system.
#[derive(Debug)]
pub(super) struct Disk(PathBuf);

impl Disk {
    pub(super) fn mount(at: &Path) -> Self {
        std::fs::create_dir_all(at).expect("a folder can be made");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", SIZE, "lab"]).arg(at);
        run(&mut command).succeeded();
        Self(at.to_owned())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all that is free.
    pub(super) fn fill(&self) {
        let mut command = Command::new("dd");
        command.args(["if=/dev/zero", "bs=64k"]);
        command.arg(format!("of={}", self.ballast().display()));
        // It ends when there is no more.
        let ended = run(&mut command);
        assert_ne!(ended.code, Some(0), "the disk has no end");
    }

    /// Gives it back.
    pub(super) fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("it was full");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazy: whoever still has a file open there keeps it to the end.
        let _ = run(Command::new("umount").arg("-l").arg(&self.0));
    }
}

impl Lab {
    /// Nothing more fits on a server's disk.
    #[track_caller]
    pub fn fill_disk(&self, server: usize) {
        self.servers[server - 1].disk().fill();
    }

    /// There is room again.
    #[track_caller]
    pub fn free_disk(&self, server: usize) {
        self.servers[server - 1].disk().free();
    }

    /// The directory with a server's data.
    pub fn data(&self, server: usize) -> PathBuf {
        self.servers[server - 1].data()
    }

    /// Puts freshly made data in the place of a server's, which must not run: a new machine.
    #[track_caller]
    pub fn empty_server(&mut self, server: usize) {
        let home = self.home.path().to_owned();
        self.servers[server - 1].empty(&home);
    }
}
