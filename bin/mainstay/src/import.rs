//! `mainstay import`: the configuration of another program as `mainstay.toml`.

mod included;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use mainstay_import::{Fate, Format, Imported};
use mainstay_settings::Roles;
use serde_json::json;

use crate::output::{BadInput, emit};
use crate::secrets;

/// More is no configuration.
const BYTES_MAX: u64 = 16 << 20;

/// `mainstay import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file of the other program; of MHA also both, `app1.cnf` and `masterha_default.cnf`.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Its format [default: found by what it holds].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Write the settings here, readable by you only [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print settings and report as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode> {
    let sources = included::read(&args.files)?;
    let text = &sources.text;
    let format = match &args.format {
        Some(name) => {
            let known = Format::names().join(", ");
            let wrong = || BadInput(format!("there is no format `{name}`; known are: {known}"));
            Format::named(name).ok_or_else(wrong)?
        }
        None => Format::detect(text).ok_or_else(|| {
            let (file, known) = (args.files[0].display(), Format::names().join(", "));
            BadInput(format!(
                "the format of {file} is not recognised; say it with --format; known are: {known}"
            ))
        })?,
    };
    let password = secrets::password()?;
    let imported = mainstay_import::import(format, text, &password);
    let imported = imported.map_err(|error| BadInput(sources.place(error)))?;
    let imported = sources.told(imported);
    // What was understood of the file must be settings; what still is not, a person has to see.
    let place = args.output.as_deref().unwrap_or(Path::new("mainstay.toml"));
    let check = Roles::parse(&imported.toml, place).err();
    if let Some(output) = &args.output {
        secrets::write_new(output, &imported.toml)?;
    }
    if args.json {
        emit(&format!("{:#}\n", as_json(&imported, check.as_ref())));
    } else {
        if args.output.is_none() {
            emit(&imported.toml);
        }
        eprint!("{}", report(args, format, &imported));
        if let Some(error) = &check {
            eprintln!("\nmainstay: to be completed before it can be used:\n{error}");
        }
    }
    let is_usable = check.is_none();
    Ok(if is_usable {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(path: &Path) -> Result<String> {
    let unreadable = |error: std::io::Error| {
        let path = path.display();
        BadInput(format!("{path} cannot be read: {error}"))
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(BYTES_MAX + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > BYTES_MAX {
        let sentence = format!("{} is too large for a configuration", path.display());
        return Err(BadInput(sentence).into());
    }
    String::from_utf8(bytes)
        .map_err(|_| BadInput(format!("{} is no text (UTF-8)", path.display())))
        .context("nothing was imported")
}

fn report(args: &ImportArgs, format: Format, imported: &Imported) -> String {
    let count = |fate| {
        let remarks = imported.remarks.iter();
        remarks.filter(|remark| remark.fate == fate).count()
    };
    let mut text = format!(
        "\n{} as {}: {} taken, {} changed, {} left out\n",
        args.files[0].display(),
        format.name(),
        count(Fate::Taken),
        count(Fate::Changed),
        count(Fate::LeftOut),
    );
    for remark in &imported.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    if let Some(output) = &args.output {
        let output = output.display();
        text.push_str(&format!(
            "\nwritten to {output}; next: mainstay doctor --config {output}\n"
        ));
    }
    text
}

fn as_json(
    imported: &Imported,
    check: Option<&mainstay_settings::SettingsError>,
) -> serde_json::Value {
    let remarks: Vec<_> = imported
        .remarks
        .iter()
        .map(|remark| {
            json!({
                "line": remark.line,
                "fate": remark.fate.to_string(),
                "what": remark.what,
                "sentence": remark.sentence,
            })
        })
        .collect();
    json!({
        "settings": imported.toml,
        "report": remarks,
        "mistakes": check.map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file such as people bring.
    const FILE: &str = include_str!("import/proxysql.cnf");

    #[test]
    fn what_is_imported_is_accepted_as_settings() {
        let imported = mainstay_import::import(Format::ProxySql, FILE, "0123456789abcdef");
        let toml = imported.expect("the file is right").toml;
        let settings = mainstay_settings::Settings::parse(&toml, Path::new("mainstay.toml"));
        let settings = settings.unwrap_or_else(|error| panic!("{error}\n\n{toml}"));
        assert_eq!(settings.servers.len(), 3);
        assert_eq!(settings.users.len(), 1);
        assert_eq!(settings.routing.rules.len(), 2);
    }

    #[test]
    fn an_unknown_file_is_not_guessed_at() {
        assert_eq!(Format::detect("[mysqld]\nport = 3306\n"), None);
    }

    #[test]
    fn what_becomes_of_failover_managers_is_settings() {
        let samples = [
            concat!(
                include_str!("../../../core/import/samples/mha-default.cnf"),
                include_str!("../../../core/import/samples/mha-app.cnf"),
            ),
            concat!(
                include_str!("../../../core/import/samples/mmm-common.conf"),
                include_str!("../../../core/import/samples/mmm-mon.conf"),
            ),
        ];
        for text in samples {
            let format = Format::detect(text).expect("it is recognised");
            let imported = mainstay_import::import(format, text, "0123456789abcdef");
            let toml = imported.expect("it is well formed").toml;
            let settings = mainstay_settings::Settings::parse(&toml, Path::new("mainstay.toml"));
            let settings = settings.unwrap_or_else(|error| panic!("{error}\n\n{toml}"));
            assert_eq!(settings.servers.len(), 3);
        }
    }

    /// It stands in the settings as a comment.
    #[test]
    fn what_the_hosts_of_addresses_need_is_settings() {
        let text = include_str!("../../../core/import/samples/mmm-common.conf");
        let imported = mainstay_import::import(Format::Mmm, text, "0123456789abcdef");
        let toml = imported.expect("it is well formed").toml;
        let lines = toml.lines().skip_while(|line| !line.contains("vip.toml"));
        let lines = lines.skip(1).map_while(|line| line.strip_prefix('#'));
        let hosts: Vec<_> = lines.map(str::trim_start).collect();
        let hosts = hosts.join("\n");
        let read = Roles::parse(&hosts, Path::new("vip.toml"));
        let roles = read.unwrap_or_else(|error| panic!("{error}\n\n{hosts}"));
        assert!(matches!(roles, Roles::Addresses(_)), "{hosts}");
    }

    #[test]
    fn what_becomes_of_keepalived_is_settings() {
        let samples = [
            include_str!("../../../core/import/samples/keepalived-servers.conf"),
            include_str!("../../../core/import/samples/keepalived-scripts.conf"),
            include_str!("../../../core/import/samples/keepalived-balanced.conf"),
            include_str!("../../../core/import/samples/keepalived-tracks.conf"),
        ];
        for text in samples {
            assert_eq!(Format::detect(text), Some(Format::Keepalived));
            let imported = mainstay_import::import(Format::Keepalived, text, "secret");
            let toml = imported.expect("it is well formed").toml;
            let read = Roles::parse(&toml, Path::new("mainstay.toml"));
            let roles = read.unwrap_or_else(|error| panic!("{error}\n{toml}"));
            assert!(matches!(roles, Roles::Addresses(_)), "{toml}");
        }
    }
}
