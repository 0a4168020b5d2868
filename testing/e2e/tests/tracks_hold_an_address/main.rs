//! An address is there while what it depends on is well: a file that is not there, a process that
//! runs, a program that agrees, a server that really serves.

use std::fs;
use std::process::Command;
use std::time::Duration;

use mainstay_e2e::{
    Family, Home, Login as Account, Network, Sandbox, mainstay_binary, on_both_families, wait_until,
};
use mainstay_health::{Login, MySqlProbe, Probe, Role};
use mainstay_probes::look;

const PROGRAM: &str = env!("CARGO_BIN_EXE_named-server");

on_both_families!(a_probe_tells_a_primary_from_its_replicas_and_a_server_from_a_stranger);

fn a_probe_tells_a_primary_from_its_replicas_and_a_server_from_a_stranger(family: Family) {
    let sandbox = Sandbox::start(family);
    let primary = sandbox.primary();
    let lag_max = Some(Duration::from_mins(1));
    for server in sandbox.servers() {
        let login = sandbox.manager_login(&server.name);
        let is_primary = server.name == primary;
        assert!(passes(&login, Role::Any));
        assert_eq!(
            passes(&login, Role::Writable),
            is_primary,
            "{}",
            server.name
        );
        assert_eq!(passes(&login, Role::Primary), is_primary, "{}", server.name);
        assert_eq!(
            passes(&login, Role::Replica { lag_max }),
            !is_primary,
            "{}",
            server.name
        );
        let stranger = Account {
            password: "wrong".to_owned(),
            ..login
        };
        assert!(
            !passes(&stranger, Role::Any),
            "a bare connection would succeed"
        );
    }
    assert!(
        passes(&sandbox.proxy(), Role::Any),
        "the proxy is asked in the same way"
    );
}

fn passes(account: &Account, role: Role) -> bool {
    let probe = Probe::MySql(MySqlProbe {
        address: format!("{}:{}", account.host, account.port)
            .parse()
            .expect("an address"),
        login: Login {
            user: account.user.clone(),
            password: account.password.clone(),
        },
        query: "SELECT 1".to_owned(),
        role,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime can be made");
    let looked = runtime.block_on(look(&probe, Duration::from_secs(20)));
    if let Err(failure) = &looked {
        eprintln!("{role:?} at port {}: {failure}", account.port);
    }
    looked.is_ok()
}

#[test]
fn an_address_goes_when_a_track_fails_and_comes_back_with_it() {
    let home = Home::new();
    let mut network = Network::new("trk");
    network.host("h", &["10.78.0.1/24"]);
    let (down, agree) = (home.join("down"), home.join("agree"));
    fs::write(&agree, "").expect("a file");
    let text = format!(
        "[[vip]]\nname = \"writer\"\ninterface = \"eth0\"\nvirtual_router_id = 9\n\
         addresses = [\"10.78.0.100/24\"]\nversion = 3\nadvert_interval = \"100ms\"\n\
         {}{}{}[api]\npassword = \"secret\"\n",
        track("file", &format!("file = \"{}\"", down.display())),
        track("process", "process = \"named-server\""),
        track(
            "script",
            &format!("command = [\"test\", \"-e\", \"{}\"]", agree.display())
        ),
    );
    fs::write(home.join("vip.toml"), text).expect("a file");
    let process = serve(&mut network);
    let mut command = Command::new(mainstay_binary());
    command
        .args(["serve", "--config"])
        .arg(home.join("vip.toml"));
    network.spawn("h", &mut command);
    let holds = |network: &Network| {
        let shown = network
            .run("h", &["ip", "-4", "addr", "show", "dev", "eth0"])
            .succeeded();
        shown.contains("10.78.0.100")
    };
    wait_until("the address", || holds(&network));
    fs::write(&down, "").expect("a file");
    wait_until("no address: the file is there", || !holds(&network));
    fs::remove_file(&down).expect("it is there");
    wait_until("the address", || holds(&network));
    fs::remove_file(&agree).expect("it is there");
    wait_until("no address: the program does not agree", || {
        !holds(&network)
    });
    fs::write(&agree, "").expect("a file");
    wait_until("the address", || holds(&network));
    network.kill(process);
    wait_until("no address: the process is gone", || !holds(&network));
    serve(&mut network);
    wait_until("the address", || holds(&network));
}

fn track(kind: &str, keys: &str) -> String {
    format!(
        "[[vip.track]]\nkind = \"{kind}\"\n{keys}\ninterval = \"100ms\"\n\
         retry_interval = \"100ms\"\nlimit = \"10s\"\nfall = 1\nrise = 1\n"
    )
}

fn serve(network: &mut Network) -> u32 {
    let mut command = Command::new(PROGRAM);
    network.spawn("h", command.args(["serve", "x", "127.0.0.1:3306"]))
}
