"""One sandbox: three servers and the proxy, started and stopped."""

import contextlib
import json
import shutil
import subprocess
import tempfile

from runner import paths

# Large values are part of the suites; the servers' own default is 16 MiB on MariaDB.
LARGEST_PACKET = 64 << 20
# A suite in its own way fails, instead of waiting for a year.
LOCK_WAIT_S = 10


class Cluster:
    """A running sandbox, and where its primary and its proxy listen."""

    def __init__(self, family, told):
        self.family = family
        self.directory = told["dir"]
        self.user = told["proxy"]["user"]
        self.password = told["proxy"]["password"]
        primary = next(one for one in told["servers"] if one["role"] == "primary")
        self.ports = {
            "direct": int(primary["address"].rsplit(":", 1)[1]),
            "through": told["proxy"]["port"],
        }
        self.servers = [one["address"].rsplit(":", 1) for one in told["servers"]]

    @classmethod
    @contextlib.contextmanager
    def started(cls, family, settings, keep):
        """A new sandbox on free ports; its data are gone at the end."""
        home = tempfile.mkdtemp(prefix=f"mainstay-drivers-{family}-")
        ports = [f"--{name}-port=0" for name in ("proxy", "admin", "api", "base")]
        command = [paths.mainstay(), "sandbox", "--flavor", family, "--detach", "--json",
                   "--dir", home, "--settings", str(settings), *ports]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(home, ignore_errors=True)
            raise SystemExit(f"the {family} sandbox did not start: {done.stderr or done.stdout}")
        cluster = cls(family, json.loads(done.stdout.splitlines()[-1]))
        try:
            cluster.prepare()
            yield cluster
        finally:
            if keep:
                print(f"left running: {home} {cluster.ports}")
            else:
                stop = [paths.mainstay(), "sandbox", "stop", "--dir", home]
                subprocess.run(stop, capture_output=True, check=False)
                shutil.rmtree(home, ignore_errors=True)

    @classmethod
    @contextlib.contextmanager
    def running(cls, directory):
        """The sandbox that runs in a directory; it is left as it is."""
        with open(f"{directory}/mainstay.run.json", encoding="utf-8") as file:
            told = json.load(file)
        cluster = cls(told["flavor"], told)
        cluster.prepare()
        yield cluster

    def prepare(self):
        """Lets the servers take the largest values of the suites, and wait for locks not long."""
        self.as_manager(
            f"SET GLOBAL max_allowed_packet = {LARGEST_PACKET}, lock_wait_timeout = {LOCK_WAIT_S}")

    def purge(self):
        """Frees the disk of the binary logs that a suite with large values leaves."""
        self.as_manager("FLUSH LOGS; PURGE BINARY LOGS BEFORE NOW()")

    def as_manager(self, sql):
        """A statement on every server."""
        with open(f"{self.directory}/sandbox.json", encoding="utf-8") as file:
            manager = json.load(file)["credentials"]["manager"]
        for host, port in self.servers:
            self.client(sql, host, port, manager["user"], manager["password"])

    def client(self, sql, host, port, user, password):
        """One statement by the command-line client."""
        login = [f"--host={host}", f"--port={port}", f"--user={user}"]
        subprocess.run(["mariadb", "--no-defaults", *login, "-e", sql], check=False,
                       env={"MYSQL_PWD": password, "PATH": "/usr/bin:/bin"})

    def environment(self, way):
        """What a suite reads."""
        return {
            "DRIVERS_HOST": "127.0.0.1",
            "DRIVERS_PORT": str(self.ports[way]),
            "DRIVERS_USER": self.user,
            "DRIVERS_PASSWORD": self.password,
            "DRIVERS_FAMILY": self.family,
            "DRIVERS_DATABASE": "test_drivers",
        }
