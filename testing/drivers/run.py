#!/usr/bin/env python3
"""Runs every driver's suite against a server directly and through the proxy, and compares.

    testing/drivers/run.py                         every suite, both families
    testing/drivers/run.py pymysql mysql2          some suites
    testing/drivers/run.py --only script --diff 5  some cases; five differences of each shown

Exit code: 0 when nothing differs, 1 when something does, 2 when a suite or a cluster did not start.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from runner import compare, suites, table  # noqa: E402
from runner.cluster import Cluster  # noqa: E402
from runner.single import Single  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="; ".join(sorted(suites.ALL)))
    parser.add_argument("--family", choices=suites.FAMILIES, action="append",
                        help="mysql56 and ed25519 (MariaDB) are one server each; mariadb and mysql"
                             " when none is named")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in their name")
    parser.add_argument("--diff", type=int, default=3, metavar="N", help="differences shown of a case")
    parser.add_argument("--settings", type=pathlib.Path, metavar="FILE", action="append",
                        help="settings of the proxy; several make a column each")
    parser.add_argument("--dir", metavar="DIR", action="append", default=[],
                        help="use the sandbox that runs there, instead of new ones")
    parser.add_argument("--keep", action="store_true", help="leave the clusters running")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--list", action="store_true", help="print the suites, and what they lack")
    chosen = parser.parse_args()
    unknown = set(chosen.suites) - set(suites.ALL)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    return chosen


def main():
    chosen = arguments()
    names = chosen.suites or list(suites.ALL)
    if chosen.list:
        for name in names:
            print(f"{name:<14} {suites.ALL[name].missing() or 'ready'}")
        return 0
    settings = chosen.settings or [pathlib.Path(__file__).parent / "proxy.toml"]
    results, broken = [], False
    for cluster_of, label in clusters(chosen, settings):
        with cluster_of as cluster:
            for name in names:
                if cluster.family not in suites.ALL[name].families:
                    continue
                broken |= not one(cluster, name, label, chosen, results)
    if chosen.json:
        print(json.dumps({"suites": [result.view() for result in results]}))
    else:
        print(table.drawn(results))
    if broken:
        return 2
    return 1 if any(result.differences for result in results) else 0


def clusters(chosen, settings):
    """The clusters to run on, each with the name of its settings."""
    for directory in chosen.dir:
        yield Cluster.running(directory), "as it is"
    if not chosen.dir:
        for family in chosen.family or ["mariadb", "mysql"]:
            if family in ("mysql56", "ed25519"):
                yield Single.started(family), "one server"
                continue
            for file in settings:
                yield Cluster.started(family, file.resolve(), chosen.keep), file.stem


def one(cluster, name, settings, chosen, results):
    """Runs one suite both ways; false when it could not be run."""
    suite = suites.ALL[name]
    missing = suite.missing()
    if missing:
        print(f"{name}: not run: {missing}", file=sys.stderr)
        return False
    told = {way: suite.run(cluster, way, chosen.only) for way in ("direct", "through")}
    cluster.purge()
    result = compare.compared(name, cluster.family, settings, told)
    results.append(result)
    print(table.line(result), file=sys.stderr)
    if not chosen.json:
        print(table.differences(result, chosen.diff), end="", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main())
