//! `mainstay init`: settings to begin with, whose passwords are random.

mod dialect;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use mainstay_settings::Settings;

use crate::output::{BadInput, emit};
use crate::secrets;
use dialect::REPLICATE;

/// `mainstay init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where to write; a file that is there is not overwritten.
    #[arg(long, value_name = "FILE", default_value = "mainstay.toml")]
    pub(crate) output: PathBuf,
    /// A server, once for each.
    #[arg(long = "server", value_name = "HOST:PORT", required = true)]
    pub(crate) servers: Vec<String>,
    /// The name of the user that applications log in with.
    #[arg(long, value_name = "NAME", default_value = "app")]
    pub(crate) user: String,
    /// No manager: `read_only` of the servers decides, and something else promotes.
    #[arg(long)]
    pub(crate) alone: bool,
}

pub(crate) fn run(args: &InitArgs) -> Result<ExitCode> {
    let text = settings(args)?;
    // What a person gave on the command line is said to be wrong in the words of the file.
    Settings::parse(&text, &args.output).map_err(|error| BadInput(error.to_string()))?;
    secrets::write_new(&args.output, &text)?;
    let output = args.output.display();
    emit(&format!(
        "{output} is written, readable by you only. Next:\n  \
         1. make the accounts on the primary: the statements stand in {output}\n  \
         2. mainstay doctor --config {output}\n  \
         3. mainstay serve --config {output}\n"
    ));
    Ok(ExitCode::SUCCESS)
}

fn settings(args: &InitArgs) -> Result<String> {
    let [own, replication, app, api, admin] = [(); 5].map(|()| secrets::password());
    let (own, replication, app, api, admin) = (own?, replication?, app?, api?, admin?);
    let mut text = String::from(
        "# Made by `mainstay init`. It holds passwords: keep it readable by its owner only.\n\
         # Every other key has its default: examples/mainstay.toml.\n",
    );
    for (number, address) in (1..).zip(&args.servers) {
        let address = quoted(address);
        text.push_str(&format!(
            "\n[[server]]\nname = \"db{number}\"\naddress = {address}\n"
        ));
    }
    let user = quoted(&args.user);
    if args.alone {
        text.push_str(&format!(
            "\n# On the primary:\n\
             # CREATE USER 'monitor'@'%' IDENTIFIED BY '{own}';\n\
             # GRANT REPLICATION CLIENT ON *.* TO 'monitor'@'%';\n\
             # MariaDB: GRANT REPLICA MONITOR ON *.* TO 'monitor'@'%';\n\
             [monitor]\nuser = \"monitor\"\npassword = \"{own}\"\n"
        ));
    } else {
        text.push_str(&format!(
            "\n# On the primary (which rights are enough: docs/safety.md):\n\
             # CREATE USER 'mainstay'@'%' IDENTIFIED BY '{own}';\n\
             # GRANT ALL ON *.* TO 'mainstay'@'%' WITH GRANT OPTION;\n\
             # CREATE USER 'replication'@'%' IDENTIFIED BY '{replication}';\n\
             # GRANT {REPLICATE} ON *.* TO 'replication'@'%';\n\
             [manager]\nuser = \"mainstay\"\npassword = \"{own}\"\n\
             replication_user = \"replication\"\nreplication_password = \"{replication}\"\n"
        ));
    }
    text.push_str(&format!(
        "\n[proxy]\n# listen = \"127.0.0.1:6033\"\n\
         \n# The same account must exist on the servers.\n\
         [[user]]\nname = {user}\npassword = \"{app}\"\n\
         \n# SQL on 127.0.0.1:6032, as user `admin`.\n\
         [admin]\npassword = \"{admin}\"\n\
         \n[api]\npassword = \"{api}\"\n"
    ));
    Ok(text)
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn args(servers: &[&str], alone: bool) -> InitArgs {
        InitArgs {
            output: "mainstay.toml".into(),
            servers: servers.iter().map(|&one| one.to_owned()).collect(),
            user: "app".to_owned(),
            alone,
        }
    }

    #[test]
    fn what_is_made_is_right() {
        for alone in [false, true] {
            let text = settings(&args(&["10.0.0.1:3306", "db2.example:3307"], alone));
            let settings = Settings::parse(&text.expect("text"), Path::new("mainstay.toml"));
            let settings = settings.expect("it is right");
            assert_eq!(settings.servers.len(), 2);
            assert_eq!(settings.control.monitor().is_some(), alone);
            assert!(settings.admin.is_some());
        }
    }

    #[test]
    fn what_is_no_address_is_no_address_in_the_file_either() {
        let text = settings(&args(&["a\"b"], false)).expect("text");
        let error = Settings::parse(&text, Path::new("f")).expect_err("no address");
        assert!(error.to_string().contains("server.address"), "{error}");
    }
}
