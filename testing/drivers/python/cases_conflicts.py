"""Two sessions in each other's way: deadlocks, lock waits, metadata locks."""

import threading

import pymysql

from harness import case
from pymysql_sessions import connect, run, tell


def in_background(connection, sql, seen):
    """Runs a statement that will wait."""

    def body():
        try:
            with connection.cursor() as cursor:
                seen.append(("affected", cursor.execute(sql)))
        except pymysql.MySQLError as error:
            seen.append((type(error).__name__, *error.args))

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def until_waiting(watcher, like):
    """Returns when a statement like this is being run on the server."""
    with watcher.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist"
                           " WHERE info LIKE %s AND id <> CONNECTION_ID()", (like,))
            if cursor.fetchone()[0]:
                break
        cursor.execute("DO SLEEP(0.3)")


@case
def a_deadlock_rolls_one_back(log):
    a, b, watcher = connect(), connect(), connect()
    run(a, "CREATE TABLE dl (id INT PRIMARY KEY, v INT) ENGINE=InnoDB", log)
    run(a, "INSERT INTO dl VALUES (1, 0), (2, 0), (3, 0), (4, 0)", log)
    run(a, "BEGIN", log)
    run(b, "BEGIN", log)
    run(a, "UPDATE dl SET v = 1 WHERE id = 1", log)
    run(b, "UPDATE dl SET v = 2 WHERE id >= 2", log)
    seen = []
    thread = in_background(a, "UPDATE dl SET v = 11 WHERE id = 2", seen)
    until_waiting(watcher, "UPDATE dl SET v = 11%")
    run(b, "UPDATE dl SET v = 22 WHERE id = 1", log)
    thread.join(30)
    log.see("the other", *seen)
    run(a, "SELECT @@in_transaction", log)
    run(b, "COMMIT", log)
    run(a, "COMMIT", log)
    run(a, "SELECT * FROM dl ORDER BY id", log)
    run(a, "DROP TABLE dl", log)
    for connection in (a, b, watcher):
        connection.close()


@case
def a_lock_wait_ends_the_statement_only(log):
    a, b = connect(), connect()
    run(a, "CREATE TABLE lw (id INT PRIMARY KEY, v INT) ENGINE=InnoDB", log)
    run(a, "INSERT INTO lw VALUES (1, 0), (2, 0)", log)
    run(b, "SET innodb_lock_wait_timeout = 1", log)
    run(a, "BEGIN", log)
    run(a, "UPDATE lw SET v = 1 WHERE id = 1", log)
    run(b, "BEGIN", log)
    run(b, "UPDATE lw SET v = 2 WHERE id = 2", log)
    run(b, "UPDATE lw SET v = 2 WHERE id = 1", log)
    run(b, "SELECT v FROM lw WHERE id = 2", log)
    run(b, "COMMIT", log)
    run(a, "ROLLBACK", log)
    run(a, "SELECT * FROM lw ORDER BY id", log)
    run(b, "SET SESSION lock_wait_timeout = 1", log)
    run(a, "BEGIN", log)
    run(a, "SELECT * FROM lw WHERE id = 1", log)
    run(b, "ALTER TABLE lw ADD COLUMN x INT", log)
    run(a, "COMMIT", log)
    run(b, "DROP TABLE lw", log)
    a.close()
    b.close()


@case
def a_session_that_dies_frees_its_locks(log):
    a, b = connect(), connect()
    run(a, "CREATE TABLE dies (id INT PRIMARY KEY) ENGINE=InnoDB", log)
    run(a, "INSERT INTO dies VALUES (1)", log)
    run(a, "BEGIN", log)
    run(a, "DELETE FROM dies", log)
    run(a, "SELECT GET_LOCK('dies', 0)", log)
    a._force_close()
    run(b, "DELETE FROM dies", log)
    run(b, "SELECT GET_LOCK('dies', 10)", log)
    run(b, "DROP TABLE dies", log)
    b.close()


@case
def waiting_for_a_lock_of_a_name(log):
    a, b, watcher = connect(), connect(), connect()
    run(a, "SELECT GET_LOCK('waited', 0)", log)
    seen = []
    thread = in_background(b, "SELECT GET_LOCK('waited', 20)", seen)
    until_waiting(watcher, "SELECT GET_LOCK('waited', 20)%")
    run(a, "SELECT RELEASE_LOCK('waited')", log)
    thread.join(30)
    log.see("the other", *seen)
    run(a, "SELECT GET_LOCK('waited', 0)", log)
    run(b, "DO RELEASE_ALL_LOCKS()", log)
    run(a, "SELECT GET_LOCK('waited', 0)", log)
    for connection in (a, b, watcher):
        connection.close()
