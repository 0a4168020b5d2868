//! What the sandbox's proxy is started with: its defaults, or the `[proxy]` section of a file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use mainstay_proxy::ProxyOptions;
use mainstay_sandbox::{Flavor, Sandbox};
use mainstay_session::{
    Algorithms, AuthPlugin, ClientTls, Credential, Policy, Secret, ServerTls, User,
};
use mainstay_settings::Settings;

use crate::args::SandboxArgs;
use crate::certificates::Certificates;
use crate::output::BadInput;
use crate::serve;

pub(super) async fn options(
    args: &SandboxArgs,
    sandbox: &Sandbox,
    listen: SocketAddr,
) -> Result<ProxyOptions> {
    let home = sandbox.dir();
    let Some(file) = &args.settings else {
        return Ok(ProxyOptions {
            listen,
            policy: Arc::new(default_policy(sandbox)),
            filters: Certificates::made(home, listen.ip())?.load()?,
            ..ProxyOptions::default()
        });
    };
    let settings = settings(file, sandbox)?;
    let (Some(proxy), Some(policy)) = (&settings.proxy, settings.session_policy()) else {
        let path = file.display();
        return Err(BadInput(format!("{path} has no [proxy] section")).into());
    };
    let options = serve::proxy_options(&settings, proxy, policy).await?;
    let filters = Certificates::of(proxy, home)?.load()?;
    Ok(ProxyOptions {
        listen,
        filters,
        ..options
    })
}

/// The file's text, and after it what the sandbox alone can know, so that the lines of the file
/// keep their numbers in what is said of its mistakes.
fn settings(file: &Path, sandbox: &Sandbox) -> Result<Settings> {
    let path = file.display();
    let mut text = std::fs::read_to_string(file)
        .map_err(|error| BadInput(format!("cannot read {path}: {error}")))?;
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
    Ok(Settings::parse(&text, file).map_err(|error| BadInput(error.to_string()))?)
}

fn default_policy(sandbox: &Sandbox) -> Policy {
    let app = &sandbox.credentials().app;
    let user = User {
        credential: Credential::Clear(Secret::new(&app.password)),
        ..User::default()
    };
    Policy {
        users: BTreeMap::from([(app.user.clone(), user)]),
        server_version: sandbox.version().to_string(),
        auth_plugin: match sandbox.flavor() {
            Flavor::MariaDb => AuthPlugin::NativePassword,
            Flavor::MySql => AuthPlugin::CachingSha2,
        },
        client_tls: ClientTls::Offered,
        server_tls: ServerTls::Preferred,
        client_compression: Algorithms {
            zlib: true,
            zstd: true,
        },
        ..Policy::default()
    }
}
