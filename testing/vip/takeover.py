#!/usr/bin/env python3
"""Times how long a floating address does not answer when the host that has it ends.

Mainstay and keepalived in turn, each on two hosts in network namespaces, and a third host that
connects to the address every 5 ms. Both are ended at the same moments between two advertisements,
since how long the last one lies back is most of the difference between any two runs.

    make bench-vip ARGS="--rounds 5"        # as root; keepalived must be installed
"""

import argparse
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ADDRESS = "10.124.0.100"
PORT = 3306
PROBE_INTERVAL = 0.005
PROBE_LIMIT = 0.25
CASES = [(2, 1.0, "KILL"), (2, 1.0, "TERM"), (3, 0.01, "KILL"), (3, 0.01, "TERM")]


def answer(name):
    """A server that says who it is."""
    listener = socket.create_server(("", PORT), backlog=1024)
    while True:
        client, _ = listener.accept()
        with client:
            try:
                client.send(name.encode())
            except OSError:
                pass


def hears_advertisements(sender):
    """A socket that hears each advertisement of one host, and nothing else that takes time."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    packets.setblocking(False)
    wanted = socket.inet_aton(sender)

    def heard():
        seen = None
        while True:
            try:
                packet = packets.recv(64)
            except BlockingIOError:
                return seen
            if len(packet) > 20 and packet[9] == 112 and packet[12:16] == wanted:
                seen = time.monotonic()

    return packets, heard


def end(pids, how):
    """Ends a program. keepalived's worker would be told by the death of its parent."""
    if how == "TERM":
        os.kill(pids[0], signal.SIGTERM)
        return
    os.kill(pids[0], signal.SIGSTOP)
    for pid in pids[1:] + pids[:1]:
        os.kill(pid, signal.SIGKILL)


def probe(how, phase, limit, pids):
    """Ends the first host `phase` seconds after an advertisement of it, and probes until the second
    answers for the address. Prints when, in seconds after the end."""
    packets, heard = hears_advertisements("10.124.0.1")
    poll = select.poll()
    poll.register(packets, select.POLLIN)
    begun, live = time.monotonic(), {}
    next_probe, last_advert, ended, last_old = begun, None, None, None
    while time.monotonic() < begun + limit:
        now = time.monotonic()
        if now >= next_probe:
            next_probe = max(next_probe + PROBE_INTERVAL, now)
            connection = socket.socket()
            connection.setblocking(False)
            try:
                connection.connect((ADDRESS, PORT))
            except BlockingIOError:
                poll.register(connection, select.POLLIN)
                live[connection.fileno()] = (connection, now)
            except OSError:
                connection.close()
        if ended is None and last_advert and now >= last_advert + phase and now > begun + 0.3:
            end(pids, how)
            ended = time.monotonic()
        wait = next_probe if ended or not last_advert else min(next_probe, last_advert + phase)
        for number, _ in poll.poll(max(0, (wait - time.monotonic()) * 1000)):
            if number == packets.fileno():
                seen = heard()
                if ended is None:
                    last_advert = seen or last_advert
                continue
            connection, _ = live.pop(number)
            poll.unregister(number)
            try:
                who = connection.recv(16).decode()
            except OSError:
                who = ""
            connection.close()
            at = time.monotonic()
            if who == "h1":
                last_old = at
            if who == "h2" and ended:
                print(json.dumps({"took": at - ended, "since_advert": at - last_advert,
                                  "silent": at - (last_old or ended)}))
                return
        for number in [one for one, (_, at) in live.items() if now - at > PROBE_LIMIT]:
            poll.unregister(number)
            live.pop(number)[0].close()
    print(json.dumps({"took": None}))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Lab:
    """Three hosts on one Ethernet, and what runs on them."""

    def __init__(self):
        self.prefix = f"mt{os.getpid()}"
        self.folder = tempfile.TemporaryDirectory()
        self.children = []
        self.names = []
        switch = self.namespace("sw")
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        for host in (1, 2, 3):
            name = self.namespace(f"h{host}")
            run("ip", "link", "add", f"p{host}", "netns", switch, "type", "veth",
                "peer", "name", "eth0", "netns", name)
            run("ip", "-n", switch, "link", "set", f"p{host}", "master", "br0", "up")
            run("ip", "-n", name, "addr", "add", f"10.124.0.{host}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        for host in ("h1", "h2"):
            self.spawn(host, [sys.executable, __file__, "answer", host])

    def namespace(self, name):
        full = f"{self.prefix}-{name}"
        run("ip", "netns", "add", full)
        self.names.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def on(self, host, command):
        return ["ip", "netns", "exec", f"{self.prefix}-{host}", *command]

    def spawn(self, host, command):
        log = open(os.path.join(self.folder.name, "log"), "a", encoding="utf-8")
        child = subprocess.Popen(self.on(host, command), stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
        self.children.append(child)
        return child

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def mainstay(self, host, version, interval):
        password = 'password = "s3cret"' if version == 2 else ""
        path = self.write(f"{host}.toml", f'''
[vrrp]
state = "{host}.vip"
realtime_priority = 50
[api]
password = "x"
[[vip]]
name = "floating"
interface = "eth0"
virtual_router_id = 51
addresses = ["{ADDRESS}/24"]
version = {version}
advert_interval = "{round(interval * 1000)}ms"
priority = {110 - 10 * host}
{password}
''')
        return self.spawn(f"h{host}", [os.environ["MAINSTAY_BIN"], "serve", "--config", path])

    def keepalived(self, host, version, interval):
        password = "authentication {\n auth_type PASS\n auth_pass s3cret\n }"
        path = self.write(f"{host}.conf", f'''
global_defs {{
 router_id h{host}
 vrrp_version {version}
 vrrp_rt_priority 50
}}
vrrp_instance V {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority {110 - 10 * host}
 advert_int {interval:g}
 {password if version == 2 else ""}
 virtual_ipaddress {{
  {ADDRESS}/24
 }}
}}
''')
        files = [part for option in "prcb" for part in (f"-{option}", f"{path}.{option}")]
        return self.spawn(f"h{host}", ["keepalived", "-n", "-l", "-f", path, *files])

    def holds(self, host):
        return ADDRESS in run("ip", "-n", f"{self.prefix}-h{host}", "-4", "addr", "show")

    def round(self, program, case, phase):
        version, interval, how = case
        routers = [getattr(self, program)(host, version, interval) for host in (1, 2)]
        try:
            until = time.monotonic() + 30
            while not self.holds(1) or self.holds(2):
                if time.monotonic() > until:
                    raise SystemExit(f"{program}: the address is not on the first host alone")
                time.sleep(0.05)
            time.sleep(1)
            pids = [routers[0].pid]
            if program == "keepalived":
                children = f"/proc/{pids[0]}/task/{pids[0]}/children"
                with open(children, encoding="utf-8") as file:
                    pids += map(int, file.read().split())
            limit = 2 + 8 * interval
            command = [sys.executable, __file__, "probe", how, str(phase), str(limit),
                       *map(str, pids)]
            found = json.loads(run(*self.on("h3", command)))
            time.sleep(0.2)
            return {**found, "left": self.holds(1)}
        finally:
            for router in routers:
                if router.poll() is None:
                    router.terminate()
                router.wait()
            time.sleep(0.2)
            for host in (1, 2):
                if self.holds(host):
                    run("ip", "-n", f"{self.prefix}-h{host}", "addr", "del",
                        f"{ADDRESS}/24", "dev", "eth0")
            run("ip", "-n", f"{self.prefix}-h3", "neigh", "flush", "dev", "eth0")

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
        self.folder.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each case and program")
    parser.add_argument("--only", help="cases that begin so, such as 'v3' or 'v2 KILL'")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("takeover.py needs root, for network namespaces")
    lab = Lab()
    try:
        print(f"{'case':22} {'program':10} {'rounds':>6} {'min':>6} {'median':>6} {'max':>6}"
              f" {'since advert':>12} {'left behind':>11}   (ms)", flush=True)
        for case in CASES:
            version, interval, how = case
            name = f"v{version} {how} {interval:g} s"
            if arguments.only and not name.startswith(arguments.only):
                continue
            found = {"mainstay": [], "keepalived": []}
            for number in range(arguments.rounds):
                phase = interval * (number + 0.5) / arguments.rounds
                for program, rounds in found.items():
                    rounds.append(lab.round(program, case, phase))
            for program, rounds in found.items():
                show(name, program, rounds)
    finally:
        lab.close()


def show(name, program, rounds):
    took = [one["took"] * 1000 for one in rounds if one["took"] is not None]
    since = [one["since_advert"] * 1000 for one in rounds if one["took"] is not None]
    left = sum(one["left"] for one in rounds)
    if not took:
        print(f"{name:22} {program:10} never answered")
        return
    print(f"{name:22} {program:10} {len(took):>3}/{len(rounds):<2} {min(took):6.0f}"
          f" {statistics.median(took):6.0f} {max(took):6.0f} {statistics.median(since):12.0f}"
          f" {left:>8}/{len(rounds)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["answer"]:
        answer(sys.argv[2])
    elif sys.argv[1:2] == ["probe"]:
        probe(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), [int(p) for p in sys.argv[5:]])
    else:
        main()
