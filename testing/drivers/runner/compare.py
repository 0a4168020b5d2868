"""Two transcripts of a suite: what passed, and what differs."""

import json
import re

# Counts of transactions and statements grow from run to run.
MASKS = [
    (re.compile(r'"statement_id": "[^"]*"'), '"statement_id": "..."'),
    (re.compile(r'"last_gtid": "[^"]*"'), '"last_gtid": "..."'),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9:,-]+"), "GTID"),
]


class Result:
    """One suite on one family."""

    def __init__(self, suite, family, settings):
        self.suite, self.family, self.settings = suite, family, settings
        self.cases = 0
        self.passed = {"direct": 0, "through": 0}
        self.differences = []
        # What fails without the proxy too, and so measures nothing.
        self.raised = []

    def view(self):
        """As JSON."""
        return {
            "suite": self.suite, "family": self.family, "settings": self.settings,
            "cases": self.cases, "passed_direct": self.passed["direct"],
            "passed_through": self.passed["through"], "raised_directly": self.raised,
            "differences": [
                {"case": case, "lines": [{"direct": d, "through": t} for d, t in lines]}
                for case, lines in self.differences
            ],
        }


def compared(suite, family, settings, told):
    """Direct against through: a case passes directly when it did not raise, and through when it
    did not raise and saw the same."""
    result = Result(suite, family, settings)
    through = {case["case"]: case for case in told["through"]}
    for case in told["direct"]:
        result.cases += 1
        result.passed["direct"] += not case["raised"]
        if case["raised"]:
            result.raised.append((case["case"], case["raised"]))
        other = through.pop(case["case"], None)
        if other is None:
            result.differences.append((case["case"], [("told", "did not run")]))
            continue
        lines = list(unlike(case["lines"], other["lines"]))
        if case["raised"] != other["raised"] and not lines:
            lines = [(str(case["raised"]), str(other["raised"]))]
        if lines:
            result.differences.append((case["case"], lines))
        else:
            result.passed["through"] += not other["raised"]
    for name in through:
        result.differences.append((name, [("did not run", "told")]))
    return result


def unlike(direct, through):
    """Pairs of lines that are not equal."""
    for number in range(max(len(direct), len(through))):
        pair = [
            masked(lines[number]) if number < len(lines) else "(nothing)"
            for lines in (direct, through)
        ]
        if pair[0] != pair[1]:
            yield tuple(pair)


def masked(line):
    """A line as text, without what no two runs have in common."""
    text = json.dumps(line, ensure_ascii=False, sort_keys=True)
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text
