"""How an implementation of a workload is asked for samples, in seconds a step."""
import json
import os
import re
import subprocess
import sys
import threading

from .environment import BENCH, BUILD, LIBTORCH, PYTHON, VENV, output

AVX2 = {"LEVIN_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}

PATIENCE = 180  # seconds for an answer
OURS = ("levin", "captured")
PEERS = ("libtorch", "pytorch", "torch_compile", "jax")
ERRORS = (RuntimeError, OSError, ValueError, subprocess.SubprocessError)


def environment_of(threads, isa):
    settings = {"LEVIN_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
                "TORCHINDUCTOR_CACHE_DIR": VENV.parent / f"inductor_{isa or 'best'}",
                "TORCHINDUCTOR_COMPILE_THREADS": 1, "PYTHONWARNINGS": "ignore",
                "PYTHONDONTWRITEBYTECODE": 1}
    settings |= AVX2 if isa == "avx2" else {}
    return os.environ | {name: str(value) for name, value in settings.items()}


class Effort:
    """How long a sample takes, how many make a measurement, how many of these there are."""
    def __init__(self, quick):
        self.seconds, self.samples, self.rounds = (0.02, 5, 2) if quick else (0.03, 7, 3)
        self.few_rounds = 1 if quick else 2

    def rounds_of(self, workload, implementation, row):
        """Few of what takes long, has no peer, or is float64, of which no target speaks."""
        has_peer = any(name in row for name in PEERS) or "levin" not in row
        is_float64 = workload.startswith("dgemm") or workload.endswith("_f64")
        return self.rounds if has_peer and not is_float64 and implementation != "lme" else self.few_rounds


class Program:
    """A Google Benchmark program; it is started for each measurement."""
    kinds = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}

    def __init__(self, path, threads, isa):
        self.path, self.environment = path, environment_of(threads, isa)
        self.full_names = {}
        for line in output(path, "--benchmark_list_tests").splitlines():
            name = re.sub(r"/(process_time|real_time|manual_time|iterations:\d+|repeats:\d+)", "", line)
            *name, count = name.split("/") if name.endswith("/2") else (*name.split("/"), "1")
            if int(count) == threads:
                self.full_names["/".join(name)] = line

    def names(self):
        return list(self.full_names)

    def command(self, name):
        return [str(self.path), f"--benchmark_filter=^{re.escape(self.full_names[name])}$"]

    def measure(self, name, effort):
        """Samples, and the heap allocations of a step."""
        done = subprocess.run(
            self.command(name) + [f"--benchmark_min_time={effort.seconds}",
                                  f"--benchmark_repetitions={effort.samples}",
                                  "--benchmark_format=json"],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise RuntimeError(f"{self.path.name} failed: {done.stderr[-300:]}")
        rows = [row for row in json.loads(done.stdout)["benchmarks"] if row["run_type"] == "iteration"]
        if "error_message" in rows[0]:
            raise RuntimeError(f"{name}: {rows[0]['error_message']}")
        wall = re.search("real_time|manual_time", self.full_names[name])
        time = lambda row: row["real_time" if wall else "cpu_time"] * self.kinds[row["time_unit"]]
        # The least: in some repetition a captured step may have run as written, to be compared.
        allocations = min((row["allocations"] for row in rows if "allocations" in row), default=None)
        return [row.get("each") or time(row) for row in rows], allocations

    def close(self):
        pass


class Peer:
    """A process that stays and answers (peers/serve.py says how)."""
    def __init__(self, command, threads, isa, noise):
        self.command_line = [str(word) for word in (*command, threads)]
        self.environment = environment_of(threads, isa)
        self.process = subprocess.Popen(self.command_line, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=self.environment)
        noise.watch(self.process.pid)

    def ask(self, *words, patience=PATIENCE):
        timer = threading.Timer(patience, self.process.kill)
        timer.start()
        try:
            print(*words, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline().split()
        finally:
            timer.cancel()
        if not answer or answer[0] == "error":
            raise RuntimeError(" ".join(answer) or "the peer has ended")
        return answer

    def names(self):
        return self.ask("list")

    def command(self, name):
        return self.command_line + [name]

    def measure(self, name, effort):
        return [float(word) for word in self.ask(name, effort.seconds, effort.samples)], None

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it has ended
        self.process.wait()


def programs(threads, isa):
    return [Program(path, threads, isa) for path in sorted((BUILD / "bench").glob("bench_*"))
            if os.access(path, os.X_OK) and path.is_file()]


def peers(threads, isa, noise, missing):
    """Those that start; what is missing of the others is added to `missing`."""
    commands = {"PyTorch": (PYTHON, BENCH / "peers/torch_peers.py"),
                "JAX": (PYTHON, BENCH / "peers/jax_peer.py"),
                "LibTorch": (LIBTORCH,)}
    if threads == 1:
        commands["LME"] = (PYTHON, BENCH / "peers/lme.py")
    started = []
    for name, command in commands.items():
        try:
            peer = Peer(command, threads, isa, noise)
            peer.names()
            started.append(peer)
        except ERRORS as error:
            missing.add(f"{name}: {error}")
    return started


def cost_of(command, environment=None, folder=None):
    """Wall seconds, CPU seconds and peak bytes of a program."""
    done = subprocess.run([str(BUILD / "bench/cost_of"), *map(str, command)], capture_output=True,
                          text=True, env=environment, cwd=folder, timeout=PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-300:]}")
    return tuple(map(float, done.stderr.split()[-3:]))


def warn(text):
    print(text, file=sys.stderr, flush=True)
