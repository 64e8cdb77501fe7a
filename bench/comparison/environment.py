"""Where the peers live: a virtual environment outside the project, $LEVIN_BENCH_ENV or
~/.cache/levin-bench/venv, and programs that are built against it beside it."""
import os
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
BUILD = ROOT / "build"
VENV = pathlib.Path(os.environ.get("LEVIN_BENCH_ENV",
                                   pathlib.Path.home() / ".cache/levin-bench/venv")).expanduser()
PYTHON = VENV / "bin/python"
LIBTORCH = VENV.parent / "programs/libtorch"
PACKAGES = ("ca-certificates", "g++", "cmake", "ninja-build", "nlohmann-json3-dev", "libstb-dev", "libeigen3-dev",
            "libopenblas-dev", "libgtest-dev", "libbenchmark-dev")


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, **options)


def output(*command):
    """What a command prints; nothing where it fails or is not there."""
    try:
        done = subprocess.run([str(word) for word in command], text=True, capture_output=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def build_levin():
    """The Release build of what is compared."""
    quiet = {"stdout": subprocess.DEVNULL}
    run(ROOT / "tests/install_packages", *PACKAGES, **quiet)
    if not (BUILD / "build.ninja").exists():
        run("cmake", "--preset", "release", cwd=ROOT, **quiet)
    run("cmake", "--build", BUILD, "--target", "levin_benchmarks", cwd=ROOT, **quiet)


def make_venv():
    """Makes the environment where it is missing; gives what is wrong in words, or nothing."""
    if PYTHON.exists():
        return ""
    print(f"making {VENV} (several GB are downloaded)", file=sys.stderr)
    try:
        run(sys.executable, "-m", "venv", VENV)
        run(PYTHON, "-m", "pip", "install", "--quiet", "-r", BENCH / "peers/requirements.txt")
    except (subprocess.CalledProcessError, OSError) as error:
        subprocess.run(["rm", "-rf", str(VENV)], check=False)
        return f"no peers: {VENV} could not be filled (no network?): {error}"
    return ""


def torch_folder():
    return next(VENV.glob("lib/python3*/site-packages/torch"), None)


def compile_libtorch(source, program, *options):
    """A file of a user's, against the headers and libraries of the pip wheel."""
    torch = torch_folder()
    includes = [word for folder in ("include", "include/torch/csrc/api/include")
                for word in ("-isystem", torch / folder)]
    run(os.environ.get("CXX", "c++"), "-std=c++20", "-O2", "-w", *includes, source, "-o", program,
        *(options or (f"-L{torch / 'lib'}", f"-Wl,-rpath,{torch / 'lib'}", "-Wl,--no-as-needed",
                      "-Wl,--allow-shlib-undefined", "-ltorch_cpu", "-lc10")))


def build_libtorch():
    """Builds peers/libtorch.cpp where it has changed; gives what is wrong, or nothing."""
    if torch_folder() is None:
        return "no LibTorch: torch is not in the environment"
    source, built_from = BENCH / "peers/libtorch.cpp", LIBTORCH.with_suffix(".cpp")
    if LIBTORCH.exists() and built_from.exists() and built_from.read_text() == source.read_text():
        return ""
    LIBTORCH.parent.mkdir(parents=True, exist_ok=True)
    try:
        compile_libtorch(source, LIBTORCH)
        built_from.write_text(source.read_text())
    except (subprocess.CalledProcessError, OSError) as error:
        return f"no LibTorch: {error}"
    return ""


def versions():
    """Of the peers that are installed."""
    packages = ("torch", "jax", "jaxlib", "numpy", "pytorch-lightning", "lightning-module-enhanced")
    code = ("import importlib.metadata as m\n"
            f"for p in {packages}:\n"
            "  try: print(p, m.version(p))\n"
            "  except m.PackageNotFoundError: pass\n")
    lines = output(PYTHON, "-c", code).splitlines() if PYTHON.exists() else []
    return dict(line.split() for line in lines)
