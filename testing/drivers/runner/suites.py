"""The suites: how each is run, and what it needs. scripts/install-drivers.sh installs that."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from runner import paths

PYTHON = paths.HOME / "venv/bin/python"
NODE_MODULES = paths.HOME / "node/node_modules"
# The one that scripts/install-servers.sh unpacks beside its server.
MYSQL_CLIENT = os.environ.get("MAINSTAY_MYSQL") or next(
    (str(path) for path in (
        pathlib.Path("/opt/mainstay-servers/mysql97/usr/bin/mysql"),
        pathlib.Path.home() / ".local/share/mainstay-servers/mysql97/usr/bin/mysql",
    ) if path.exists()), "mysql")

FAMILIES = ("mariadb", "mysql", "mysql56", "ed25519")
USUAL = FAMILIES[:3]
# Without mysql_native_password the clients of MySQL 9 reach no server of these.
NEW = ("mysql",)

# A suite that takes longer hangs.
LIMIT_S = 900


class Suite:
    """A program that prints a JSON object for each case."""

    def __init__(self, command, needs, environment=None, families=USUAL):
        self.command = [str(part) for part in command]
        self.needs = needs
        self.environment = environment or {}
        self.families = families

    def missing(self):
        """What is not installed; nothing when the suite can run."""
        for need in self.needs:
            if not (pathlib.Path(need).exists() or shutil.which(str(need))):
                return f"{need} is missing; scripts/install-drivers.sh installs it"
        return None

    def run(self, cluster, way, only):
        """What the suite told, case by case."""
        environment = {
            **os.environ, **self.environment, **cluster.environment(way), "DRIVERS_ONLY": only,
        }
        try:
            done = subprocess.run(self.command, capture_output=True, text=True, cwd=paths.SUITES,
                                  env=environment, timeout=LIMIT_S, check=False)
            out, err, code = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired as late:
            out, err, code = (late.stdout or b"").decode(), "it did not end", 124
        cases = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        if code not in (0, 1) or not cases and not only:
            last = cases[-1]["case"] if cases else "(none)"
            tail = "\n".join([*err.splitlines()[-5:], f"the last case told was: {last}"])
            print(f"{self.command}: exit code {code}\n{tail}", file=sys.stderr)
            cases.append({"case": "(the suite itself)", "raised": f"exit code {code}", "lines": []})
        return cases


def python(script, *arguments):
    return Suite([PYTHON, f"python/{script}.py", *arguments], [PYTHON])


def client(program, families=USUAL):
    command = [PYTHON, "python/suite_client.py", program]
    return Suite(command, [PYTHON, program], families=families)


def node(which, families=USUAL):
    return Suite(["node", "node/suite.js", which], ["node", NODE_MODULES / which],
                 {"NODE_PATH": str(NODE_MODULES)}, families)


def perl(which, families=USUAL):
    module = f"/usr/lib/x86_64-linux-gnu/perl5/5.36/DBD/{which}.pm"
    return Suite(["perl", "perl/suite.pl", which], ["perl", module], families=families)


def rust(which):
    program = paths.HOME / "rust/debug/mainstay-drivers"
    return Suite([program, which], [program])


ALL = {
    "pymysql": python("suite_pymysql"),
    "connector": python("suite_connector"),
    "sqlalchemy": python("suite_sqlalchemy"),
    "django": python("suite_django"),
    "mysql2": node("mysql2"),
    "mariadb-js": node("mariadb", FAMILIES),
    "mysql_async": rust("mysql_async"),
    "sqlx": rust("sqlx"),
    "php": Suite(["php", "-d", "memory_limit=512M", "php/suite.php"], ["php"]),
    "perl-mysql": perl("mysql"),
    "perl-mariadb": perl("MariaDB", FAMILIES),
    "client-mariadb": client("mariadb", FAMILIES),
    "client-mysql": client(MYSQL_CLIENT, NEW),
    "sysbench": Suite([PYTHON, "python/suite_sysbench.py"], [PYTHON, "sysbench"]),
    "fuzz": python("suite_fuzz"),
    "go": Suite([paths.HOME / "go-suite"], [paths.HOME / "go-suite"]),
}
