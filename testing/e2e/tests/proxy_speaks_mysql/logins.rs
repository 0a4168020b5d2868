//! Who gets in, and what those are told who do not.

use mainstay_e2e::{Client, Login, PacketClient, Sandbox, server_client};

use super::Case;

pub(crate) const CASES: &[Case] = &[
    ("the servers' own client gets in", own_client),
    ("a wrong password is error 1045", wrong_password),
    ("an unknown user is error 1045", unknown_user),
    ("an unknown database is error 1049", unknown_database),
    ("a hundred sessions get in at once", many_sessions),
];

const ACCESS_DENIED: u16 = 1045;
const UNKNOWN_DATABASE: u16 = 1049;

fn own_client(sandbox: &Sandbox) {
    let sql = "CREATE TABLE app.own (id INT PRIMARY KEY, text VARCHAR(20)); \
               INSERT INTO app.own VALUES (1, 'één'), (2, NULL); \
               SELECT * FROM app.own ORDER BY id FOR UPDATE; SELECT DATABASE()";
    let arguments = ["--default-character-set=utf8mb4"];
    let done = server_client(sandbox.family(), &sandbox.proxy(), &arguments, sql);
    assert_eq!(done.succeeded(), "1\téén\n2\tNULL\napp\n");
}

fn wrong_password(sandbox: &Sandbox) {
    let login = Login {
        password: "wrong".to_owned(),
        ..sandbox.proxy()
    };
    assert_eq!(refusal(&login), ACCESS_DENIED);
    let complaint = server_client(sandbox.family(), &login, &[], "SELECT 1").failed_with(1);
    assert!(complaint.contains("ERROR 1045 (28000)"), "{complaint}");
    let empty = Login {
        password: String::new(),
        ..sandbox.proxy()
    };
    assert_eq!(refusal(&empty), ACCESS_DENIED);
}

fn unknown_user(sandbox: &Sandbox) {
    let login = Login {
        user: "nobody".to_owned(),
        ..sandbox.proxy()
    };
    assert_eq!(refusal(&login), ACCESS_DENIED);
    let error = PacketClient::connect(&login).err().expect("nobody gets in");
    assert!(error.message.contains("nobody"), "{}", error.message);
}

/// The user may use every database whose name begins with `test`, this one does not exist.
fn unknown_database(sandbox: &Sandbox) {
    let login = sandbox.proxy().with_database("test_of_nothing");
    let done = server_client(sandbox.family(), &login, &[], "SELECT 1");
    let complaint = done.failed_with(1);
    assert!(complaint.contains("ERROR 1049 (42000)"), "{complaint}");
    let mut session = super::session(sandbox);
    assert_eq!(session.error_of("USE test_of_nothing"), UNKNOWN_DATABASE);
    // An error of the session's own doing leaves it as it was.
    assert_eq!(session.value("SELECT DATABASE()"), "app");
}

fn many_sessions(sandbox: &Sandbox) {
    let mut sessions: Vec<_> = (0..100).map(|_| super::session(sandbox)).collect();
    for (number, session) in sessions.iter_mut().enumerate() {
        assert_eq!(
            session.value(&format!("SELECT {number}")),
            number.to_string()
        );
    }
}

fn refusal(login: &Login) -> u16 {
    let error = Client::try_connect(login).err().expect("nobody gets in");
    let code = error.server_code();
    code.unwrap_or_else(|| panic!("an error of a server is expected, not: {error}"))
}
