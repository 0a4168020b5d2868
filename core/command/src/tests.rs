//! Spellings that operators and clients use, and laws that hold for any text.

use proptest::prelude::*;

use super::*;
use crate::pattern::spellings;

fn moved(module: Module, from: Layer, to: Layer) -> Command {
    Command::Move { module, from, to }
}

#[test]
fn every_spelling_of_load_and_save_moves_the_same_way() {
    use Layer::{Disk, File, Memory, Runtime};
    let spellings: [(&str, &[&str], Layer, Layer); 5] = [
        (
            "LOAD",
            &["TO RUNTIME", "TO RUN", "FROM MEMORY", "FROM MEM"],
            Memory,
            Runtime,
        ),
        (
            "SAVE",
            &["TO MEMORY", "TO MEM", "FROM RUNTIME", "FROM RUN"],
            Runtime,
            Memory,
        ),
        ("LOAD", &["FROM DISK", "TO MEMORY", "TO MEM"], Disk, Memory),
        (
            "SAVE",
            &["TO DISK", "FROM MEMORY", "FROM MEM"],
            Memory,
            Disk,
        ),
        ("LOAD", &["FROM CONFIG"], File, Memory),
    ];
    for module in Module::ALL {
        for (verb, ends, from, to) in spellings {
            for end in ends {
                let text = format!("{verb} {} {end};", module.name());
                assert_eq!(parse(&text), moved(module, from, to), "{text}");
                let lower = text.to_lowercase();
                assert_eq!(parse(&lower), moved(module, from, to), "{lower}");
            }
        }
    }
}

#[test]
fn commands_of_products_that_are_not_here_are_known() {
    let text = "load clickhouse users to runtime";
    let module = Module::Absent("CLICKHOUSE USERS");
    assert_eq!(parse(text), moved(module, Layer::Memory, Layer::Runtime));
    assert_eq!(
        parse("PROXYSQL MEMPROFILE START"),
        Command::Control(Control::Inert)
    );
    assert_eq!(
        parse("PROXYSQL CLUSTER_NODE_UUID a-b-c"),
        Command::Control(Control::Inert)
    );
}

#[test]
fn the_product_answers_to_its_own_name_too() {
    for name in ["proxysql", "Mainstay"] {
        let text = format!("{name} shutdown slow");
        let slow = Control::Shutdown { slow: true };
        assert_eq!(parse(&text), Command::Control(slow), "{text}");
    }
}

#[test]
fn what_is_no_command_is_sql() {
    for text in [
        "SELECT * FROM mysql_users",
        "insert into mysql_servers (hostname) values ('a')",
        "LOAD MYSQL USERS",
        "SHOW",
        "LOAD MYSQL USERS TO RUNTIME now",
        "SELECT 'INTO OUTFILE'",
        "'an open quotation",
    ] {
        assert_eq!(parse(text), Command::Sql, "{text}");
    }
    assert_eq!(parse(" -- nothing\n/* at all */;"), Command::Nothing);
}

#[test]
fn show_takes_schemas_patterns_and_conditions() {
    let tables = |schema: Option<&str>, filter| {
        let schema = schema.map(str::to_owned);
        let full = false;
        Command::Show(Show::Tables {
            schema,
            filter,
            full,
        })
    };
    assert_eq!(parse("SHOW TABLES"), tables(None, Filter::All));
    assert_eq!(
        parse("show tables from stats"),
        tables(Some("stats"), Filter::All)
    );
    let like = Filter::Like("mysql%".to_owned());
    assert_eq!(
        parse("SHOW TABLES IN main LIKE 'mysql%'"),
        tables(Some("main"), like)
    );
    let condition = Filter::Where("Variable_name = 'mysql-threads'".to_owned());
    let prefix = "";
    assert_eq!(
        parse("SHOW GLOBAL VARIABLES WHERE Variable_name = 'mysql-threads'"),
        Command::Show(Show::Variables {
            prefix,
            filter: condition
        })
    );
}

#[test]
fn set_takes_variables_and_accepts_what_clients_say_of_their_session() {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    assert_eq!(
        parse("SET mysql-max_connections=500"),
        Command::Set(one("mysql-max_connections", "500"))
    );
    assert_eq!(
        parse("set global `mysql-threads` = 'x'"),
        Command::Set(one("mysql-threads", "x"))
    );
    assert_eq!(
        parse("SET GLOBAL mysql-server_version = '8.0.36'"),
        Command::Set(one("mysql-server_version", "8.0.36"))
    );
    for text in [
        "SET NAMES utf8mb4",
        "SET AUTOCOMMIT=1",
        "set @@session.sql_mode='ANSI'",
    ] {
        assert_eq!(parse(text), Command::Accepted, "{text}");
    }
}

#[test]
fn a_path_of_a_file_may_be_bare_or_quoted() {
    for text in [
        "SAVE CONFIG TO FILE /tmp/a.cnf",
        "SELECT CONFIG INTO OUTFILE '/tmp/a.cnf'",
    ] {
        assert_eq!(
            parse(text),
            Command::ConfigToFile("/tmp/a.cnf".to_owned()),
            "{text}"
        );
    }
    let refused = parse("SELECT * FROM mysql_users INTO OUTFILE '/tmp/x'");
    assert!(matches!(refused, Command::Refused(_)));
}

#[test]
fn a_log_never_shows_what_may_be_a_password() {
    for text in [
        "INSERT INTO mysql_users(username,password) VALUES ('app','secret1')",
        "UPDATE mysql_users SET password=\"secret1\" WHERE username='a'",
        "SET admin-admin_credentials='admin:secret1'",
        "select mysql_native_password('secret1')",
    ] {
        let shown = masked(text);
        assert!(!shown.contains("secret1"), "{shown}");
    }
    let plain = "SELECT 'x' FROM mysql_servers";
    assert_eq!(masked(plain), plain);
}

#[test]
fn tables_and_system_variables_are_found_in_sql() {
    assert_eq!(
        written_table("insert or replace into main.mysql_users values (1)"),
        Some("mysql_users".to_owned())
    );
    assert_eq!(
        written_table("UPDATE OR IGNORE t SET a=1"),
        Some("t".to_owned())
    );
    assert_eq!(written_table("SELECT 1"), None);
    let found = names("SELECT a.x FROM stats.stats_mysql_global AS a, `b` WHERE c='d'");
    for name in ["stats_mysql_global", "b", "a", "x"] {
        assert!(found.iter().any(|known| known == name), "{name}");
    }
    assert!(!found.iter().any(|known| known == "d"));
    let value = |name: &str| (name == "version").then(|| "'8.0'".to_owned());
    let replaced = system_variables("SELECT @@global.version AS v", value).expect("it is known");
    assert_eq!(replaced.text, "SELECT '8.0' AS v");
    assert_eq!(
        system_variables("SELECT @@nothing", value),
        Err("nothing".to_owned())
    );
}

#[test]
fn every_command_of_the_table_is_read_by_its_own_syntax() {
    for entry in COMMANDS {
        assert!(!entry.help.is_empty(), "{entry:?}");
        let spelling = spellings(entry.syntax).swap_remove(0);
        let words: Vec<_> = spelling
            .into_iter()
            .map(|item| match item {
                "<module>" => "MYSQL USERS",
                "<number>" => "7",
                "<text>" => "'a'",
                "<name>" | "<path>" => "a",
                "<statement>" => "mysql-a = 1",
                word => word,
            })
            .collect();
        if entry.syntax.starts_with("SELECT <") {
            continue;
        }
        assert_ne!(parse(&words.join(" ")), Command::Sql, "{entry:?}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = (parse(&text), masked(&text), names(&text), written_table(&text));
        let _ = system_variables(&text, |name| Some(name.to_owned()));
    }

    #[test]
    fn no_text_of_the_grammar_panics(
        words in prop::collection::vec(
            "LOAD|SAVE|SHOW|MYSQL|USERS|TO|FROM|LIKE|'a'|`|\"|'|;|,|=|@@a|/\\*|--|SET|KILL|3|é",
            0..12,
        )
    ) {
        let text = words.join(" ");
        let _ = (parse(&text), masked(&text), names(&text), written_table(&text));
    }

    #[test]
    fn blanks_and_comments_between_words_change_nothing(gap in "( |\n|\t|/\\*x\\*/|-- y\n){1,4}") {
        let text = ["load", "mysql", "query", "rules", "to", "run"].join(&format!(" {gap} "));
        prop_assert_eq!(parse(&text), moved(Module::QueryRules, Layer::Memory, Layer::Runtime));
    }
}
