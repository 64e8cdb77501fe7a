"""What a run on a GPU has measured, as a page and as a table of the targets of issue 7."""
from .report import duration, table, three_digits
from .targets import Target, quotient

COLUMNS = {"levin": "levin", "captured": "levin captured", "pytorch": "PyTorch",
           "torch_compile": "torch.compile", "cuda_graph": "PyTorch, CUDA graph"}
OURS = ("levin", "captured")
# Least ratios to PyTorch, torch.compile and PyTorch's CUDA graph: what must be met, and the aim.
NETWORKS = {"mlp_64x128": ((5, 5), (2, 2), (1.5, 1.5)), "mlp_256x512": ((5, 5), (2, 2), (1.3, 1.5)),
            "mlp_1024x1024": ((2.5, 5), (1.3, 2), (1.1, 1.5)),
            "mlp_8192x4096": ((1, 1), (1, 1), (0.97, 1))}
OF_COPY = {"add": 0.9, "gelu": 0.9, "dropout": 0.9, "adam": 0.9, "softmax_cross_entropy": 0.85,
           "layer_norm_forward": 0.85}


def figure(results, workload, implementation, what="seconds"):
    return results["figures"].get(workload, {}).get(implementation, {}).get(what)


def seconds(results, workload, implementations):
    """The quickest of some implementations; None where none was measured."""
    seen = [figure(results, workload, name) for name in implementations]
    return min((value for value in seen if value is not None), default=None)


def ratio(workload, theirs, ours=OURS):
    return lambda results: quotient(figure(results, workload, theirs), seconds(results, workload, ours))


def rate(results, workload, unit):
    """Bytes or operations a second."""
    work = [figure(results, workload, name, unit) for name in OURS]
    return quotient(next((value for value in work if value), None), seconds(results, workload, OURS))


def of_ceiling(workload, unit, ceiling):
    return lambda results: quotient(rate(results, workload, unit), results["ceilings"].get(ceiling))


def most(what, implementations, scale=1.0):
    """The largest of all networks."""
    def value(results):
        seen = [figure(results, workload, name, what) for workload in NETWORKS for name in implementations]
        return None if None in seen else max(seen) * scale

    return value


def targets():
    for workload, bounds in NETWORKS.items():
        for theirs, (first, aim) in zip(("pytorch", "torch_compile", "cuda_graph"), bounds):
            yield Target(workload, f"x {COLUMNS[theirs]}", ratio(workload, theirs, ("captured",)), first, aim)
    for workload, bound in OF_COPY.items():
        yield Target(workload, "of a copy's rate", of_ceiling(workload, "bytes", "copy"), bound, bound)
    for kind in ("float32", "tf32", "bfloat16"):
        name = f"gemm_{kind}"
        yield Target(name, "of cublasLt's best", of_ceiling(name, "flops", name), 0.98, 0.98)
        yield Target(name, "x PyTorch", ratio(name, "pytorch"), 0.98, 0.98)
    yield Target("networks", "host's cost of a replay", most("host", ("captured",), 1e6), 5, 5, True, " us")
    yield Target("networks", "synchronizations a step", most("synchronizations", OURS), 0, 0, True)
    yield Target("networks", "device allocations a step", most("device_allocations", OURS), 0, 0, True)


def target_table(results):
    rows = []
    for target in targets():
        value = target.value(results)
        bound = ("<=" if target.at_most else ">=") + f" {target.first:.4g}{target.unit}"
        seen = ("", "not measured") if value is None else (three_digits(value) + target.unit,
                                                           target.verdict(value))
        rows.append((target.work, target.measure, bound, *seen))
    return table(["work", "measured as", "target", "seen", ""], rows)


def ceiling_table(ceilings):
    show = {"copy": lambda value: f"{three_digits(value / 1e12)} TB/s", "launch": duration,
            "graph_node": duration}
    flops = lambda value: f"{three_digits(value / 1e12)} TFLOP/s"
    return table(["ceiling", "seen"], [(name, show.get(name, flops)(value)) for name, value in ceilings.items()])


def time_table(results):
    def cells(workload, row):
        yield from (duration(row[name]["seconds"]) if name in row else "" for name in COLUMNS)
        for unit in ("bytes", "flops"):
            value = rate(results, workload, unit)
            yield f"{three_digits(value / 1e12)}" if value else ""
        for name in OURS:
            yield duration(row[name]["host"]) if "host" in row.get(name, {}) else ""

    return table(["", *COLUMNS.values(), "TB/s", "TFLOP/s", "host, levin", "host, captured"],
                 [(workload, *cells(workload, row)) for workload, row in results["figures"].items()])


def text(results):
    machine = results["machine"]
    parts = [f"# {machine['gpu']}\n",
             f"`{results['command']}`, {results['date']}, levin {machine['commit'] or 'of an unknown commit'}. Driver "
             f"{machine['driver']}, CUDA {machine['cuda']}, PyTorch {machine['torch']}; {machine['cpu']}, "
             f"{machine['cores']} cores, {machine['system']}, {machine['compiler']}.\n"]
    if results["tiny"]:
        parts.append("**A trial with tiny sizes: the figures mean nothing.**\n")
    if results["missing"]:
        parts.append("Missing: " + "; ".join(results["missing"]) + ".\n")
    parts += ["[How to read it](../README.md#on-a-gpu).\n",
              "## Steps\n", table(["step", "", "seconds", ""], results["steps"]),
              "## Targets\n", target_table(results),
              "## Ceilings\n", ceiling_table(results["ceilings"]),
              "## Times\n", f"Medians of {results['rounds']} rounds. TB/s and TFLOP/s are of levin, eager or "
              "captured, whichever is quicker.\n", time_table(results)]
    return "\n".join(parts)
