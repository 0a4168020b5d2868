"""One server as the sandbox runs none, behind a proxy without a manager: MySQL 5.6, and MariaDB whose
accounts prove themselves by ed25519."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from runner import paths
from runner.cluster import LARGEST_PACKET, LOCK_WAIT_S, Cluster

PROGRAM = paths.TARGET / "debug/examples/one_server"
PLUGINS = paths.HOME / "mariadb-plugins"
MARIADB = "/usr/sbin/mariadbd"
SCRIPTS = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
START_LIMIT_S = 60
USER, PASSWORD = "app", "the password of the suites"
ACCOUNT = {
    "mysql56": "DELETE FROM mysql.user WHERE user = ''; FLUSH PRIVILEGES;"
               f" CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'",
    "ed25519": "DELETE FROM mysql.global_priv WHERE user = ''; FLUSH PRIVILEGES;"
               f" CREATE USER {USER}@'%' IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')",
}
GRANTS = f"""
GRANT CREATE ON *.* TO {USER}@'%';
GRANT ALL ON `test%`.* TO {USER}@'%';
GRANT EXECUTE, ALTER ROUTINE ON *.* TO {USER}@'%';
"""


def home_of_server():
    """Where scripts/install-servers.sh unpacks it."""
    for home in ("/opt", pathlib.Path.home() / ".local/share"):
        place = pathlib.Path(home) / "mainstay-servers/mysql56"
        if place.exists():
            return place
    raise SystemExit("there is no MySQL 5.6; scripts/install-servers.sh mysql56 installs it")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Single(Cluster):
    """The server and the proxy; what a suite is told of a sandbox, it is told of these."""

    def __init__(self, family, home, ports):
        self.family = family
        self.directory = home
        self.user, self.password = USER, PASSWORD
        self.ports = ports
        self.socket = f"{home}/socket"

    @classmethod
    @contextlib.contextmanager
    def started(cls, family):
        """A new server on a free port; its data are gone at the end."""
        if not PROGRAM.exists():
            raise SystemExit(f"there is no {PROGRAM}: cargo build -p mainstay-proxy --examples")
        home = tempfile.mkdtemp(prefix=f"mainstay-drivers-{family}-")
        cluster = cls(family, home, {"direct": free_port()})
        running = []
        try:
            start = cluster.start_mariadb if family == "ed25519" else cluster.start_mysql56
            running.append(start())
            cluster.as_root("SELECT 1", START_LIMIT_S)
            cluster.as_root(ACCOUNT[family] + ";" + GRANTS)
            running.append(cluster.start_proxy())
            yield cluster
        finally:
            for one in reversed(running):
                one.terminate()
                one.wait()
            shutil.rmtree(home, ignore_errors=True)

    def environment(self, way):
        """What a suite reads."""
        family = "mariadb" if self.family == "ed25519" else self.family
        return {**super().environment(way), "DRIVERS_FAMILY": family}

    def start_mariadb(self):
        """Makes the data of a server, and starts it."""
        data = f"--datadir={self.directory}/data"
        make = ["mariadb-install-db", "--no-defaults", data, "--user=root",
                "--auth-root-authentication-method=normal"]
        command = [MARIADB, "--no-defaults", data, "--user=root", f"--socket={self.socket}",
                   f"--port={self.ports['direct']}", "--bind-address=127.0.0.1",
                   f"--tmpdir={self.directory}", f"--max-allowed-packet={LARGEST_PACKET}",
                   f"--lock-wait-timeout={LOCK_WAIT_S}", f"--plugin-dir={PLUGINS}",
                   "--plugin-load-add=auth_ed25519", "--skip-name-resolve"]
        with open(f"{self.directory}/log", "wb") as log:
            subprocess.run(make, stdout=log, stderr=log, check=True)
            return subprocess.Popen(command, stdout=log, stderr=log)

    def start_mysql56(self):
        """Makes the data of a server, and starts it."""
        place, home = home_of_server(), pathlib.Path(self.directory)
        (home / "data/mysql").mkdir(parents=True)
        settings = home / "my.cnf"
        settings.write_text(f"""[mysqld]
user = root
basedir = {place}
lc_messages_dir = {place}/share
datadir = {home}/data
tmpdir = {home}
socket = {self.socket}
port = {self.ports["direct"]}
bind_address = 127.0.0.1
skip_name_resolve = ON
explicit_defaults_for_timestamp = ON
max_allowed_packet = {LARGEST_PACKET}
innodb_log_file_size = 512M
lock_wait_timeout = {LOCK_WAIT_S}
""")
        command = [str(place / "mysqld"), f"--defaults-file={settings}"]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(place / "lib")}
        tables = "".join((place / "share" / name).read_text() for name in SCRIPTS)
        with open(home / "log", "wb") as log:
            subprocess.run([*command, "--bootstrap"], input=f"use mysql;\n{tables}".encode(),
                           env=environment, stdout=log, stderr=log, check=True)
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def start_proxy(self):
        """The proxy in front of it."""
        server = f"127.0.0.1:{self.ports['direct']}"
        command = [str(PROGRAM), "127.0.0.1:0", server, USER, PASSWORD]
        proxy = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports["through"] = int(proxy.stdout.readline().rsplit(":", 1)[1])
        return proxy

    def as_root(self, sql, limit_s=0):
        """Statements of the one who may all, tried again until the limit."""
        command = ["mariadb", "--no-defaults", "--user=root", f"--socket={self.socket}"]
        end = time.monotonic() + limit_s
        while subprocess.run([*command, "-e", sql], capture_output=limit_s > 0,
                             check=False).returncode:
            if time.monotonic() > end:
                raise SystemExit(f"the server does not answer; {self.directory}/log says why")
            time.sleep(0.2)

    def purge(self):
        """It keeps no binary log."""
