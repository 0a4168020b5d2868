//! Finds the server program, asks its version, and derives what it needs from where it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::flavor::{Flavor, Version, parse_banner};
use crate::{Result, SandboxError};

/// The variable that names a `mysqld`, for scripts and tests.
const MYSQLD_VARIABLE: &str = "MAINSTAY_MYSQLD";

/// Where `scripts/install-servers.sh mysql97` unpacks, for root and for others (below `HOME`).
const PREFIX_OF_ROOT: &str = "/opt/mainstay-servers/mysql97";
const PREFIX_OF_OTHERS: &str = ".local/share/mainstay-servers/mysql97";

const DIRECTORIES: [&str; 6] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/usr/local/mariadb/bin",
    "/usr/libexec",
];

/// A server program and the files that belong to it.
#[derive(Debug, Clone)]
pub struct ServerProgram {
    /// The program itself.
    pub path: PathBuf,
    /// Its family.
    pub flavor: Flavor,
    /// Its version.
    pub version: Version,
    pub(crate) base: PathBuf,
    pub(crate) plugins: Option<PathBuf>,
    pub(crate) messages: Option<PathBuf>,
}

/// Finds a server of that flavor: the given program, or else the first fitting one on `PATH` and
/// in the usual places. A given program that does not fit is an error, never passed over.
pub fn locate(flavor: Flavor, given: Option<&Path>) -> Result<ServerProgram> {
    let named = given.map(Path::to_owned).or_else(|| {
        let value = env::var_os(MYSQLD_VARIABLE).filter(|_| flavor == Flavor::MySql)?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    });
    if let Some(path) = named {
        let program = examine(&path)?;
        return fit(program, flavor);
    }
    let mut refused = None;
    for path in candidates(flavor) {
        match examine(&path).and_then(|program| fit(program, flavor)) {
            Ok(program) => return Ok(program),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let looked = match refused {
        Some(error @ SandboxError::UnsupportedServer { .. }) => {
            let text = error.to_string();
            text.split_once(", but")
                .map_or(text.clone(), |(found, _)| found.to_owned())
        }
        _ => "on PATH and in the usual places".to_owned(),
    };
    Err(SandboxError::NoServer { flavor, looked })
}

fn candidates(flavor: Flavor) -> Vec<PathBuf> {
    let names: &[&str] = match flavor {
        Flavor::MariaDb => &["mariadbd", "mysqld"],
        Flavor::MySql => &["mysqld"],
    };
    let on_path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&on_path)
        .chain(DIRECTORIES.iter().map(PathBuf::from))
        .collect();
    let mut found = Vec::new();
    for name in names {
        found.extend(directories.iter().map(|directory| directory.join(name)));
    }
    if flavor == Flavor::MySql {
        let home = env::var_os("HOME").map(|home| Path::new(&home).join(PREFIX_OF_OTHERS));
        let prefixes = [Some(PathBuf::from(PREFIX_OF_ROOT)), home];
        found.extend(
            prefixes
                .into_iter()
                .flatten()
                .map(|prefix| prefix.join("usr/sbin/mysqld")),
        );
    }
    found.retain(|path| path.is_absolute() && path.is_file());
    found
}

fn examine(path: &Path) -> Result<ServerProgram> {
    let bad = |reason: String| SandboxError::BadServer {
        program: path.to_owned(),
        reason,
    };
    let path = &fs::canonicalize(path).map_err(|error| bad(error.to_string()))?;
    let output = Command::new(path)
        .args(["--no-defaults", "--version"])
        .output()
        .map_err(|error| bad(error.to_string()))?;
    recognise(path, &String::from_utf8_lossy(&output.stdout)).map_err(bad)
}

/// From what a program said and where it is.
fn recognise(path: &Path, banner: &str) -> std::result::Result<ServerProgram, String> {
    let (flavor, version) = parse_banner(banner)?;
    let base = path.ancestors().nth(2).unwrap_or(Path::new("/")).to_owned();
    let plugins = first_with(
        &base,
        &["lib/mysql/plugin", "lib64/mysql/plugin", "lib/plugin"],
        "semisync_source.so",
    );
    let messages = first_with(
        &base,
        &["share/mysql", "share/mysql-server", "share"],
        "english/errmsg.sys",
    );
    Ok(ServerProgram {
        path: path.to_owned(),
        flavor,
        version,
        base,
        plugins,
        messages,
    })
}

/// `None` leaves the server its own default, which fits every ordinary package.
fn first_with(base: &Path, folders: &[&str], file: &str) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| base.join(folder))
        .find(|folder| folder.join(file).exists())
}

fn fit(program: ServerProgram, flavor: Flavor) -> Result<ServerProgram> {
    if program.flavor == flavor && flavor.supports(&program.version) {
        return Ok(program);
    }
    Err(SandboxError::UnsupportedServer {
        found: format!("{} {}", program.flavor, program.version),
        program: program.path,
        wanted: flavor.supported(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_the_other_flavor_is_refused_with_its_version() {
        let banner = "mysqld  Ver 10.11.6-MariaDB for Linux on x86_64";
        let program = recognise(Path::new("/usr/sbin/mysqld"), banner).expect("a server");
        let error = fit(program, Flavor::MySql)
            .expect_err("not MySQL")
            .to_string();
        assert!(error.contains("is MariaDB 10.11.6-MariaDB, but"), "{error}");
        assert!(error.contains("MySQL 8.0.26 to 9"), "{error}");
    }

    #[test]
    fn a_prefix_gives_its_own_plugins_and_messages() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        for file in [
            "usr/lib/mysql/plugin/semisync_source.so",
            "usr/share/mysql/english/errmsg.sys",
        ] {
            fs::create_dir_all(root.join(file).parent().expect("a parent")).expect("a folder");
            fs::write(root.join(file), "").expect("a file");
        }
        let banner = "mysqld  Ver 9.7.4-2 for Linux on x86_64";
        let program = recognise(&root.join("usr/sbin/mysqld"), banner).expect("a server");
        assert_eq!(program.base, root.join("usr"));
        assert_eq!(program.plugins, Some(root.join("usr/lib/mysql/plugin")));
        assert_eq!(program.messages, Some(root.join("usr/share/mysql")));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = locate(Flavor::MySql, Some(Path::new("/nowhere/mysqld"))).expect_err("none");
        assert!(error.to_string().contains("/nowhere/mysqld"), "{error}");
    }
}
