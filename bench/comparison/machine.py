"""What the machine is, and whether it is quiet enough for figures that mean something."""
import os
import pathlib
import re
import statistics
import time

from .environment import ROOT, output

TICK = os.sysconf("SC_CLK_TCK")


def description(isa):
    text = pathlib.Path("/proc/cpuinfo").read_text()
    field = lambda name: re.search(rf"^{name}\s*: (.*)$", text, re.M).group(1)
    flags = set(field("flags").split())
    sets = [name for name in ("avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "amx_tile")
            if name in flags]
    return {
        "cpu": re.sub(r"\s+", " ", field("model name")),
        "family_model": f"family {field('cpu family')}, model {field('model')}",
        "instruction_sets": sets,
        "levin_isa": isa or ("avx512" if "avx512vl" in flags else "avx2"),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text()).group(1),
        "compiler": output(os.environ.get("CXX", "c++"), "--version").splitlines()[0],
        "commit": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
    }


def file_name(machine):
    """intel_xeon_processor_family_6_model_207: some virtual machines hide the name's number."""
    name = re.sub(r"\((R|TM)\)|CPU|@.*", "", machine["cpu"], flags=re.I)
    return re.sub(r"[^a-z0-9]+", "_", f"{name} {machine['family_model']}".lower()).strip("_")


def busy_and_stolen():
    """Seconds of all cores since the start: busy, and taken by other virtual machines."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


def seconds_of_process(pid):
    """CPU seconds of a process and of its children that have ended."""
    try:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, words[11:15])) / TICK


class Noise:
    """Watches a run. A fixed loop between the measurements says how steady the processor is; the
    system's counters say what other programs and other virtual machines took."""

    LIMITS = {"loop": 1.25, "others": 0.05, "stolen": 0.03}

    def __init__(self):
        self.loops = []
        self.own = 0.0  # CPU seconds of peers that have ended
        self.peers = []
        self.begin = time.monotonic(), *busy_and_stolen(), self._own_seconds()

    def _own_seconds(self):
        return seconds_of_process("self") + sum(seconds_of_process(pid) for pid in self.peers)

    def watch(self, pid):
        self.peers.append(pid)

    def sample(self):
        def loop():
            begin = time.process_time()
            for _ in range(20000):
                pass
            return time.process_time() - begin

        self.loops.append(min(loop() for _ in range(3)))  # the first finds cold caches

    def seen(self):
        wall, busy, stolen, own = (now - then for now, then in zip(
            (time.monotonic(), *busy_and_stolen(), self._own_seconds()), self.begin))
        cores = os.cpu_count()
        loops = sorted(self.loops) or [1]
        return {
            # How much slower than at its best (10th percentile) the loop typically runs.
            "loop": statistics.median(loops) / loops[len(loops) // 10],
            "others": max(0.0, busy - own) / (wall * cores),
            "stolen": stolen / (wall * cores),
            "load": os.getloadavg()[0],
        }

    def complaints(self):
        seen = self.seen()
        words = {"loop": "a fixed loop's median over its 10th percentile",
                 "others": "the part of all cores' time that other programs took",
                 "stolen": "the part of all cores' time that other virtual machines took"}
        return [f"{words[name]}: {seen[name]:.3g}, at most {limit} is allowed"
                for name, limit in self.LIMITS.items() if seen[name] > limit]
