"""Random statements of several sessions at once, directly and through the proxy, compared.

Each seed makes one schedule: which session runs which statement next. It is run twice on empty
schemas, and every answer must be equal. A seed that differs prints the command that replays it.

    python/fuzz_sql.py --seeds 20            from DRIVERS_* (see runner/cluster.py): both ports
    python/fuzz_sql.py --seed 1234 --show    one schedule, all of its statements
"""

import argparse
import os
import random
import sys

import pymysql

SESSIONS = 4


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
        "USE fuzz_other", "USE fuzz", "SELECT DATABASE()", "CALL p()", "CALL absent()",
        "KILL QUERY 0", "SELECT CONNECTION_ID() > 0", "SELECT SQL_CALC_FOUND_ROWS * FROM a LIMIT 1",
    ])


class Side:
    """The sessions of one way."""

    def __init__(self, port, database):
        self.port, self.database, self.sessions = port, database, {}

    def connect(self, database):
        return pymysql.connect(
            host=os.environ["DRIVERS_HOST"], port=self.port, user=os.environ["DRIVERS_USER"],
            password=os.environ["DRIVERS_PASSWORD"], database=database, charset="utf8mb4",
            autocommit=None, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
            read_timeout=30, init_command="SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1")

    def fresh(self):
        session = self.connect(None)
        with session.cursor() as cursor:
            for name in (self.database, self.database + "_other"):
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")
                cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            for name in ("a", "b"):
                cursor.execute(f"CREATE TABLE {self.database}.{name}"
                               " (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
            cursor.execute(f"CREATE PROCEDURE {self.database}.p()"
                           " BEGIN SELECT 1; SET @u = 7; SELECT COUNT(*) FROM a; END")
        session.close()

    def run(self, number, sql):
        """The answer, with the own name of the schema taken out."""
        if number not in self.sessions:
            self.sessions[number] = self.connect(self.database)
        session = self.sessions[number]
        answer = []
        try:
            with session.cursor() as cursor:
                cursor.execute(sql.replace("fuzz", self.database))
                more = True
                while more:
                    result = cursor._result
                    answer.append((cursor.fetchall(), result.affected_rows, result.insert_id,
                                   result.warning_count, result.server_status))
                    more = cursor.nextset()
        except pymysql.MySQLError as error:
            answer.append(error.args)
            if error.args[0] in (2006, 2013):
                del self.sessions[number]
        return repr(answer).replace(self.database, "fuzz")

    def leave(self, number):
        if number in self.sessions:
            self.sessions.pop(number).close()

    def close(self):
        for number in list(self.sessions):
            self.leave(number)


WITHOUT = []


def schedule(seed, length):
    """Who does what, in order; None is a session that leaves."""
    draw = random.Random(seed)
    for _ in range(length):
        leaves = draw.randrange(25) == 0
        number, sql = draw.randrange(SESSIONS), None if leaves else statement(draw)
        if sql is None or not any(text in sql for text in WITHOUT):
            yield number, sql


def differs(seed, length, ports, show):
    """Runs one schedule both ways; the first difference, if there is one."""
    sides = [Side(port, "test_fuzz") for port in ports]
    told = []
    for side in sides:
        side.fresh()
        answers = []
        for number, sql in schedule(seed, length):
            if sql is None:
                side.leave(number)
                answers.append("left")
            else:
                answers.append(side.run(number, sql))
        side.close()
        told.append(answers)
    for at, (number, sql) in enumerate(schedule(seed, length)):
        direct, through = told[0][at], told[1][at]
        if show:
            print(f"{at:4} @{number} {sql}\n       {direct}")
        if direct != through:
            return f"step {at}, session {number}: {sql}\n  direct:  {direct}\n  through: {through}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--length", type=int, default=120)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--without", action="append", default=[], metavar="TEXT",
                        help="leave out statements that contain this")
    parser.add_argument("--direct", type=int, required=True, metavar="PORT")
    parser.add_argument("--through", type=int, required=True, metavar="PORT")
    chosen = parser.parse_args()
    WITHOUT.extend(chosen.without)
    seeds = [chosen.seed] if chosen.seed is not None else range(1, chosen.seeds + 1)
    failed = 0
    for seed in seeds:
        difference = differs(seed, chosen.length, (chosen.direct, chosen.through), chosen.show)
        if difference:
            failed += 1
            print(f"seed {seed} differs at {difference}\n  replay: {sys.argv[0]} --seed {seed}"
                  f" --length {chosen.length} --direct {chosen.direct} --through {chosen.through}")
    print(f"{len(seeds) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
