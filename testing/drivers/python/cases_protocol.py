"""Large packets, streamed results, several results, files of the client."""

import os
import tempfile

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import DictCursor, SSCursor

import harness
from harness import case
from pymysql_sessions import connect, run, tell

MIB = 1 << 20


@case
def blobs_of_many_sizes_come_back(log):
    connection = connect(max_allowed_packet=64 * MIB)
    run(connection, "CREATE TABLE blobs (id INT PRIMARY KEY, b LONGBLOB)", log)
    sizes = [0, 1, 250, 251, 65535, 65536, 0xFFFFFF - 60, 0xFFFFFF, 0xFFFFFF + 1, 20 * MIB, 33 * MIB]
    with connection.cursor() as cursor:
        for size in sizes:
            data = bytes(range(256)) * (size // 256) + b"e" * (size % 256)
            try:
                cursor.execute("REPLACE INTO blobs VALUES (1, _binary %s)", (data,))
                cursor.execute("SELECT b, LENGTH(b) FROM blobs")
                row = cursor.fetchone()
                log.see(f"{size}", row[0] == data, row[1])
            except pymysql.MySQLError as error:
                # The error, or the end of the connection, whichever the driver meets first.
                log.see(f"{size}", "refused", error.args[0] in (1153, 2006, 2013))
                connection._force_close()
                connection = connect(max_allowed_packet=64 * MIB)
                cursor = connection.cursor()
    run(connection, "DROP TABLE blobs", log)
    connection.close()


@case
def replies_with_packets_of_exactly_16_mib(log):
    connection = connect(max_allowed_packet=64 * MIB)
    with connection.cursor() as cursor:
        for size in (0xFFFFFF - 5, 0xFFFFFF - 4, 0xFFFFFF - 3, 0xFFFFFF, 2 * 0xFFFFFF - 4):
            try:
                cursor.execute(f"SELECT REPEAT('x', {size})")
                row = cursor.fetchone()
                log.see(f"{size}", None if row[0] is None else len(row[0]))
            except pymysql.MySQLError as error:
                tell(log, f"{size}", error)
    run(connection, "SELECT 'next'", log)
    connection.close()


@case
def packets_larger_than_allowed_are_refused(log):
    connection = connect(max_allowed_packet=1 << 30)
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        allowed = cursor.fetchone()[0]
        log.see("allowed", allowed)
        try:
            cursor.execute("SELECT LENGTH('" + "x" * (allowed + 1000) + "')")
            log.see("accepted", cursor.fetchall())
        except (pymysql.MySQLError, OSError) as error:
            code = error.args[0] if error.args else None
            log.see("refused", code in (1153, 2006, 2013, 32, 104))
    connection.close()
    again = connect()
    run(again, "SELECT REPEAT('x', @@max_allowed_packet + 1) IS NULL", log)
    run(again, "SHOW WARNINGS", log)
    again.close()


@case
def a_large_result_is_streamed(log):
    connection = connect(cursorclass=SSCursor)
    cursor = connection.cursor()
    count = 200_000
    digits = "(SELECT 0 AS n" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
    several = ", ".join(f"{digits} d{n}" for n in range(6))
    cursor.execute(f"SELECT d0.n, d5.n, 'filler' FROM {several} LIMIT {count}")
    total = sum(1 for _ in cursor)
    log.see("rows", total)
    cursor.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        log.see("first", cursor.fetchone())
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'after an unread result'")
        log.see("next", cursor.fetchall())
    connection.close()


@case
def a_result_abandoned_with_its_connection(log):
    connection = connect(cursorclass=SSCursor)
    cursor = connection.cursor()
    cursor.execute("SELECT a.table_name, b.* FROM information_schema.collations b,"
                   " information_schema.tables a")
    log.see("first", cursor.fetchone() is not None)
    connection._force_close()
    other = connect()
    run(other, "SELECT 'alive'", log)
    other.close()


@case
def statements_with_several_results(log):
    connection = connect()
    run(connection, "CREATE TABLE ms (id INT PRIMARY KEY)", log)
    run(connection, "INSERT INTO ms VALUES (1); INSERT INTO ms VALUES (2), (3); SELECT * FROM ms", log)
    run(connection, "SELECT 1; SELECT * FROM absent; SELECT 3", log)
    run(connection, "SELECT 1;", log)
    run(connection, "SELECT 1; ; SELECT 2", log)
    run(connection, "SET @a = 5; SELECT @a; UPDATE ms SET id = id + 10; SELECT ROW_COUNT()", log)
    run(connection, "BEGIN; INSERT INTO ms VALUES (99); ROLLBACK; SELECT COUNT(*) FROM ms", log)
    run(connection, "SELECT 1; BEGIN; INSERT INTO ms VALUES (50)", log)
    run(connection, "ROLLBACK", log)
    run(connection, "USE information_schema; SELECT DATABASE()", log)
    run(connection, "SELECT DATABASE()", log)
    run(connection, "USE test_drivers; CREATE TEMPORARY TABLE tt (id INT); INSERT INTO tt VALUES (1)", log)
    run(connection, "SELECT * FROM tt", log)
    run(connection, "SELECT 1; SET time_zone = '+04:00'; SELECT 2", log)
    run(connection, "SELECT @@time_zone; DROP TABLE ms", log)
    run(connection, "; ".join(f"SELECT {n}" for n in range(200)), log)
    connection.close()


@case
def files_of_the_client_are_loaded(log):
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write("".join(f"{n},line {n}\n" for n in range(20_000)))
    load = f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE ld FIELDS TERMINATED BY ','"
    try:
        allowed, plain = connect(local_infile=True), connect()
        run(plain, "CREATE TABLE ld (id INT PRIMARY KEY, v VARCHAR(30))", log)
        for name, connection in (("allowed", allowed), ("not allowed", plain)):
            try:
                run(connection, load.replace(file.name, "FILE").replace("FILE", file.name), log)
            except (pymysql.MySQLError, RuntimeError) as error:
                log.see(name, type(error).__name__, *error.args)
        log.lines = [[str(part).replace(file.name, "FILE") for part in line] for line in log.lines]
        fresh = connect(local_infile=True)
        run(fresh, "SELECT COUNT(*), MAX(v), SUM(id) FROM ld", log)
        try:
            run(fresh, "LOAD DATA LOCAL INFILE '/absent/file' INTO TABLE ld", log)
        except pymysql.MySQLError as error:
            tell(log, "absent file", error)
        run(fresh, "SELECT 'after'", log)
        run(connect(), "DROP TABLE ld", log)
    finally:
        os.unlink(file.name)


@case
def parameters_of_the_driver(log):
    connection = connect(cursorclass=DictCursor)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE pa (id INT PRIMARY KEY, v VARCHAR(50), b BLOB)")
        rows = [(n, f"it's \"{n}\" \\ % \0 é😀", bytes([n])) for n in range(100)]
        log.see("many", cursor.executemany("INSERT INTO pa VALUES (%s, %s, _binary %s)", rows))
        cursor.execute("SELECT * FROM pa WHERE id IN %s ORDER BY id", ([1, 5, 9],))
        log.see("dict", cursor.fetchall())
        cursor.execute("SELECT %(a)s AS a, %(b)s AS b, 100 %% 7 AS c", {"a": None, "b": 1.5})
        log.see("named", cursor.fetchall())
        cursor.execute("DROP TABLE pa")
    connection.close()


@case
def procedures_by_the_driver(log):
    connection = connect()
    run(connection, "CREATE PROCEDURE pr(IN a INT, OUT b INT, INOUT c INT)"
        " BEGIN SELECT a, c; SET b = a * 2, c = c + 1; SELECT b; END", log)
    with connection.cursor() as cursor:
        log.see("args", cursor.callproc("pr", (5, 0, 7)))
        log.see("first", cursor.fetchall())
        while cursor.nextset():
            log.see("next", cursor.fetchall() if cursor.description else None)
        cursor.execute("SELECT @_pr_0, @_pr_1, @_pr_2")
        log.see("out", cursor.fetchall())
        cursor.execute("DROP PROCEDURE pr")
    connection.close()


@case
def statements_of_many_sizes(log):
    connection = connect()
    with connection.cursor() as cursor:
        for size in (1000, 4096, 16384, 65536, 1_000_000):
            cursor.execute("SELECT LENGTH(%s) /* " + "c" * size + " */", ("x" * size,))
            log.see(f"{size}", cursor.fetchall())
        columns = ", ".join(f"{n} AS c{n}" for n in range(1000))
        cursor.execute(f"SELECT {columns}")
        log.see("columns", len(cursor.fetchone()))
        cursor.execute("SELECT " + "(" * 50 + "1" + ")" * 50)
        log.see("nested", cursor.fetchall())
    connection.close()
