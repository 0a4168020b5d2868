"""sysbench: its own counts, and how many rows it leaves, by both protocols. Which rows it touches
differs from run to run, whatever the seed."""

import re
import subprocess

import harness
from pymysql_sessions import connect, run

SIZE, EVENTS = 500, 60


def sysbench(log, test, mode, threads, command):
    """One run; its counts of queries, transactions and errors."""
    done = subprocess.run(
        ["sysbench", test, "--db-driver=mysql", f"--mysql-host={harness.HOST}",
         f"--mysql-port={harness.PORT}", f"--mysql-user={harness.USER}",
         f"--mysql-password={harness.PASSWORD}", f"--mysql-db={harness.DATABASE}",
         "--tables=2", f"--table-size={SIZE}", f"--threads={threads}", f"--events={EVENTS}",
         "--time=0", "--rand-type=uniform", f"--db-ps-mode={mode}", command],
        capture_output=True, text=True, timeout=280, check=False)
    log.see(f"{test} {command}", done.returncode, done.stderr.splitlines()[-3:])
    for line in done.stdout.splitlines():
        found = re.match(r"\s+(read|write|other|total|queries|ignored errors|reconnects):\s+(\d+)", line)
        # Threads in each other's way repeat what was rolled back: only one alone is exact. The
        # deletion of a row that is gone already does not count as a write.
        if found and threads == 1 and test != "oltp_delete":
            log.see(*found.groups())


def of(test, mode, threads):
    def body(log):
        for command in ("prepare", "run"):
            sysbench(log, test, mode, threads, command)
        session = connect()
        rows = "SELECT (SELECT COUNT(*) FROM sbtest1) + (SELECT COUNT(*) FROM sbtest2)"
        deleted = f" BETWEEN {2 * SIZE - EVENTS} AND {2 * SIZE - 1}" if "delete" in test else ""
        run(session, rows + deleted, log)
        session.close()

    return body


harness.fresh_schema_by(lambda: connect(database=None), run)
for kind in ("point_select", "read_only", "read_write", "write_only", "insert", "delete"):
    for protocol in ("auto", "disable"):
        for count in (1, 8):
            name = f"oltp_{kind} {protocol} {count}"
            harness.CASES.append((name, of(f"oltp_{kind}", protocol, count)))

if __name__ == "__main__":
    harness.main()
