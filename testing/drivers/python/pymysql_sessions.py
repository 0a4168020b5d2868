"""Sessions of PyMySQL, and everything of a reply that the driver shows."""

import pymysql
from pymysql.constants import CLIENT

import harness


def connect(**options):
    """A session in the schema of the suites, without autocommit's help from the driver."""
    given = {
        "host": harness.HOST,
        "port": harness.PORT,
        "user": harness.USER,
        "password": harness.PASSWORD,
        "database": harness.DATABASE,
        "charset": "utf8mb4",
        "autocommit": None,
        "client_flag": CLIENT.MULTI_STATEMENTS,
    }
    given.update(options)
    return pymysql.connect(**{key: value for key, value in given.items() if value != "absent"})


def tell(log, label, error):
    """An error as a program sees it; a lost connection ends its case."""
    log.see(label, type(error).__name__, *error.args)


def one(log, sql, cursor):
    """One result of a statement."""
    result = cursor._result
    fields = [
        (f.catalog, f.db, f.table_name, f.org_table, f.name, f.org_name, f.charsetnr, f.length,
         f.type_code, f.flags, f.scale)
        for f in getattr(result, "fields", None) or []
    ]
    log.see(sql, {
        "fields": fields, "rows": cursor.fetchall() if fields else None,
        "affected": result.affected_rows, "insert_id": result.insert_id,
        "warnings": result.warning_count, "status": result.server_status,
        "message": result.message,
    })


def run(connection, sql, log):
    """A statement with all its results."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        one(log, sql, cursor)
        while cursor.nextset():
            one(log, sql, cursor)
    except pymysql.MySQLError as error:
        tell(log, sql, error)
        if error.args and error.args[0] in (2006, 2013):
            raise
