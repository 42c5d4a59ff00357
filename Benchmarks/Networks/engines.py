"""What is timed: sparsec, and one process per peer. All have the same three verbs."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Any, Protocol

import machine
from peers import HERE, Absent, Peer, last_line

Measurement = dict[str, float]
LIMIT = 600  # seconds until a program counts as stuck


class Engine(Protocol):
    pid: int | None

    def time(self, seconds: float, warmup: float) -> Measurement: ...

    def close(self) -> None: ...


class Sparsec:
    """Every measurement is a process of `sparsec bench`."""

    pid = None

    def __init__(self, tool: Path, network: Path, batch: int, threads: int) -> None:
        self.tool, self.network = tool, network
        self.batch, self.threads = batch, threads

    def call(self, *arguments: object) -> str:
        command = [str(a) for a in (self.tool, *arguments)]
        cores = machine.cores_for(self.threads)
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT,
                env=machine.clean_environment(self.threads),
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        except subprocess.TimeoutExpired:
            raise Absent(f"sparsec {arguments[0]}: still at it after {LIMIT} s") from None
        if result.returncode != 0:
            reason = last_line(result.stderr, f"exit code {result.returncode}")
            raise Absent(f"sparsec {arguments[0]}: {reason}")
        return result.stdout

    def run(self, data: Path, output: Path) -> None:
        self.call("run", self.network, "--input", data, "--output", output, "--batch", self.batch,
                  "--threads", self.threads)

    def bench(self, seconds: float, warmup: float, *options: str) -> dict[str, Any]:
        return json.loads(self.call(
            "bench", self.network, "--batch", self.batch, "--threads", self.threads,
            "--time", seconds, "--warmup", warmup, "--format", "json", *options))

    def time(self, seconds: float, warmup: float) -> Measurement:
        result = self.bench(seconds, warmup)
        latency = result["latency_ms"]
        return {f"{name}_ms": latency[name] for name in ("median", "p10", "p90")} | {
            "runs": result["runs"]}

    def close(self) -> None:
        pass


class Worker:
    """A peer's process. It is stopped while others are timed, so that no idle thread can spin."""

    def __init__(self, peer: Peer, python: Path, threads: int, log: Path) -> None:
        self.log = log
        self.name = peer.title
        cores = machine.cores_for(threads)
        self.answers, answers = os.pipe()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [python, HERE / "workers" / peer.worker, str(answers), *peer.arguments],
                stdin=subprocess.PIPE, stdout=output, stderr=output, bufsize=0, cwd=log.parent,
                pass_fds=(answers,), env=machine.clean_environment(threads),
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        os.close(answers)
        self.pid: int | None = self.process.pid

    def ask(self, **request: object) -> dict[str, Any]:
        """The worker's answer; raises Absent if it fails, dies or takes too long."""
        assert self.process.stdin
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise Absent(self.death(request)) from None
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self.answers], [], [], LIMIT)[0]:
                raise Absent(f"{self.name} {request['do']}: no answer after {LIMIT} s")
            part = os.read(self.answers, 65536)
            if not part:
                raise Absent(self.death(request))
            line += part
        self.signal(signal.SIGSTOP)
        reply = json.loads(line)
        if "failed" in reply:
            raise Absent(f"{self.name} {request['do']}: {reply['failed']}")
        return reply

    def death(self, request: dict[str, object]) -> str:
        code = self.process.wait(timeout=60)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = last_line(self.log.read_text(errors="replace"), "it said nothing")
        return f"{self.name} {request['do']}: ended by {how}: {said}"

    def signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def time(self, seconds: float, warmup: float) -> Measurement:
        return self.ask(do="time", seconds=seconds, warmup=warmup)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.answers)
        if self.process.stdin:
            self.process.stdin.close()
