"""The results of a run as a page."""
from .implementations import OURS
from .targets import targets

COLUMNS = {"levin": "levin", "captured": "levin captured", "by_hand": "by hand", "libtorch": "LibTorch",
           "pytorch": "PyTorch", "torch_compile": "torch.compile", "jax": "JAX", "lme": "LME"}


def table(head, rows):
    line = lambda words: "| " + " | ".join(str(word) for word in words) + " |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)]) + "\n"


def three_digits(value):
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:.0f}"


def duration(value):
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if value >= unit:
            return f"{three_digits(value / unit)} {name}"
    return f"{three_digits(value / 1e-12)} ps"


def size(value):
    return f"{three_digits(value / 2**20)} MiB"


def head_of(results):
    machine, noise = results["machine"], results["noise"]
    lines = [
        f"# {machine['cpu']}, {machine['family_model']}", "",
        f"`{results['command']}`, {results['date']}, {results['minutes']:.0f} minutes, "
        f"levin {machine['commit']}.", "",
        f"{machine['cores']} cores ({', '.join(machine['instruction_sets'])}), "
        f"{machine['memory_gib']} GiB, {machine['system']}, {machine['compiler']}. levin uses its "
        f"{machine['levin_isa']} loops. Peers: "
        + ", ".join(f"{name} {version}" for name, version in results["versions"].items()) + ".", "",
        f"Noise: a fixed loop's median was {noise['loop']:.2f} times its 10th percentile; other programs "
        f"took {noise['others']:.1%} of the processor, other virtual machines {noise['stolen']:.1%}."]
    if results["complaints"]:
        lines += ["", "**Too noisy: written by force, these figures mean little.**"]
    if results["missing"]:
        lines += ["", "Missing: " + "; ".join(results["missing"]) + "."]
    return "\n".join(lines) + "\n\n[How to read it](../README.md).\n"


def target_rows(results):
    """Of a run of some workloads only what it has measured."""
    for target in targets(results["machine"]["levin_isa"] == "avx2"):
        value = target.value(results)
        if value is None and results["workloads"]:
            continue
        bound = "<=" if target.at_most else ">="
        figures = dict.fromkeys((target.first, target.aim))
        seen = ("", "not measured") if value is None else (three_digits(value) + target.unit,
                                                           target.verdict(value))
        yield (target.work, target.measure,
               bound + " " + ", ".join(f"{figure:.4g}" for figure in figures) + target.unit, *seen)


def columns_of(rows):
    return [name for name in COLUMNS if any(name in row for row in rows.values())]


def times(rows):
    names = columns_of(rows)
    cell = lambda row, name: duration(row[name]["best"]) if name in row else ""
    allocations = lambda row: ", ".join(
        f"{abs(round(row[name]['allocations'], 2)):g}" for name in OURS if "allocations" in row.get(name, {}))
    return table(["", *map(COLUMNS.get, names), "allocations a step"],
                 [(workload, *(cell(row, name) for name in names), allocations(row))
                  for workload, row in sorted(rows.items())])


def ratios(rows):
    """Of each row the best of ours to the best of the others."""
    names = [name for name in columns_of(rows) if name not in OURS]

    def cells(row):
        ours = min(row[name]["best"] for name in OURS if name in row)
        return (three_digits(row[name]["best"] / ours) if name in row else "" for name in names)

    return table(["", *map(COLUMNS.get, names)],
                 [(workload, *cells(row)) for workload, row in sorted(rows.items())
                  if any(name in row for name in OURS) and any(name in row for name in names)])


def values(rows, show):
    names = [name for name in COLUMNS if any(name in row for row in rows.values())]
    return table(["", *map(COLUMNS.get, names)],
                 [(key, *(show(row[name]) if name in row else "" for name in names))
                  for key, row in rows.items()])


def text(results):
    parts = [head_of(results)]
    rows = list(target_rows(results))
    if rows:
        parts += ["## Targets\n",
                  "What must be met, and the aim, of issue 6. levin is eager or captured, whichever is "
                  "quicker, where a row does not say it.\n",
                  table(["work", "measured as", "target", "seen", ""], rows)]
    for key, title in (("one_thread", "One thread, process CPU time"), ("two_threads", "Two threads, wall time")):
        if results[key]:
            parts += [f"## {title}\n", times(results[key]),
                      "How many times as long as levin (eager or captured, whichever is quicker):\n",
                      ratios(results[key])]
    if "programs" in results:
        parts += ["## Whole programs\n",
                  "Wall time, and peak resident memory: of a program that adds two tensors (startup), and of "
                  "the seed's.\n",
                  values(results["programs"],
                         lambda seen: f"{duration(seen['wall'])}, {size(seen['peak'])}")]
    if results.get("peak_bytes"):
        parts += ["## Peak resident memory of a process that does a few steps\n",
                  values(results["peak_bytes"], size)]
    if "sizes" in results:
        parts += ["## Compile time and sizes\n",
                  "\n".join(f"    {line}" for line in results["sizes"]["compile_time"]) + "\n",
                  "Libraries: " + ", ".join(f"{name} {size(count)}" for name, count in
                                            results["sizes"]["library_bytes"].items()) + ".\n"]
    return "\n".join(parts)
