"""Where things are: the binary, and what the suites install below the target directory."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUITES = ROOT / "testing" / "drivers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
HOME = TARGET / "drivers"


def mainstay():
    """The binary: the one that is named, else the release build, else the debug build."""
    named = os.environ.get("MAINSTAY_BIN")
    for path in [named] if named else [TARGET / "release/mainstay", TARGET / "debug/mainstay"]:
        if pathlib.Path(path).exists():
            return str(path)
    raise SystemExit("there is no mainstay binary: build one, or name it in MAINSTAY_BIN")
