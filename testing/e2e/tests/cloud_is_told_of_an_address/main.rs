//! A cloud is told where an address belongs, by a program and by a webhook: after a refusal and
//! after a call without an end once more, until one succeeds; and anew when the address comes back.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mainstay_e2e::{Home, Network, mainstay_binary, processes, wait_for, wait_until};
use serde_json::{Value, json};

const WEBHOOK: &str = env!("CARGO_BIN_EXE_webhook");
const LISTEN: &str = "127.0.0.1:8080";

/// As unwell as the webhook: the first call fails, the second has no end.
const PROGRAM: &str = r#"
echo "$MAINSTAY_NAME $MAINSTAY_ADDRESS $MAINSTAY_EPOCH $MAINSTAY_SERVER" \
  "$MAINSTAY_HOST $MAINSTAY_PORT $MAINSTAY_ATTEMPT" >>"$0/told"
test "$MAINSTAY_ATTEMPT" != 1 || exit 1
test "$MAINSTAY_ATTEMPT" != 2 || { echo $$ >"$0/pid"; exec sleep 600; }
"#;

struct Host {
    home: Home,
    network: Network,
}

#[test]
fn both_are_called_until_they_succeed_and_again_when_the_address_comes_back() {
    let host = Host::start();
    let told = host.wait_for_lines("told", 3);
    let name = fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux has it");
    let name = name.trim();
    for (attempt, line) in (1..).zip(&told[..3]) {
        assert_eq!(
            *line,
            format!("program 203.0.113.7 0 {name} {name} 0 {attempt}")
        );
    }
    let pid = fs::read_to_string(host.home.join("pid")).expect("the second call wrote it");
    let pid = pid.trim().parse().expect("a number");
    assert!(
        !processes::runs(pid),
        "ended at the limit, before the third"
    );

    let posted = host.wait_for_lines("posted", 3);
    for (attempt, line) in (1..).zip(&posted[..3]) {
        let body: Value = serde_json::from_str(line).expect("JSON");
        let expected = json!({
            "name": "webhook", "address": "eip-1", "epoch": 0, "server": name, "host": name,
            "port": 0, "attempt": attempt,
        });
        assert_eq!(body, expected);
    }

    let down = host.home.join("down");
    fs::write(&down, "").expect("a file");
    wait_until("no address", || !host.holds());
    fs::remove_file(&down).expect("it is there");
    for file in ["told", "posted"] {
        wait_for("another first attempt", || {
            let lines = host.lines(file);
            let first = |line: &&String| line.ends_with(" 1") || line.ends_with("\"attempt\": 1}");
            match lines.iter().filter(first).count() {
                2 => Ok(()),
                _ => Err(lines.join("\n")),
            }
        });
    }
}

impl Host {
    fn start() -> Self {
        let home = Home::new();
        let mut network = Network::new("cld");
        network.host("h", &["10.79.0.1/24"]);
        let posted = home.join("posted");
        network.spawn("h", Command::new(WEBHOOK).arg(LISTEN).arg(&posted));
        wait_until("the webhook", || posted.exists());
        let (folder, down) = (home.path(), home.join("down"));
        let (folder, down) = (folder.display(), down.display());
        let retry = "limit = \"3s\"\nretry_interval = \"100ms\"\n";
        let text = format!(
            "[[vip]]\nname = \"writer\"\ninterface = \"eth0\"\nvirtual_router_id = 9\n\
             addresses = [\"10.79.0.100/24\"]\nversion = 3\nadvert_interval = \"100ms\"\n\
             [[vip.track]]\nkind = \"file\"\nfile = \"{down}\"\ninterval = \"100ms\"\n\
             retry_interval = \"100ms\"\nlimit = \"10s\"\nfall = 1\nrise = 1\n\
             [[cloud_address]]\nname = \"program\"\naddress = \"203.0.113.7\"\nvip = \"writer\"\n\
             command = [\"/bin/sh\", \"-c\", '''{PROGRAM}''', \"{folder}\"]\n{retry}\
             [[cloud_address]]\nname = \"webhook\"\naddress = \"eip-1\"\nvip = \"writer\"\n\
             url = \"http://{LISTEN}/move\"\n{retry}\
             [api]\npassword = \"secret\"\n"
        );
        let file: PathBuf = home.join("vip.toml");
        fs::write(&file, text).expect("a file");
        let mut command = Command::new(mainstay_binary());
        network.spawn("h", command.args(["serve", "--config"]).arg(file));
        Self { home, network }
    }

    fn holds(&self) -> bool {
        let command = ["ip", "-4", "addr", "show", "dev", "eth0"];
        let shown = self.network.run("h", &command).succeeded();
        shown.contains("10.79.0.100")
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.home.join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn wait_for_lines(&self, file: &str, count: usize) -> Vec<String> {
        wait_for(&format!("{count} calls in {file}"), || {
            let lines = self.lines(file);
            if lines.len() < count {
                return Err(lines.join("\n"));
            }
            Ok(lines)
        })
    }
}
