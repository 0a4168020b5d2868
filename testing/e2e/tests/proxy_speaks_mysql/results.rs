//! Results and statements of every size.

use mainstay_e2e::{Family, Sandbox, SqlValue};

use super::{Case, session};

pub(crate) const CASES: &[Case] = &[
    ("a result of 20 MB arrives whole", big_result),
    ("a row longer than one packet arrives whole", big_row),
    ("a statement of many megabytes arrives whole", big_statement),
    (
        "values of every kind come back as they were",
        kinds_of_values,
    ),
    (
        "an error in the middle of a result leaves a good session",
        error_in_a_result,
    ),
];

const MEGABYTE: usize = 1 << 20;
const OUT_OF_RANGE: u16 = 1690;

fn big_result(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE TABLE app.big (id INT PRIMARY KEY, data LONGTEXT)");
    for id in 0..20 {
        let letter = char::from(b'a' + id);
        let sql = format!("INSERT INTO app.big VALUES ({id}, REPEAT('{letter}', {MEGABYTE}))");
        session.execute(&sql);
    }
    let rows = session
        .query("SELECT id, data FROM app.big ORDER BY id FOR UPDATE")
        .rows;
    assert_eq!(rows.len(), 20);
    for (id, row) in (0..20_u8).zip(&rows) {
        let data = row.get_index(1).expect("not NULL");
        assert!(data.len() == MEGABYTE && data.bytes().all(|byte| byte == b'a' + id));
    }
    assert_eq!(
        session.value("SELECT COUNT(*) FROM app.big FOR UPDATE"),
        "20"
    );
}

fn big_row(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    let bytes = 10 * MEGABYTE;
    let sql = format!("SELECT REPEAT('x', {bytes}), REPEAT('y', {bytes}), 'end'");
    let rows = session.query(&sql).rows;
    let lengths = [0, 1, 2].map(|index| rows[0].get_index(index).map(str::len));
    assert_eq!(lengths, [Some(bytes), Some(bytes), Some(3)]);
    assert_eq!(session.value("SELECT 'afterwards'"), "afterwards");
}

fn big_statement(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE TABLE app.literals (id INT PRIMARY KEY, data LONGTEXT)");
    // Each server takes what its own max_allowed_packet allows; one packet holds 16 MB.
    let megabytes = match sandbox.family() {
        Family::MariaDb => 14,
        Family::MySql => 20,
    };
    let literal = "z".repeat(megabytes * MEGABYTE);
    session.execute(&format!("INSERT INTO app.literals VALUES (1, '{literal}')"));
    let length = session.value("SELECT LENGTH(data) FROM app.literals FOR UPDATE");
    assert_eq!(length, literal.len().to_string());
    let insert = session.prepare("INSERT INTO app.literals VALUES (?, ?)");
    session.run(
        &insert,
        &[SqlValue::from(2_i64), SqlValue::from(literal.as_str())],
    );
    let equal = "SELECT COUNT(DISTINCT SHA2(data, 256)) FROM app.literals FOR UPDATE";
    assert_eq!(session.value(equal), "1");
}

fn kinds_of_values(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute(
        "CREATE TABLE app.kinds (id BIGINT PRIMARY KEY, u BIGINT UNSIGNED, d DECIMAL(10, 2), \
         t VARCHAR(50), s DATETIME(6), n INT NULL) DEFAULT CHARSET utf8mb4",
    );
    let insert = session.prepare("INSERT INTO app.kinds VALUES (?, ?, ?, ?, ?, ?)");
    let values = [
        SqlValue::from(i64::MIN),
        SqlValue::from(u64::MAX),
        SqlValue::from("-12.50"),
        SqlValue::from("quote ' and 🦀"),
        SqlValue::from("2024-02-29 23:59:59.123456"),
        SqlValue::Null,
    ];
    session.run(&insert, &values);
    let wanted = [
        Some("-9223372036854775808"),
        Some("18446744073709551615"),
        Some("-12.50"),
        Some("quote ' and 🦀"),
        Some("2024-02-29 23:59:59.123456"),
        None,
    ];
    let select = "SELECT * FROM app.kinds FOR UPDATE";
    let text = session.query(select);
    let statement = session.prepare(select);
    let binary = session.run(&statement, &[]);
    for result in [text, binary] {
        let row = result.first().expect("a row");
        let fields: Vec<_> = (0..wanted.len())
            .map(|index| row.get_index(index))
            .collect();
        assert_eq!(fields, wanted);
    }
}

fn error_in_a_result(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE TABLE app.overflow (id INT PRIMARY KEY, n BIGINT)");
    session.execute("INSERT INTO app.overflow VALUES (1, 1), (2, 9223372036854775807)");
    for _ in 0..5 {
        let sql = "SELECT id, n + 1 FROM app.overflow ORDER BY id FOR UPDATE";
        assert_eq!(session.error_of(sql), OUT_OF_RANGE);
        assert_eq!(session.value("SELECT 'good'"), "good");
    }
}
