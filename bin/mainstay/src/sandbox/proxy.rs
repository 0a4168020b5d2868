//! What the sandbox's proxy is started with: its defaults, or the `[proxy]` section of a file.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use mainstay_proxy::ProxyOptions;
use mainstay_sandbox::Sandbox;
use mainstay_settings::Settings;

use crate::args::SandboxArgs;
use crate::certificates::Certificates;
use crate::logs::Logs;
use crate::output::BadInput;
use crate::serve;

/// What stands for a file when there is none: all defaults.
const NO_FILE: &str = "[proxy]\n";

/// What the sandbox's proxy runs with.
pub(super) struct Run {
    pub(super) options: ProxyOptions,
    /// What stands for the settings file, and what it means.
    pub(super) text: String,
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) logs: Arc<Logs>,
}

pub(super) async fn options(
    args: &SandboxArgs,
    sandbox: &Sandbox,
    listen: SocketAddr,
) -> Result<Run> {
    let home = sandbox.dir();
    let path = args
        .settings
        .as_deref()
        .unwrap_or(Path::new("mainstay.toml"));
    let text = text(args.settings.as_deref(), sandbox)?;
    let settings = Settings::parse(&text, path).map_err(|error| BadInput(error.to_string()))?;
    let (Some(proxy), Some(policy)) = (&settings.proxy, settings.session_policy()) else {
        return Err(BadInput("the file of --settings has no [proxy] section".to_owned()).into());
    };
    let options = serve::proxy_options(&settings, proxy, policy).await?;
    let mut certificates = match args.settings {
        Some(_) => Certificates::of(proxy, home)?,
        None => Certificates::made(home, listen.ip())?,
    };
    let logs = Arc::new(Logs::default());
    logs.open(&settings.logs)
        .map_err(|error| BadInput(format!("{error:#}")))?;
    let options = ProxyOptions {
        listen,
        recorder: Some(logs.clone()),
        filters: certificates.load()?,
        ..options
    };
    Ok(Run {
        options,
        text,
        path: path.to_owned(),
        settings,
        tls: certificates.clients(),
        logs,
    })
}

/// The file's text, and after it what the sandbox alone can know, so that the lines of the file
/// keep their numbers in what is said of its mistakes.
fn text(file: Option<&Path>, sandbox: &Sandbox) -> Result<String> {
    let mut text = match file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| BadInput(format!("cannot read {}: {error}", file.display())))?,
        None => NO_FILE.to_owned(),
    };
    let known = sandbox.credentials();
    let (manager, replication, app) = (&known.manager, &known.replication, &known.app);
    text.push_str("\n[cluster]\nname = \"sandbox\"\n");
    for server in sandbox.servers() {
        let (name, address) = (&server.name, &server.address);
        let _ = write!(
            text,
            "[[server]]\nname = \"{name}\"\naddress = \"{address}\"\n"
        );
    }
    let _ = write!(
        text,
        "[manager]\nuser = \"{}\"\npassword = \"{}\"\n\
         replication_user = \"{}\"\nreplication_password = \"{}\"\n\
         [[user]]\nname = \"{}\"\npassword = \"{}\"\n\
         [api]\npassword = \"the sandbox has its own\"\n",
        manager.user,
        manager.password,
        replication.user,
        replication.password,
        app.user,
        app.password
    );
    Ok(text)
}
