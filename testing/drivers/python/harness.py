"""What every suite in Python shares: where the server is, how a case is told, how scripts run.

A suite prints one JSON object for each case: its name, whether it raised, and everything that it
saw. Whether two such transcripts are equal is left to the runner.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import sys
import time
import traceback

HOST = os.environ["DRIVERS_HOST"]
PORT = int(os.environ["DRIVERS_PORT"])
USER = os.environ["DRIVERS_USER"]
PASSWORD = os.environ["DRIVERS_PASSWORD"]
DATABASE = os.environ.get("DRIVERS_DATABASE", "test_drivers")
FAMILY = os.environ.get("DRIVERS_FAMILY", "mariadb")
ONLY = os.environ.get("DRIVERS_ONLY", "")
SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "scripts"

CASES = []
FRESH = []


def case(function):
    """Registers a function of one argument, the log, as a case."""
    CASES.append((function.__name__, function))
    return function


def fresh_schema_by(connect, run):
    """Every case begins with an empty schema, made by a session of `connect()`."""

    def make():
        session, log = connect(), Log()
        for sql in (
            "DROP DATABASE IF EXISTS test_drivers_other",
            f"DROP DATABASE IF EXISTS {DATABASE}",
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        ):
            run(session, sql, log)
        session.close()

    FRESH.append(make)


class Log:
    """What a case has seen, in order."""

    def __init__(self):
        self.lines = []

    def see(self, what, *values):
        """One observation: a label, and the values."""
        self.lines.append([what, *[shown(value) for value in values]])


def shown(value):
    """A value as JSON can hold it; a long one by its length and digest."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value)
        if len(value) > 200:
            return f"bytes {len(value)} {hashlib.sha1(value).hexdigest()}"
        return repr(value)
    if isinstance(value, str):
        if len(value) > 2000:
            return f"text {len(value)} {hashlib.sha1(value.encode()).hexdigest()}"
        return value
    if isinstance(value, dict):
        return {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > 1000:
            whole = hashlib.sha1(repr(value).encode()).hexdigest()
            return f"rows {len(value)} {whole}"
        return [shown(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return shown(sorted(value))
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return f"{type(value).__name__} {value}"
    return f"{type(value).__name__} {value!r}"


def statements(path):
    """The statements of a script, each with the number of its session."""
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        session, text = re.match(r"(?:@(\d) )?(.*)", line).groups()
        yield int(session or 1), text


def script_cases(connect, run, suffix=""):
    """A case for each script: `connect()` opens a session, `run(session, sql, log)` tells all."""

    def make(path):
        def body(log):
            sessions = {}
            try:
                for number, sql in statements(path):
                    if number not in sessions:
                        sessions[number] = connect()
                    run(sessions[number], sql, log)
            finally:
                for session in sessions.values():
                    try:
                        session.close()
                    except Exception:  # what a broken session says at its end is no result
                        pass

        return body

    for path in sorted(SCRIPTS.glob("*.sql")):
        CASES.append((f"script {path.stem}{suffix}", make(path)))


def main():
    """Runs the cases whose names contain DRIVERS_ONLY."""
    failed = 0
    for name, body in CASES:
        if ONLY and ONLY not in name:
            continue
        log, raised, began = Log(), None, time.monotonic()
        try:
            for make in FRESH:
                make()
            body(log)
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = [f for f in traceback.extract_tb(error.__traceback__) if "testing" in f.filename]
            frame = where[-1] if where else frame
            log.see("raised", raised, f"line {frame.line}")
            failed += 1
        took = round(time.monotonic() - began, 3)
        told = {"case": name, "raised": raised, "took_s": took, "lines": log.lines}
        print(json.dumps(told, default=repr), flush=True)
    sys.exit(1 if failed else 0)
