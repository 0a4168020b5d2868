//! Looks at small servers and commands of the test's own.

use mainstay_health::{HttpProbe, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn shell(text: &str) -> Script {
    Script {
        command: ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
        user: None,
        sets_weight: true,
    }
}

async fn scripted(text: &str, limit: Duration) -> Result<Passed, Failure> {
    look(&Probe::Script(shell(text)), limit).await
}

#[tokio::test]
async fn a_command_passes_by_its_exit_code_and_may_set_the_weight() {
    let passed = scripted("exit 0", LIMIT).await.expect("it passes");
    assert_eq!(passed.weight, None);
    assert!(matches!(
        scripted("exit 1", LIMIT).await,
        Err(Failure::Exit(1))
    ));
    let passed = scripted("exit 12", LIMIT).await.expect("it passes");
    assert_eq!(passed.weight, Some(10));
    let killed = scripted("kill -9 $$", LIMIT).await;
    assert!(matches!(killed, Err(Failure::Signal(9))), "{killed:?}");
}

#[tokio::test]
async fn a_command_that_hangs_is_ended_with_all_it_started() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("pid");
    let text = format!("sleep 1000 & echo $! > {}; wait", file.display());
    let limit = Duration::from_secs(1);
    let late = scripted(&text, limit).await;
    assert!(matches!(late, Err(Failure::Late(_))), "{late:?}");
    let pid = std::fs::read_to_string(&file).expect("it was started");
    let stat = std::path::Path::new("/proc").join(pid.trim()).join("stat");
    let state = || std::fs::read_to_string(&stat).ok();
    // Its new parent has still to notice.
    while state().is_some_and(|stat| !stat.contains(") Z")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_missing_command_and_a_missing_user_are_said() {
    let mut script = shell("true");
    script.user = Some("no-such-user".to_owned());
    let said = run_script(&script, &[], LIMIT).await.expect_err("no user");
    assert_eq!(
        said.to_string(),
        "there is no user `no-such-user` on this host"
    );
    script.user = None;
    script.command = vec!["/no/such/program".to_owned()];
    let said = run_script(&script, &[], LIMIT)
        .await
        .expect_err("no program");
    assert!(
        said.to_string()
            .starts_with("/no/such/program cannot be started"),
        "{said}"
    );
}

#[tokio::test]
async fn a_connection_is_made_or_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    assert!(look(&Probe::Tcp { address }, LIMIT).await.is_ok());
    // Its own port, on which it does not listen: one that was listened on may still be, in a
    // program that another test is about to start.
    let silent = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    silent.bind(any).expect("a port");
    let address = silent.local_addr().expect("an address");
    let refused = look(&Probe::Tcp { address }, LIMIT).await;
    assert!(matches!(refused, Err(Failure::Connect(_))), "{refused:?}");
}

async fn asked(answer: &'static str, contains: Option<&str>) -> Result<Passed, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = [0; 1024];
        let length = stream.read(&mut request).await.expect("a request");
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("an answer");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let probe = Probe::Http(HttpProbe {
        address,
        host: Some("db.example".to_owned()),
        path: "/ready".to_owned(),
        statuses: Vec::new(),
        contains: contains.map(str::to_owned),
    });
    let passed = look(&probe, LIMIT).await;
    let request = server.await.expect("it does not panic");
    assert!(
        request.starts_with("GET /ready HTTP/1.0\r\nHost: db.example\r\n"),
        "{request}"
    );
    passed
}

#[tokio::test]
async fn an_http_server_answers_with_the_status_and_the_text_that_are_right() {
    let right = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall is well";
    assert!(asked(right, Some("well")).await.is_ok());
    assert!(matches!(
        asked(right, Some("ill")).await,
        Err(Failure::Lacks)
    ));
    let busy = asked("HTTP/1.1 503 Busy\r\n\r\n", None).await;
    assert!(matches!(busy, Err(Failure::Status(503))));
    assert!(matches!(
        asked("220 mail.example\r\n\r\n", None).await,
        Err(Failure::NoHttp)
    ));
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_has_failed_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let probe = Probe::MySql(mainstay_health::MySqlProbe {
        address: listener.local_addr().expect("an address"),
        login: mainstay_health::Login {
            user: "watch".to_owned(),
            password: String::new(),
        },
        query: "SELECT 1".to_owned(),
        role: mainstay_health::Role::Any,
    });
    let hung = look(&probe, Duration::from_millis(50)).await;
    assert!(
        hung.is_err(),
        "a listener that never accepts took the connection"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_changes_with_their_reason_and_ends_when_nobody_listens() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("down");
    let timing = mainstay_health::Timing {
        fall: 2,
        rise: 1,
        ..mainstay_health::Timing::default()
    };
    let (tell, mut told) = tokio::sync::mpsc::channel(4);
    let probe = Probe::File { path: path.clone() };
    let task = tokio::spawn(watch("x", (probe, timing), tell));
    let first = told.recv().await;
    assert_eq!(first, Some(("x", mainstay_health::Verdict::Up, None)));
    std::fs::write(&path, "").expect("a file");
    let (_, verdict, reason) = told.recv().await.expect("it watches");
    assert_eq!(verdict, mainstay_health::Verdict::Down);
    assert!(reason.is_some_and(|reason| reason.ends_with("is there")));
    drop(told);
    task.await.expect("it ends by itself");
}
