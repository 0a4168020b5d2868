"""One server of MySQL 5.6, which the sandbox does not run, behind a proxy without a manager."""

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
SCRIPTS = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
START_LIMIT_S = 60
USER, PASSWORD = "app", "the password of the suites"
ACCOUNT = f"""
DELETE FROM mysql.user WHERE user = '';
FLUSH PRIVILEGES;
CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}';
GRANT CREATE ON *.* TO {USER}@'%';
GRANT ALL ON `test%`.* TO {USER}@'%';
GRANT EXECUTE ON *.* TO {USER}@'%';
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

    def __init__(self, home, ports):
        self.family = "mysql56"
        self.directory = home
        self.user, self.password = USER, PASSWORD
        self.ports = ports
        self.socket = f"{home}/socket"

    @classmethod
    @contextlib.contextmanager
    def started(cls):
        """A new server on a free port; its data are gone at the end."""
        if not PROGRAM.exists():
            raise SystemExit(f"there is no {PROGRAM}: cargo build -p mainstay-proxy --examples")
        home = tempfile.mkdtemp(prefix="mainstay-drivers-mysql56-")
        cluster = cls(home, {"direct": free_port()})
        running = []
        try:
            running.append(cluster.start_server())
            running.append(cluster.start_proxy())
            yield cluster
        finally:
            for one in reversed(running):
                one.terminate()
                one.wait()
            shutil.rmtree(home, ignore_errors=True)

    def start_server(self):
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
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.as_root("SELECT 1", START_LIMIT_S)
        self.as_root(ACCOUNT)
        return server

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
                raise SystemExit(f"MySQL 5.6 does not answer; {self.directory}/log says why")
            time.sleep(0.2)

    def purge(self):
        """It keeps no binary log."""
