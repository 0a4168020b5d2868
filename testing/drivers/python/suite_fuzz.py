"""Random statements of several sessions in turn: each seed makes one schedule, and is one case.

    testing/drivers/run.py fuzz                     twenty seeds
    DRIVERS_SEEDS=500 testing/drivers/run.py fuzz   more
    testing/drivers/run.py fuzz --only "seed 7 "    one that differed, again
"""

import os
import random

import pymysql

import harness
from pymysql_sessions import connect, run

SESSIONS = 4
LENGTH = 120


def statement(draw):
    """One statement: what applications send, in no sensible order."""
    number, name = draw.randrange(6), draw.choice(["a", "b"])
    temporary = draw.choice(["", "TEMPORARY "])
    return draw.choice([
        f"SELECT * FROM {name} ORDER BY id",
        f"SELECT COUNT(*), SUM(v) FROM {name}",
        f"INSERT INTO {name} (id, v) VALUES ({number}, {number * 7})",
        f"INSERT INTO {name} (v) VALUES ({number}), ({number + 1})",
        f"REPLACE INTO {name} VALUES ({number}, {number})",
        f"UPDATE {name} SET v = v + {number} WHERE id = {number}",
        f"DELETE FROM {name} WHERE id = {number}",
        "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s",
        "START TRANSACTION READ ONLY",
        f"SET autocommit = {number % 2}",
        f"SET @u = {number}", "SELECT @u", "SELECT @u := COALESCE(@u, 0) + 1",
        f"SET sql_mode = '{draw.choice(['', 'ANSI_QUOTES', 'STRICT_ALL_TABLES'])}'",
        "SELECT @@sql_mode", 'SELECT "x"',
        f"SET time_zone = '+0{number}:00'", "SELECT @@time_zone, FROM_UNIXTIME(0)",
        f"SET NAMES {draw.choice(['utf8mb4', 'latin1', 'utf8mb4 COLLATE utf8mb4_bin'])}",
        "SELECT @@character_set_client, @@collation_connection, 'a' = 'A'",
        f"SET SESSION TRANSACTION ISOLATION LEVEL {draw.choice(['READ COMMITTED', 'SERIALIZABLE'])}",
        f"SET sql_select_limit = {draw.choice(['1', '2', 'DEFAULT'])}",
        "SELECT @@autocommit, @@sql_select_limit",
        f"CREATE {temporary}TABLE t{number} (id INT)",
        f"DROP {temporary}TABLE IF EXISTS t{number}", f"SELECT COUNT(*) FROM t{number}",
        f"INSERT INTO t{number} VALUES (1)",
        f"SELECT GET_LOCK('l{number % 2}', 0)", f"SELECT RELEASE_LOCK('l{number % 2}')",
        "SELECT RELEASE_ALL_LOCKS() >= 0",
        "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT LAST_INSERT_ID()", "SHOW WARNINGS",
        "SELECT @@warning_count", "SELECT CAST('x' AS SIGNED)", "SELECT 1/0",
        "SELECT * FROM absent", "SELEC", "SELECT 1; SELECT 2",
        "SET @z = 5; SELECT @z; SELECT * FROM absent; SELECT 9",
        f"PREPARE p FROM 'SELECT ? + {number}'", "EXECUTE p USING @u", "DEALLOCATE PREPARE p",
        "USE test_drivers_other", "USE test_drivers", "SELECT DATABASE()", "CALL p()", "CALL absent()",
        "KILL QUERY 0", "SELECT CONNECTION_ID() > 0", "SELECT SQL_CALC_FOUND_ROWS * FROM a LIMIT 1",
    ])


def schedule(seed):
    """Who does what, in order; None is a session that leaves."""
    draw = random.Random(seed)
    for _ in range(LENGTH):
        leaves = draw.randrange(25) == 0
        yield draw.randrange(SESSIONS), None if leaves else statement(draw)


def begin():
    """What every schedule finds."""
    session, log = connect(), harness.Log()
    for sql in (
        "CREATE DATABASE test_drivers_other CHARACTER SET utf8mb4",
        "CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
        "CREATE TABLE b (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
        "CREATE PROCEDURE p() BEGIN SELECT 1; SET @u = 7; SELECT COUNT(*) FROM a; END",
    ):
        run(session, sql, log)
    session.close()


def opened():
    """A session that does not wait long for the others."""
    session = connect()
    with session.cursor() as cursor:
        cursor.execute("SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1")
        # Before its first rows a session on MariaDB finds what an earlier one left to its thread.
        cursor.execute("SELECT 1")
    return session


def of(seed):
    """The case of a seed."""

    def body(log):
        begin()
        sessions = {}
        for number, sql in schedule(seed):
            if sql is None:
                if number in sessions:
                    sessions.pop(number).close()
                continue
            if number not in sessions:
                sessions[number] = opened()
            try:
                run(sessions[number], sql, log)
            except pymysql.MySQLError:
                del sessions[number]
        for session in sessions.values():
            session.close()

    return body


harness.fresh_schema_by(lambda: connect(database=None), run)
for one in range(1, int(os.environ.get("DRIVERS_SEEDS", "20")) + 1):
    harness.CASES.append((f"seed {one} of {LENGTH} statements", of(one)))

if __name__ == "__main__":
    harness.main()
