"""The command-line clients `mariadb` and `mysql`: the scripts in one session, and their output."""

import subprocess
import sys

import harness
from harness import case, statements

PROGRAM = sys.argv[1]
# What the clients of MySQL 8 and later must be asked for: the key, for a login without TLS.
KEY = [] if "mariadb" in PROGRAM else ["--get-server-public-key"]


def client(log, label, sql, *options, database=harness.DATABASE):
    """One run of the client: what it printed, and its exit code."""
    login = [f"--host={harness.HOST}", f"--port={harness.PORT}", f"--user={harness.USER}"]
    command = [PROGRAM, "--no-defaults", *login, *KEY, *options, *([database] if database else [])]
    environment = {"MYSQL_PWD": harness.PASSWORD, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, input=sql.encode(), capture_output=True, env=environment,
                          timeout=300, check=False)
    for stream in (done.stdout, done.stderr):
        for line in stream.decode(errors="replace").splitlines():
            log.see(label, line)
    log.see(label, done.returncode)


def fresh():
    """An empty schema."""
    client(harness.Log(), "", f"DROP DATABASE IF EXISTS test_drivers_other;"
           f" DROP DATABASE IF EXISTS {harness.DATABASE};"
           f" CREATE DATABASE {harness.DATABASE} CHARACTER SET utf8mb4"
           " COLLATE utf8mb4_general_ci;", database=None)


def script(path, options):
    def body(log):
        lines = [sql + " //" for session, sql in statements(path) if session == 1]
        client(log, path.stem, "DELIMITER //\n" + "\n".join(lines) + "\n", *options)

    return body


harness.FRESH.append(fresh)
for one in sorted(harness.SCRIPTS.glob("*.sql")):
    forms = {"table": ["--table", "--force", "--show-warnings"],
             "batch": ["--batch", "--force", "--column-type-info", "--comments"]}
    for form, flags in forms.items():
        harness.CASES.append((f"script {one.stem} {form}", script(one, flags)))


@case
def commands_of_the_client(log):
    client(log, "commands", "SELECT 1\\G\nuse information_schema\nSELECT DATABASE();\n"
           "warnings\nSELECT 1/0;\ncharset utf8mb4\nSELECT @@character_set_client;\n"
           "nowarning\nconnect test_drivers\nSELECT DATABASE();\n", "--force")


@case
def options_of_the_client(log):
    for options in (["--compress"], ["--quick"], ["--init-command=SET @a = 5"], ["--xml"],
                    ["--html"], ["--safe-updates"], ["--skip-reconnect"], ["--local-infile=1"],
                    ["--default-character-set=latin1"], ["--max-allowed-packet=64M"]):
        client(log, options[0], "SELECT @a, @@sql_safe_updates, @@character_set_client,"
               " LENGTH(REPEAT('x', 1000000));\n", *options)
    client(log, "wrong schema", "SELECT 1;", database="absent_schema")


if __name__ == "__main__":
    harness.main()
