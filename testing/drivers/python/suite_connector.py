"""mysql-connector-python: text and binary protocol."""

import mysql.connector
from mysql.connector import errors
from mysql.connector.constants import ClientFlag

import harness
from harness import case


def connect(**options):
    """A session in the schema of the suites."""
    given = {
        "host": harness.HOST, "port": harness.PORT, "user": harness.USER,
        "password": harness.PASSWORD, "database": harness.DATABASE, "use_pure": True,
        "charset": "utf8mb4", "collation": "utf8mb4_general_ci",
        "auth_plugin": None, "allow_local_infile": False, "autocommit": True,
    }
    given.update(options)
    return mysql.connector.connect(**{k: v for k, v in given.items() if v is not None})


def tell(log, label, error):
    """An error as a program sees it."""
    log.see(label, type(error).__name__, error.errno, error.sqlstate, error.msg)


def one(log, sql, cursor):
    """One result of a statement."""
    columns = [list(column) for column in cursor.description or []]
    rows = cursor.fetchall() if cursor.with_rows else None
    log.see(sql, columns, rows, cursor.rowcount, cursor.lastrowid, cursor.warning_count)


def run(connection, sql, log, **options):
    """A statement with all its results."""
    cursor = connection.cursor(**options)
    try:
        cursor.execute(sql)
        one(log, sql, cursor)
        while not options and cursor.nextset():
            one(log, sql, cursor)
    except errors.Error as error:
        tell(log, sql, error)
        if error.errno in (2006, 2013, 2055):
            raise
    finally:
        try:
            cursor.close()
        except errors.Error:
            pass


def prepared(connection, sql, log):
    """A statement by the binary protocol. The driver gives up a connection on which one has
    several results."""
    try:
        run(connection, sql, log, prepared=True)
    except errors.OperationalError as error:
        tell(log, sql, error)
        connection.reconnect()


harness.fresh_schema_by(lambda: connect(database=None), run)
harness.script_cases(connect, run)
harness.script_cases(connect, prepared, " prepared")


@case
def prepared_cursors_with_parameters(log):
    connection = connect()
    run(connection, "CREATE TABLE pc (id INT PRIMARY KEY, v VARCHAR(30), d DATETIME(6),"
        " n DECIMAL(12,3), b LONGBLOB, u BIGINT UNSIGNED)", log)
    import datetime
    import decimal
    cursor = connection.cursor(prepared=True)
    rows = [
        (1, "one é😀", datetime.datetime(2024, 2, 29, 1, 2, 3, 456789), decimal.Decimal("1.125"),
         b"\x00\xff", 18446744073709551615),
        (2, None, None, None, None, None),
        (3, "", datetime.datetime(1000, 1, 1), decimal.Decimal("-999999999.999"), b"", 0),
    ]
    for row in rows:
        cursor.execute("INSERT INTO pc VALUES (?, ?, ?, ?, ?, ?)", row)
        log.see("inserted", cursor.rowcount, cursor.lastrowid)
    for wanted in (1, 2, 3, 4, None, "2"):
        cursor.execute("SELECT * FROM pc WHERE id = ?", (wanted,))
        log.see(f"{wanted}", cursor.fetchall())
    cursor.executemany("UPDATE pc SET v = ? WHERE id = ?", [("x", 1), ("y", 2)])
    log.see("many", cursor.rowcount)
    cursor.execute("SELECT v FROM pc ORDER BY id")
    log.see("one", cursor.fetchone())
    log.see("rest", cursor.fetchall())
    cursor.close()
    connection.commit()
    connection.close()


@case
def long_data_and_large_rows(log):
    connection = connect()
    run(connection, "CREATE TABLE ld (id INT PRIMARY KEY, b LONGBLOB)", log)
    cursor = connection.cursor(prepared=True)
    for size in (10, 70_000, 3 << 20, 17 << 20, 21 << 20):
        data = bytes(range(256)) * (size // 256)
        try:
            cursor.execute("REPLACE INTO ld VALUES (1, ?)", (data,))
            cursor.execute("SELECT b FROM ld")
            log.see(f"{size}", cursor.fetchall()[0][0] == data)
        except errors.Error as error:
            tell(log, f"{size}", error)
            connection = connect()
            cursor = connection.cursor(prepared=True)
    connection.close()


@case
def many_prepared_statements(log):
    connection = connect()
    cursors = []
    for number in range(150):
        cursor = connection.cursor(prepared=True)
        cursor.execute(f"SELECT {number} + ?", (number,))
        log.see(f"{number}", cursor.fetchall())
        cursors.append(cursor)
    for number, cursor in enumerate(cursors):
        cursor.execute(f"SELECT {number} + ?", (1,))
        log.see(f"again {number}", cursor.fetchall())
    connection.close()


@case
def resets_and_changes_of_user(log):
    connection = connect()
    run(connection, "SET @a = 5, SESSION wait_timeout = 77", log)
    run(connection, "CREATE TEMPORARY TABLE tt (id INT)", log)
    connection.cmd_reset_connection()
    run(connection, "SELECT @a, @@wait_timeout = 77, DATABASE(), @@collation_connection", log)
    run(connection, "SELECT * FROM tt", log)
    connection.reset_session(user_variables={"x": "y"}, session_variables={"wait_timeout": 78})
    run(connection, "SELECT @x, @@wait_timeout", log)
    connection.cmd_change_user(harness.USER, harness.PASSWORD, "information_schema")
    run(connection, "SELECT DATABASE(), @x, @@wait_timeout = 78, @@collation_connection", log)
    for user, password, database in (
        (harness.USER, "wrong", harness.DATABASE), ("nobody_here", "x", ""),
        (harness.USER, harness.PASSWORD, "absent_schema"),
    ):
        other = connect()
        try:
            other.cmd_change_user(user, password, database)
            log.see("changed")
            run(other, "SELECT DATABASE()", log)
        except errors.Error as error:
            tell(log, "refused", error)
    connection.ping()
    connection.cmd_init_db(harness.DATABASE)
    log.see("schema", connection.database)
    connection.close()


@case
def transactions_of_the_driver(log):
    connection, other = connect(autocommit=False), connect()
    run(other, "CREATE TABLE td (id INT PRIMARY KEY)", log)
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"):
        connection.start_transaction(isolation_level=level)
        log.see("in", connection.in_transaction)
        run(connection, "INSERT INTO td SELECT COUNT(*) FROM td", log)
        connection.commit()
        log.see("in", connection.in_transaction)
    # The driver takes MariaDB 10 for version 5.5.5, which knows no transactions that only read.
    read_only = True if harness.FAMILY == "mysql" else None
    connection.start_transaction(consistent_snapshot=True, readonly=read_only)
    run(connection, "INSERT INTO td VALUES (99)", log)
    connection.rollback()
    try:
        connection.start_transaction()
        connection.start_transaction()
    except errors.Error as error:
        tell(log, "twice", error)
    connection.rollback()
    run(other, "SELECT * FROM td ORDER BY id", log)
    connection.close()
    other.close()


@case
def warnings_and_errors_of_the_driver(log):
    connection = connect(get_warnings=True, raise_on_warnings=False)
    cursor = connection.cursor()
    cursor.execute("SELECT 1/0, CAST('x' AS SIGNED)")
    cursor.fetchall()
    log.see("warnings", cursor.warnings)
    strict = connect(raise_on_warnings=True)
    run(strict, "DROP TABLE IF EXISTS absent", log)
    run(strict, "SELECT CAST('x' AS SIGNED)", log)
    connection.close()
    strict.close()


@case
def procedures_of_the_driver(log):
    connection = connect()
    run(connection, "CREATE PROCEDURE cp(IN a INT, OUT b INT, INOUT c VARCHAR(20))"
        " BEGIN SELECT a, c; SET b = a + 1, c = CONCAT(c, '!'); SELECT b; END", log)
    cursor = connection.cursor()
    log.see("args", cursor.callproc("cp", (1, 0, "hey")))
    for result in cursor.stored_results():
        log.see("result", result.fetchall())
    cursor.close()
    connection.close()


@case
def pools_of_the_driver(log):
    from mysql.connector.pooling import MySQLConnectionPool
    pool = MySQLConnectionPool(
        pool_name="drivers", pool_size=3, pool_reset_session=True, host=harness.HOST,
        port=harness.PORT, user=harness.USER, password=harness.PASSWORD,
        database=harness.DATABASE, use_pure=True)
    for round_number in range(6):
        connection = pool.get_connection()
        cursor = connection.cursor()
        cursor.execute("SELECT @n, DATABASE()")
        log.see(f"round {round_number}", cursor.fetchall())
        cursor.execute(f"SET @n = {round_number}")
        cursor.close()
        connection.close()


@case
def logins_of_the_driver(log):
    for label, options in {
        "wrong": {"password": "wrong"}, "empty": {"password": ""}, "absent": {"database": "absent_schema"},
        "none": {"database": None}, "found rows": {"client_flags": [ClientFlag.FOUND_ROWS]},
        "attributes": {"conn_attrs": {"program": "suite", "long": "x" * 60}},
        "no tls": {"ssl_disabled": True}, "latin1": {"charset": "latin1", "collation": None},
        "time zone": {"time_zone": "+01:00"}, "sql mode": {"sql_mode": "ANSI"},
        "init": {"init_command": "SET @z = 1"},
    }.items():
        try:
            connection = connect(**options)
            run(connection, "SELECT DATABASE(), @@time_zone, @@sql_mode, @z,"
                " @@character_set_client, @@collation_connection", log)
            run(connection, "SELECT REPEAT('compressible ', 10000)", log)
            connection.close()
        except errors.Error as error:
            tell(log, label, error)


@case
def statements_with_several_results(log):
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT 2; SET @a = 3; SELECT @a")
    one(log, "first", cursor)
    while cursor.nextset():
        one(log, "next", cursor)
    try:
        cursor.execute("SELECT 1; SELECT * FROM absent; SELECT 3")
        one(log, "first", cursor)
        while cursor.nextset():
            one(log, "next", cursor)
    except errors.Error as error:
        tell(log, "error", error)
    connection.close()


@case
def unread_results_are_in_the_way(log):
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1 UNION SELECT 2")
    try:
        connection.cursor().execute("SELECT 3")
    except errors.Error as error:
        tell(log, "unread", error)
    cursor.fetchall()
    buffered = connection.cursor(buffered=True, dictionary=True)
    buffered.execute("SELECT 1 AS a UNION SELECT 2")
    log.see("rows", buffered.fetchall())
    raw = connection.cursor(raw=True)
    raw.execute("SELECT NOW() IS NOT NULL, 1.50, NULL")
    log.see("raw", raw.fetchall())
    connection.close()


@case
def compression(log):
    connection = connect(compress=True)
    run(connection, "SELECT 1", log)
    run(connection, "SELECT REPEAT('compressible ', 1000000)", log)
    connection.close()


if __name__ == "__main__":
    harness.main()
