//! What becomes of a file, as an operator would check it.

use proptest::prelude::*;

use crate::{Fate, Format, Imported, import};

const USUAL: &str = r#"
datadir="/var/lib/proxysql"
mysql_variables=
{
    threads=4
    interfaces="0.0.0.0:6033;/tmp/proxysql.sock"
    default_query_timeout=36000000
    monitor_username="watcher"
    monitor_password="se\"cret"
    monitor_read_only_interval=1500
    stacksize=1048576
    no_such_thing=1
}
mysql_servers =
(
    { address="db1.example" , port=3306 , hostgroup=10, max_replication_lag=5 },
    { address="db2.example" , port=3306 , hostgroup=20, weight=3, use_ssl=1 }
    { address="db2.example" , port=3306 , hostgroup=30 },
    { address="/tmp/mysql.sock" , port=0 , hostgroup=10 },
)
mysql_users:
(
    { username = "app" password = "pa$$" default_hostgroup = 10 default_schema="shop" },
    { username = "old" password = "*0123456789012345678901234567890123456789" },
    { username = "gone" password = "x" active = 0 }
)
mysql_query_rules:
(
    { rule_id=1 active=1 match_pattern="^SELECT .* FOR UPDATE$" destination_hostgroup=10 apply=1 },
    { rule_id=2 active=1 match_pattern="^SELECT" destination_hostgroup=20 apply=1 },
    { rule_id=3 active=1 match_pattern="(unclosed" destination_hostgroup=20 apply=1 },
    { rule_id=4 active=1 match_digest="x" destination_hostgroup=99 apply=1 }
)
mysql_replication_hostgroups=
(
    { writer_hostgroup=10 reader_hostgroup=20 comment="c" }
)
scheduler=
(
    { id=1 active=1 interval_ms=5000 filename="/usr/local/bin/look" arg1="-a" arg2="b" }
)
"#;

fn imported(text: &str) -> Imported {
    import(Format::ProxySql, text, "api-password").expect("the file is right")
}

fn remarks(imported: &Imported, fate: Fate) -> String {
    let remarks = imported.remarks.iter();
    let lines: Vec<_> = remarks
        .filter(|remark| remark.fate == fate)
        .map(ToString::to_string)
        .collect();
    lines.join("\n")
}

#[test]
fn a_usual_file_becomes_settings() {
    assert_eq!(Format::detect(USUAL), Some(Format::ProxySql));
    let imported = imported(USUAL);
    for wanted in [
        "name = \"db1.example\"\naddress = \"db1.example:3306\"\nreplication_lag_max = \"5s\"",
        "name = \"db2.example\"\naddress = \"db2.example:3306\"\nweight = 3\ntls = \"required\"",
        "[[hostgroups]]\nid = 30\nservers = [\"db2.example\"]",
        "user = \"watcher\"\npassword = \"se\\\"cret\"\nread_only_interval = \"1500ms\"",
        "workers = 4\nlisten = \"0.0.0.0:6033\"\nquery_limit = \"36000s\"",
        "name = \"app\"\npassword = \"pa$$\"\ndefault_schema = \"shop\"\ndefault_hostgroup = 0",
        "rule_id = 1\nmatch_pattern = \"^SELECT .* FOR UPDATE$\"\ndestination_hostgroup = 0",
        "rule_id = 2\nmatch_pattern = \"^SELECT\"\ndestination_hostgroup = 1\napply = true",
        "name = \"old\"\npassword_hash = \"*0123456789012345678901234567890123456789\"",
        "interval_ms = 5000\nfilename = \"/usr/local/bin/look\"\narguments = [\"-a\", \"b\"]",
        "[api]\npassword = \"api-password\"",
    ] {
        assert!(
            imported.toml.contains(wanted),
            "{wanted}\n\n{}",
            imported.toml
        );
    }
    assert!(!imported.toml.contains("rule_id = 3"));
}

#[test]
fn what_is_left_out_is_said_and_why() {
    let imported = imported(USUAL);
    let left_out = remarks(&imported, Fate::LeftOut);
    for wanted in [
        "datadir: state is kept",
        "mysql-no_such_thing: there is no such setting",
        "/tmp/mysql.sock, port 0 is no server",
        "user gone: is not active",
        "rule 3: match_pattern: ",
        "rule 4: destination_hostgroup 99 has no servers here",
    ] {
        assert!(left_out.contains(wanted), "{wanted}\n\n{left_out}");
    }
    let changed = remarks(&imported, Fate::Changed);
    for wanted in [
        "hostgroup 10 is 0 now, the writer",
        "user old: is known by a hash",
    ] {
        assert!(changed.contains(wanted), "{wanted}\n\n{changed}");
    }
    let all = format!("{:?}", imported.remarks);
    assert!(!all.contains("cret") && !all.contains("pa$$"), "{all}");
}

#[test]
fn without_rules_the_default_hostgroup_of_the_writer_becomes_the_split() {
    let text = USUAL.replace("active=1 match", "active=0 match");
    let imported = imported(&text);
    assert!(
        !imported.toml.contains("default_hostgroup"),
        "{}",
        imported.toml
    );
    let changed = remarks(&imported, Fate::Changed);
    assert!(
        changed.contains("user app, default_hostgroup 10: no rule"),
        "{changed}"
    );
}

#[test]
fn logs_and_tls_towards_servers_are_taken_where_there_is_the_same() {
    let imported = imported(
        r#"
mysql_variables={
    long_query_time=500 eventslog_filename="events.log" eventslog_default_log=1
    eventslog_filesize=1048576 auditlog_filename="audit.log" eventslog_format=1
    max_transaction_idle_time=60000
}
mysql_servers=( { address="db1" hostgroup=1 } )
mysql_servers_ssl_params=(
    { hostname="db1" port=3306 ssl_ca="/ca.pem" ssl_cert="/c.pem" ssl_key="/k.pem" },
    { hostname="db2" port=3306 ssl_cert="/other.pem" ssl_key="/k.pem" }
)
mysql_hostgroup_attributes=( { hostgroup_id=1 init_connect="SET a=1" multiplex=0 bogus=1 } )
"#,
    );
    for wanted in [
        "[proxy]\ntransaction_idle_limit = \"60s\"\n",
        "[proxy.server_tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n",
        "[logs]\nslow_after = \"500ms\"\nqueries = \"events.log\"\nqueries_of = \"all\"\n\
         file_bytes_max = \"1048576\"\naudit = \"audit.log\"\n",
    ] {
        assert!(
            imported.toml.contains(wanted),
            "{wanted}\n{}",
            imported.toml
        );
    }
    let left_out = remarks(&imported, Fate::LeftOut);
    for wanted in [
        "mysql_servers_ssl_params.ssl_ca",
        "mysql_servers_ssl_params.ssl_cert: is another one than before",
        "mysql_hostgroup_attributes.init_connect",
        "mysql_hostgroup_attributes.multiplex",
        "bogus",
        "mysql-eventslog_format",
    ] {
        assert!(left_out.contains(wanted), "{wanted}\n{left_out}");
    }
}

#[test]
fn a_key_without_its_certificate_is_left_out() {
    let imported = imported(
        "mysql_variables={ ssl_p2s_key=\"/k.pem\" eventslog_default_log=1 long_query_time=7 }\n\
         mysql_servers=( { address=\"db1\" hostgroup=1 } )",
    );
    assert!(!imported.toml.contains("server_tls"), "{}", imported.toml);
    let logs = "[logs]\nslow_after = \"7ms\"\n";
    assert!(imported.toml.contains(logs), "{}", imported.toml);
    assert!(!imported.toml.contains("queries_of"), "{}", imported.toml);
}

#[test]
fn numbers_that_are_taken_move_away() {
    let imported = imported(
        "mysql_servers=({address=\"a\",hostgroup=7},{address=\"b\",hostgroup=1})
         mysql_replication_hostgroups=({writer_hostgroup=7,reader_hostgroup=8})
         mysql_users=({username=\"u\",password=\"p\",default_hostgroup=1})",
    );
    assert!(
        imported.toml.contains("id = 2\nservers = [\"b\"]"),
        "{}",
        imported.toml
    );
    assert!(
        imported.toml.contains("default_hostgroup = 2"),
        "{}",
        imported.toml
    );
}

#[test]
fn a_second_cluster_is_left_out_whole() {
    let imported = imported(
        "mysql_servers=({address=\"a\",hostgroup=0},{address=\"b\",hostgroup=2})
         mysql_replication_hostgroups=({writer_hostgroup=0,reader_hostgroup=1},
                                       {writer_hostgroup=2,reader_hostgroup=3})",
    );
    assert!(!imported.toml.contains("\"b:3306\""), "{}", imported.toml);
    let left_out = remarks(&imported, Fate::LeftOut);
    assert!(
        left_out.contains("hostgroups 2 and 3 are a cluster of their own"),
        "{left_out}"
    );
}

proptest! {
    #[test]
    fn any_rows_are_imported_without_a_panic(
        rows in proptest::collection::vec(("[a-z_]{1,12}", "[a-z0-9 ]{0,8}", -5_i64..70_000), 0..6),
        table in "mysql_(servers|users|query_rules|replication_hostgroups|variables)|scheduler",
    ) {
        let columns: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(at, (name, text, number))| {
                if at % 2 == 0 {
                    format!("{name}{at} = \"{text}\"")
                } else {
                    format!("hostgroup{at} = {number}")
                }
            })
            .collect();
        let text = format!("{table} = ( {{ {} }} )", columns.join(", "));
        let _ = import(Format::ProxySql, &text, "p");
    }
}
