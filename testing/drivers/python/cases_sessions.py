"""Connecting and living: logins, schemas, pings, resets, pools, kills."""

import struct
import threading

import pymysql
from pymysql.constants import CLIENT, COMMAND

import harness
from harness import Log, case
from pymysql_sessions import connect, run, tell


def refused(log, label, **options):
    """A login that should fail, and how it does."""
    try:
        connect(**options).close()
        log.see(label, "let in")
    except pymysql.MySQLError as error:
        tell(log, label, error)


@case
def logins_that_are_refused(log):
    refused(log, "wrong password", password="wrong")
    refused(log, "no password", password="")
    refused(log, "unknown user", user="nobody_here", password="x")
    refused(log, "unknown user without password", user="nobody_here", password="")
    refused(log, "unknown schema", database="absent_schema")
    refused(log, "forbidden schema", database="mysql")
    refused(log, "unknown schema and wrong password", database="absent_schema", password="wrong")
    refused(log, "long schema", database="x" * 200)


@case
def logins_with_and_without_a_schema(log):
    for database in (None, "", "information_schema", harness.DATABASE):
        connection = connect(database=database)
        run(connection, "SELECT DATABASE()", log)
        connection.close()


@case
def charsets_of_the_login(log):
    for charset in ("utf8mb4", "latin1", "ascii", "cp1251", "gbk"):
        connection = connect(charset=charset)
        run(connection, "SELECT @@character_set_client, @@collation_connection, HEX('ab')", log)
        connection.close()


@case
def greeting_tells_what_the_server_is(log):
    connection = connect()
    log.see("version", connection.get_server_info())
    log.see("protocol", connection.get_proto_info())
    run(connection, "SELECT VERSION()", log)
    cursor = connection.cursor()
    cursor.execute("SELECT CONNECTION_ID()")
    log.see("own id", cursor.fetchone()[0] == connection.thread_id())
    capabilities = connection.server_capabilities
    for name in ("LONG_PASSWORD", "FOUND_ROWS", "LONG_FLAG", "CONNECT_WITH_DB", "NO_SCHEMA",
                 "COMPRESS", "LOCAL_FILES", "IGNORE_SPACE", "PROTOCOL_41", "INTERACTIVE",
                 "TRANSACTIONS", "SECURE_CONNECTION", "MULTI_STATEMENTS", "MULTI_RESULTS",
                 "PS_MULTI_RESULTS", "PLUGIN_AUTH", "CONNECT_ATTRS",
                 "PLUGIN_AUTH_LENENC_CLIENT_DATA"):
        log.see(name, bool(capabilities & getattr(CLIENT, name)))
    connection.close()


@case
def init_command_and_sql_mode_of_the_driver(log):
    connection = connect(init_command="SET @x = 5, time_zone = '+02:00'", sql_mode="ANSI_QUOTES")
    run(connection, "SELECT @x, @@time_zone, @@sql_mode", log)
    connection.close()


@case
def found_rows_of_the_login_counts_matches(log):
    connection = connect(client_flag=CLIENT.FOUND_ROWS)
    run(connection, "CREATE TABLE fr (id INT PRIMARY KEY, v INT)", log)
    run(connection, "INSERT INTO fr VALUES (1, 1), (2, 1)", log)
    run(connection, "UPDATE fr SET v = 1", log)
    run(connection, "SELECT ROW_COUNT()", log)
    plain = connect()
    run(plain, "UPDATE fr SET v = 1", log)
    run(plain, "DROP TABLE fr", log)
    connection.close()
    plain.close()


@case
def other_capabilities_of_the_login(log):
    flags = {
        "ignore space": CLIENT.IGNORE_SPACE, "interactive": CLIENT.INTERACTIVE,
        "no schema": CLIENT.NO_SCHEMA, "no multi statements": 0,
    }
    for name, flag in flags.items():
        connection = connect(client_flag=flag)
        run(connection, "SELECT COUNT (*), @@wait_timeout = @@interactive_timeout", log)
        run(connection, "SELECT 1; SELECT 2", log)
        run(connection, "SELECT test_drivers.absent.x FROM test_drivers.absent", log)
        connection.close()
        log.see(name)


def simple(connection, command, body=b""):
    """A command by its number; the reply's first packet."""
    connection._execute_command(command, body)
    connection._sock.settimeout(5)
    return connection._read_packet()


@case
def pings_and_schema_changes(log):
    connection = connect()
    connection.ping(reconnect=False)
    connection.select_db("information_schema")
    run(connection, "SELECT DATABASE()", log)
    try:
        connection.select_db("absent_schema")
    except pymysql.MySQLError as error:
        tell(log, "absent", error)
    try:
        connection.select_db("mysql")
    except pymysql.MySQLError as error:
        tell(log, "forbidden", error)
    run(connection, "SELECT DATABASE()", log)
    connection.select_db(harness.DATABASE)
    run(connection, "SELECT DATABASE()", log)
    connection.close()


@case
def reset_connection_forgets_the_session(log):
    connection = connect()
    run(connection, "SET @a = 1, sql_mode = '', time_zone = '+03:00'", log)
    run(connection, "CREATE TEMPORARY TABLE tmp (id INT)", log)
    run(connection, "SELECT GET_LOCK('reset', 0)", log)
    run(connection, "CREATE TABLE rc (id INT)", log)
    run(connection, "BEGIN", log)
    run(connection, "INSERT INTO rc VALUES (1)", log)
    run(connection, "USE information_schema", log)
    try:
        log.see("reset", simple(connection, 0x1F).is_ok_packet())
    except pymysql.MySQLError as error:
        # Before MySQL 5.7.
        tell(log, "reset", error)
    run(connection, "SELECT @a, @@sql_mode = @@global.sql_mode, @@time_zone, DATABASE()", log)
    run(connection, "SELECT * FROM test_drivers.tmp", log)
    run(connection, "SELECT * FROM test_drivers.rc", log)
    run(connection, "SELECT IS_FREE_LOCK('reset')", log)
    run(connection, "SELECT @@character_set_client, @@collation_connection", log)
    run(connection, "DROP TABLE test_drivers.rc", log)
    connection.close()


@case
def commands_that_servers_know(log):
    connection = connect()
    run(connection, "CREATE TABLE fl (id INT PRIMARY KEY, v VARCHAR(9) DEFAULT 'x')", log)
    for name, number, body in (
        ("statistics", COMMAND.COM_STATISTICS, b""),
        ("process info", COMMAND.COM_PROCESS_INFO, b""),
        ("field list", COMMAND.COM_FIELD_LIST, b"fl\0"),
        ("field list of nothing", COMMAND.COM_FIELD_LIST, b"absent\0"),
        ("debug", COMMAND.COM_DEBUG, b""),
        ("sleep", COMMAND.COM_SLEEP, b""),
        ("connect", COMMAND.COM_CONNECT, b""),
        ("time", COMMAND.COM_TIME, b""),
        ("delayed insert", COMMAND.COM_DELAYED_INSERT, b""),
        ("connect out", COMMAND.COM_CONNECT_OUT, b""),
        ("daemon", 0x1D, b""),
        ("set option on", COMMAND.COM_SET_OPTION, b"\0\0"),
        ("set option off", COMMAND.COM_SET_OPTION, b"\1\0"),
        ("set option bad", COMMAND.COM_SET_OPTION, b"\7\0"),
        ("unknown", 0x60, b""),
        ("refresh", 0x07, b"\x01"),
        ("create db", 0x05, b"x"),
        ("drop db", 0x06, b"x"),
        ("kill nobody", 0x0C, struct.pack("<I", 999999999)),
        ("empty query", COMMAND.COM_QUERY, b""),
        ("query of spaces", COMMAND.COM_QUERY, b"   "),
        ("query of a semicolon", COMMAND.COM_QUERY, b";"),
        ("query of a comment", COMMAND.COM_QUERY, b"-- nothing"),
        ("init db of nothing", COMMAND.COM_INIT_DB, b""),
    ):
        try:
            packet = simple(connection, number, body)
            kind = packet.get_all_data()[:1]
            log.see(name, kind if name not in ("statistics",) else "text")
            while name in ("process info", "field list") and not packet.is_eof_packet():
                packet = connection._read_packet()
            if name == "process info":
                while not (packet := connection._read_packet()).is_eof_packet():
                    pass
        except pymysql.MySQLError as error:
            tell(log, name, error)
            if not connection.open or error.args[0] in (2006, 2013):
                connection = connect()
    run(connection, "DROP TABLE fl", log)
    connection.close()


@case
def another_session_is_killed(log):
    victim, killer = connect(), connect()
    run(killer, f"KILL {victim.thread_id()}".replace(str(victim.thread_id()), "999999998"), log)
    with killer.cursor() as cursor:
        log.see("killed", cursor.execute(f"KILL CONNECTION {victim.thread_id()}"))
    try:
        run(victim, "SELECT 1", log)
    except pymysql.MySQLError as error:
        log.see("victim", type(error).__name__, error.args[0] in (2006, 2013, 1927, 4031))
    killer.kill  # the driver's own call is COM_PROCESS_KILL
    second = connect()
    try:
        killer.kill(second.thread_id())
        log.see("killed by command")
    except pymysql.MySQLError as error:
        log.see("kill command", error.args[0])
    try:
        second.ping(reconnect=True)
        run(second, "SELECT 'again'", log)
    except pymysql.MySQLError as error:
        tell(log, "reconnected", error)
    killer.close()


@case
def a_running_statement_is_cancelled(log):
    victim, killer = connect(), connect()
    seen = []

    def sleep():
        try:
            with victim.cursor() as cursor:
                cursor.execute("SELECT SLEEP(20)")
                seen.append(("row", cursor.fetchall()))
        except pymysql.MySQLError as error:
            seen.append((type(error).__name__, *error.args))

    thread = threading.Thread(target=sleep)
    thread.start()
    with killer.cursor() as cursor:
        for _ in range(100):
            cursor.execute("SELECT SLEEP(0.05)")
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist"
                           " WHERE info LIKE '%SLEEP(20)%' AND info NOT LIKE '%info%'")
            if cursor.fetchone()[0]:
                break
        cursor.execute(f"KILL QUERY {victim.thread_id()}")
    thread.join(30)
    log.see("cancelled", *seen)
    run(victim, "SELECT 'alive'", log)
    own = Log()
    run(victim, f"KILL QUERY {victim.thread_id()}", own)
    log.see("KILL QUERY of itself", own.lines[0][1:])
    run(victim, "SELECT 'still alive'", log)
    try:
        run(victim, f"KILL {victim.thread_id()}", own)
    except pymysql.MySQLError:
        pass
    log.see("KILL of itself", own.lines[1][1:])
    try:
        run(victim, "SELECT 'dead'", log)
    except pymysql.MySQLError as error:
        log.see("after suicide", error.args[0] in (0, 2006, 2013))
    killer.close()


@case
def show_processlist_shows_the_own_session(log):
    connection = connect(program_name="driver suite")
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.processlist"
                       " WHERE id = CONNECTION_ID()")
        log.see("listed", cursor.fetchone()[0])
        cursor.execute("SHOW PROCESSLIST")
        log.see("shown", any(row[0] == connection.thread_id() for row in cursor.fetchall()))
    connection.close()


@case
def many_sessions_keep_apart(log):
    sessions = [connect() for _ in range(30)]
    for number, session in enumerate(sessions):
        with session.cursor() as cursor:
            cursor.execute(f"SET @n = {number}, sql_select_limit = {number + 1}")
            cursor.execute("SET time_zone = '+%02d:00'" % (number % 12))
    for _ in range(3):
        for number, session in enumerate(sessions):
            with session.cursor() as cursor:
                cursor.execute("SELECT @n, @@sql_select_limit, @@time_zone")
                log.see(f"session {number}", cursor.fetchall())
    for session in sessions:
        session.close()


@case
def autocommit_of_the_driver(log):
    writer, other = connect(autocommit=False), connect(autocommit=True)
    run(writer, "CREATE TABLE ac (id INT)", log)
    run(writer, "INSERT INTO ac VALUES (1)", log)
    run(other, "SELECT COUNT(*) FROM ac", log)
    writer.commit()
    run(other, "SELECT COUNT(*) FROM ac", log)
    run(writer, "INSERT INTO ac VALUES (2)", log)
    writer.rollback()
    writer.begin()
    run(writer, "INSERT INTO ac VALUES (3)", log)
    writer.close()
    run(other, "SELECT SLEEP(0.2)", log)
    run(other, "SELECT COUNT(*) FROM ac", log)
    log.see("autocommit", other.get_autocommit())
    other.autocommit(False)
    log.see("autocommit", other.get_autocommit())
    run(other, "DROP TABLE ac", log)
    other.close()
