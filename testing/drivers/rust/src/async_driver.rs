//! `mysql_async`: text and binary protocol, pools, batches, streams, files of the client.

use anyhow::Result;
use futures_util::FutureExt;
use futures_util::StreamExt;
use mysql_async::prelude::*;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Params, Pool, Row, TxOpts, Value as V};
use serde_json::{Value, json};

use crate::{Log, place, scripts, shown, told, wanted};

async fn connect() -> Result<Conn> {
    Ok(Conn::new(Opts::from_url(&place("test_drivers"))?).await?)
}

async fn fresh() -> Result<()> {
    let mut conn = Conn::new(Opts::from_url(&place(""))?).await?;
    for sql in [
        "DROP DATABASE IF EXISTS test_drivers_other",
        "DROP DATABASE IF EXISTS test_drivers",
        "CREATE DATABASE test_drivers CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    ] {
        conn.query_drop(sql).await?;
    }
    Ok(conn.disconnect().await?)
}

fn value(one: Option<&V>) -> Value {
    match one {
        None | Some(V::NULL) => Value::Null,
        Some(V::Bytes(bytes)) => json!(shown(bytes)),
        Some(other) => json!(format!("{other:?}")),
    }
}

fn rows(all: &[Row]) -> Value {
    let row = |row: &Row| {
        (0..row.len())
            .map(|n| value(row.as_ref(n)))
            .collect::<Vec<_>>()
    };
    json!(all.iter().map(row).collect::<Vec<_>>())
}

fn problem(log: &mut Log, sql: &str, error: &Error) -> bool {
    let told = match error {
        Error::Server(told) => json!([told.code, told.state, told.message]),
        other => json!(other.to_string()),
    };
    log.see(sql, told);
    matches!(error, Error::Io(_))
}

async fn text(conn: &mut Conn, sql: &str, log: &mut Log) -> Result<()> {
    let outcome = async {
        let mut result = conn.query_iter(sql).await?;
        while !result.is_empty() || result.columns().is_some() {
            let columns = columns(result.columns_ref());
            let all: Vec<Row> = result.collect().await?;
            log.see(
                sql,
                json!([
                    columns,
                    rows(&all),
                    result.affected_rows(),
                    result.last_insert_id(),
                    result.warnings(),
                    result.info()
                ]),
            );
        }
        log.see(
            sql,
            json!([
                result.affected_rows(),
                result.last_insert_id(),
                result.warnings()
            ]),
        );
        result.drop_result().await
    };
    match outcome.await {
        Err(error) if problem(log, sql, &error) => Err(error.into()),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn columns(all: &[mysql_async::Column]) -> Value {
    let one = |c: &mysql_async::Column| {
        json!([
            c.name_str(),
            c.table_str(),
            format!("{:?}", c.column_type()),
            c.character_set(),
            c.flags().bits(),
            c.column_length(),
            c.decimals()
        ])
    };
    json!(all.iter().map(one).collect::<Vec<_>>())
}

async fn binary(conn: &mut Conn, sql: &str, log: &mut Log) -> Result<()> {
    let outcome = async {
        let mut result = conn.exec_iter(sql, ()).await?;
        let columns = columns(result.columns_ref());
        let all: Vec<Row> = result.collect().await?;
        log.see(
            sql,
            json!([
                columns,
                rows(&all),
                result.affected_rows(),
                result.warnings()
            ]),
        );
        result.drop_result().await
    };
    match outcome.await {
        Err(error) if problem(log, sql, &error) => Err(error.into()),
        Err(_) | Ok(()) => Ok(()),
    }
}

async fn script(statements: &[(usize, String)], by_text: bool, log: &mut Log) -> Result<()> {
    let mut sessions = [connect().await?, connect().await?];
    for (session, sql) in statements {
        let conn = &mut sessions[*session];
        if by_text {
            text(conn, sql, log).await?;
        } else {
            binary(conn, sql, log).await?;
        }
    }
    Ok(())
}

async fn values(log: &mut Log) -> Result<()> {
    let mut conn = connect().await?;
    conn.query_drop("CREATE TABLE v (id INT PRIMARY KEY, s VARCHAR(40), d DOUBLE, b LONGBLOB)")
        .await?;
    let some = (1..50).map(|n| {
        (
            n,
            format!("text {n} é"),
            f64::from(n) / 3.0,
            vec![n as u8; 10],
        )
    });
    conn.exec_batch("INSERT INTO v VALUES (?, ?, ?, ?)", some)
        .await?;
    conn.exec_drop(
        "INSERT INTO v VALUES (:i, :n, :n, :n)",
        params! { "i" => 99, "n" => V::NULL },
    )
    .await?;
    let all: Vec<Row> = conn
        .exec("SELECT * FROM v WHERE id > ? ORDER BY id", (40,))
        .await?;
    log.see("rows", rows(&all));
    for size in [1 << 20, (1 << 24) - 40, 17 << 20, 21 << 20] {
        let done = conn
            .exec_drop(
                "REPLACE INTO v (id, b) VALUES (1000, ?)",
                (vec![7_u8; size],),
            )
            .await;
        if let Err(error) = done {
            problem(log, "large", &error);
            conn = connect().await?;
        }
        let back: Option<Vec<u8>> = conn.query_first("SELECT b FROM v WHERE id = 1000").await?;
        log.see("large", json!([size, back.map(|back| shown(&back))]));
    }
    for (sql, params) in [
        ("SELECT ? + ?", Params::Positional(vec![1.into()])),
        ("SELEC ?", Params::Positional(vec![1.into()])),
        (
            "SELECT * FROM absent WHERE id = ?",
            Params::Positional(vec![1.into()]),
        ),
    ] {
        if let Err(error) = conn.exec_drop(sql, params).await {
            problem(log, sql, &error);
        }
    }
    Ok(())
}

async fn pool(log: &mut Log) -> Result<()> {
    let pool = Pool::from_url(place("test_drivers") + "?pool_min=1&pool_max=4")?;
    pool.get_conn()
        .await?
        .query_drop("CREATE TABLE p (id INT PRIMARY KEY)")
        .await?;
    let work = (0..40).map(|n| {
        let pool = pool.clone();
        async move {
            let mut conn = pool.get_conn().await?;
            conn.query_drop(format!("SET @n = {n}")).await?;
            let mut tx = conn.start_transaction(TxOpts::default()).await?;
            tx.exec_drop("INSERT INTO p VALUES (?)", (n,)).await?;
            if n % 2 == 0 {
                tx.commit().await
            } else {
                tx.rollback().await
            }
        }
    });
    for done in futures_util::future::join_all(work).await {
        done?;
    }
    let mut conn = pool.get_conn().await?;
    let all: Vec<Row> = conn.query("SELECT COUNT(*), SUM(id), @n FROM p").await?;
    log.see("pool", rows(&all));
    drop(conn);
    Ok(pool.disconnect().await?)
}

async fn resets(log: &mut Log) -> Result<()> {
    let mut conn = connect().await?;
    conn.query_drop("SET @a = 1").await?;
    log.see("reset", json!(conn.reset().await?));
    text(
        &mut conn,
        "SELECT @a, DATABASE(), @@collation_connection",
        log,
    )
    .await?;
    conn.query_drop("SET @a = 1").await?;
    conn.change_user(
        mysql_async::ChangeUserOpts::default().with_db_name(Some("information_schema".into())),
    )
    .await?;
    text(
        &mut conn,
        "SELECT @a, DATABASE(), @@collation_connection",
        log,
    )
    .await?;
    conn.ping().await?;
    Ok(())
}

async fn files(log: &mut Log) -> Result<()> {
    let options = OptsBuilder::from_opts(Opts::from_url(&place("test_drivers"))?);
    let mut conn = Conn::new(options).await?;
    conn.query_drop("CREATE TABLE f (a INT, b VARCHAR(20))")
        .await?;
    conn.set_infile_handler(async move {
        let parts = ["1,one\n", "2,two\n3,"].map(|part| Ok(part.as_bytes().into()));
        Ok(futures_util::stream::iter(parts).boxed())
    });
    text(
        &mut conn,
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE f FIELDS TERMINATED BY ','",
        log,
    )
    .await?;
    text(&mut conn, "SELECT * FROM f", log).await
}

/// True when every case passed.
pub async fn suite() -> Result<bool> {
    let mut passed = true;
    for (name, statements) in scripts()? {
        for (suffix, by_text) in [("", true), (" prepared", false)] {
            let name = format!("{name}{suffix}");
            if wanted(&name) {
                let mut log = Log::default();
                fresh().await?;
                let done = script(&statements, by_text, &mut log).await;
                passed &= told(&name, log, done);
            }
        }
    }
    for name in ["values", "pool", "resets", "files"]
        .into_iter()
        .filter(|name| wanted(name))
    {
        let mut log = Log::default();
        fresh().await?;
        let done = match name {
            "values" => values(&mut log).boxed(),
            "pool" => pool(&mut log).boxed(),
            "resets" => resets(&mut log).boxed(),
            _ => files(&mut log).boxed(),
        };
        let done = done.await;
        passed &= told(name, log, done);
    }
    Ok(passed)
}
