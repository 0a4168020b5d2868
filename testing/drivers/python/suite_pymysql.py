"""PyMySQL: the text protocol."""

import harness
from pymysql_sessions import connect, run

harness.script_cases(connect, run)
harness.fresh_schema_by(lambda: connect(database=None), run)

import cases_conflicts  # noqa: E402,F401  registers its cases
import cases_protocol  # noqa: E402,F401
import cases_sessions  # noqa: E402,F401

if __name__ == "__main__":
    harness.main()
