"""What the commands of this folder share: the tool, a quiet machine, a word to the user."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from build import Tools, call
from peers import HERE, Absent

ROOT = HERE.parents[1]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Options of every command here: when to start, and where things are and go."""
    parser.add_argument("--wait", type=float, metavar="LOAD",
                        help="start when the load average is below this")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared",
                        help="the folder with models/squeezenet_dc, models/caffenet_conv_ssl and models/caffenet_conv_l1")
    parser.add_argument("--sparsec", type=Path,
                        help="a tool with example-weights beside it; otherwise it is built")
    parser.add_argument("--build", type=Path, default=HERE / "build", help="for everything made")
    parser.add_argument("--page", type=Path, default=ROOT / "Docs" / "Performance.md",
                        help="the page whose table is replaced")


def prepare(options: argparse.Namespace) -> Tools:
    """The tool that was asked for, or one built now."""
    sparsec = options.sparsec
    if not sparsec:
        say("building sparsec")
        call(["make", "-C", ROOT, "build"], "make build")
        call(["swift", "build", "--package-path", ROOT, "-c", "release", "-Xswiftc",
              "-enable-testing", "--product", "example-weights"], "swift build")
        sparsec = ROOT / ".build" / "release" / "sparsec"
    sparsec = sparsec.resolve()
    example_weights = sparsec.with_name("example-weights")
    for tool in (sparsec, example_weights):
        if not tool.is_file():
            raise Absent(f"there is no {tool}")
    return Tools(sparsec, example_weights, options.shared.resolve(), options.build.resolve())


def wait_for_quiet(load: float) -> None:
    say(f"waiting for a load average below {load:g}")
    while os.getloadavg()[0] >= load:
        time.sleep(5)


def version(tool: Path) -> str:
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    return f"{call([tool, '--version'], 'sparsec').strip()} at {commit}" if commit else ""
