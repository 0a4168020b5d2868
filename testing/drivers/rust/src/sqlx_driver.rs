//! `sqlx`: raw statements, prepared ones from its cache, pools, transactions and savepoints.

use anyhow::Result;
use futures_util::{FutureExt, TryStreamExt};
use serde_json::{Value, json};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions, MySqlRow};
use sqlx::{Column, ConnectOptions, Connection, Either, Executor, Row, TypeInfo, ValueRef};

use crate::{Log, place, scripts, shown, told, wanted};

async fn connect(schema: &str) -> Result<MySqlConnection> {
    let options: MySqlConnectOptions = place(schema).parse()?;
    Ok(options.connect().await?)
}

fn row(row: &MySqlRow) -> Value {
    let cell = |n: usize| {
        let raw = row.try_get_raw(n).ok()?;
        if raw.is_null() {
            return None;
        }
        let kind = raw.type_info().name().to_owned();
        let text = row
            .try_get_unchecked::<Vec<u8>, _>(n)
            .map(|bytes| shown(&bytes));
        Some(json!([kind, text.unwrap_or_default()]))
    };
    json!(
        (0..row.len())
            .map(|n| json!([row.columns()[n].name(), cell(n)]))
            .collect::<Vec<_>>()
    )
}

fn problem(log: &mut Log, sql: &str, error: &sqlx::Error) -> bool {
    let told = match error.as_database_error() {
        Some(told) => json!([told.code(), told.message()]),
        None => json!(error.to_string()),
    };
    log.see(sql, told);
    matches!(error, sqlx::Error::Io(_))
}

async fn run(conn: &mut MySqlConnection, sql: &str, prepared: bool, log: &mut Log) -> Result<()> {
    let outcome = async {
        let mut results = if prepared {
            sqlx::query(sql).fetch_many(conn)
        } else {
            conn.fetch_many(sqlx::raw_sql(sql))
        };
        while let Some(next) = results.try_next().await? {
            match next {
                Either::Left(done) => {
                    log.see(sql, json!([done.rows_affected(), done.last_insert_id()]));
                }
                Either::Right(one) => log.see(sql, row(&one)),
            }
        }
        Ok(())
    };
    match outcome.await {
        Err(error) if problem(log, sql, &error) => Err(error.into()),
        Err(_) | Ok(()) => Ok(()),
    }
}

async fn fresh() -> Result<()> {
    let mut conn = connect("").await?;
    for sql in [
        "DROP DATABASE IF EXISTS test_drivers_other",
        "DROP DATABASE IF EXISTS test_drivers",
        "CREATE DATABASE test_drivers CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    ] {
        conn.execute(sqlx::raw_sql(sql)).await?;
    }
    Ok(conn.close().await?)
}

async fn script(statements: &[(usize, String)], prepared: bool, log: &mut Log) -> Result<()> {
    let mut sessions = [
        connect("test_drivers").await?,
        connect("test_drivers").await?,
    ];
    for (session, sql) in statements {
        run(&mut sessions[*session], sql, prepared, log).await?;
    }
    Ok(())
}

async fn pool(log: &mut Log) -> Result<()> {
    let pool = MySqlPoolOptions::new()
        .max_connections(4)
        .connect(&place("test_drivers"))
        .await?;
    pool.execute("CREATE TABLE p (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(30), b LONGBLOB)")
        .await?;
    let work = (0..40).map(|n| {
        let pool = pool.clone();
        async move {
            let value = format!("value {n} é😀");
            sqlx::query("INSERT INTO p (v) VALUES (?)")
                .bind(value)
                .execute(&pool)
                .await
        }
    });
    for done in futures_util::future::join_all(work).await {
        log.see("inserted", json!(done?.rows_affected()));
    }
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM p WHERE id > ?")
        .bind(10)
        .execute(&mut *tx)
        .await?;
    let mut inner = tx.begin().await?;
    sqlx::query("DELETE FROM p").execute(&mut *inner).await?;
    inner.rollback().await?;
    tx.commit().await?;
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM p")
        .fetch_one(&pool)
        .await?;
    log.see("left", json!(count));
    for size in [70_000, 17 << 20] {
        sqlx::query("INSERT INTO p (b) VALUES (?)")
            .bind(vec![9_u8; size])
            .execute(&pool)
            .await?;
        let (back,): (Vec<u8>,) = sqlx::query_as("SELECT b FROM p WHERE LENGTH(b) = ?")
            .bind(size as u64)
            .fetch_one(&pool)
            .await?;
        log.see("large", json!(shown(&back)));
    }
    let absent = sqlx::query("SELECT * FROM absent WHERE id = ?")
        .bind(1)
        .fetch_all(&pool)
        .await;
    if let Err(error) = absent {
        problem(log, "absent", &error);
    }
    pool.close().await;
    Ok(())
}

async fn cache(log: &mut Log) -> Result<()> {
    let mut conn = connect("test_drivers").await?;
    for round in 0..2 {
        for n in 0..150_i64 {
            let sql = format!("SELECT {n} + ?");
            let (sum,): (i64,) = sqlx::query_as(&sql).bind(n).fetch_one(&mut conn).await?;
            log.see("sum", json!([round, sum]));
        }
    }
    conn.ping().await?;
    conn.clear_cached_statements().await?;
    run(&mut conn, "SELECT 'after'", true, log).await
}

/// True when every case passed.
pub async fn suite() -> Result<bool> {
    let mut passed = true;
    for (name, statements) in scripts()? {
        for (suffix, prepared) in [("", false), (" prepared", true)] {
            let name = format!("{name}{suffix}");
            if wanted(&name) {
                let mut log = Log::default();
                fresh().await?;
                let done = script(&statements, prepared, &mut log).await;
                passed &= told(&name, log, done);
            }
        }
    }
    for name in ["a pool", "a cache of statements"]
        .into_iter()
        .filter(|name| wanted(name))
    {
        let mut log = Log::default();
        fresh().await?;
        let body = if name == "a pool" {
            pool(&mut log).boxed()
        } else {
            cache(&mut log).boxed()
        };
        let done = body.await;
        passed &= told(name, log, done);
    }
    Ok(passed)
}
