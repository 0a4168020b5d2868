"""sysbench with a fixed seed: the same events must leave the same tables, by both protocols."""

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
         "--time=0", "--rand-seed=7", "--rand-type=uniform", f"--db-ps-mode={mode}", command],
        capture_output=True, text=True, timeout=280, check=False)
    log.see(f"{test} {command}", done.returncode, done.stderr.splitlines()[-3:])
    for line in done.stdout.splitlines():
        found = re.match(r"\s+(read|write|other|total|queries|ignored errors|reconnects):\s+(\d+)", line)
        # Threads in each other's way repeat what was rolled back: only one alone is exact.
        if found and threads == 1:
            log.see(*found.groups())


def of(test, mode, threads):
    def body(log):
        for command in ("prepare", "run"):
            sysbench(log, test, mode, threads, command)
        session = connect()
        if threads == 1:
            run(session, "CHECKSUM TABLE sbtest1, sbtest2", log)
        run(session, f"SELECT COUNT(*) FROM sbtest1 WHERE id <= {SIZE}", log)
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
