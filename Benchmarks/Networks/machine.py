"""What the times depend on besides the programs: the CPU, and who else is using it."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path


def cpu_name() -> str:
    """As the kernel calls it, with family and model, since virtual machines hide the rest."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name", platform.processor() or "unknown")
    flags = fields.get("flags", "").split()
    widest = next((f for f in ("avx512f", "avx2", "avx") if f in flags), "no AVX")
    family, model = fields.get("cpu family", "?"), fields.get("model", "?")
    return f"{name} (family {family}, model {model}, {widest})"


def description() -> dict[str, object]:
    return {
        "cpu": cpu_name(), "cores": os.cpu_count(), "kernel": platform.release(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "load_average": round(os.getloadavg()[0], 2),
    }


def cores_for(threads: int) -> set[int]:
    """The cores that so many threads are pinned to: the last ones, which get fewer interrupts."""
    return set(sorted(os.sched_getaffinity(0))[-threads:])


def clean_environment(threads: int) -> dict[str, str]:
    """Without settings that slow a library down, and with the number of threads for OpenMP."""
    unwanted = ("OPENBLAS_", "OMP_", "MKL_", "KMP_", "GOTO_", "DNNL_", "ONEDNN_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    return kept | {"OMP_NUM_THREADS": str(threads)}


def busy_seconds() -> float:
    """CPU seconds that all processes have used since the machine started."""
    user, nice, system, _idle, _wait, irq, soft_irq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def process_seconds(pid: int) -> float:
    """CPU seconds of a living process; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_seconds(pids: list[int]) -> float:
    """CPU seconds of this process, of its ended children, and of some that live."""
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return ended + sum(map(process_seconds, pids))


class Disturbance:
    """How many cores others kept busy on average since this was made."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self.start = time.monotonic(), busy_seconds() - own_seconds(pids)

    def cores(self) -> float:
        wall = time.monotonic() - self.start[0]
        others = busy_seconds() - own_seconds(self.pids) - self.start[1]
        return round(max(others, 0) / wall, 2) if wall > 0 else 0
