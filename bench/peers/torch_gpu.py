"""bench/gpu.cpp's workloads in PyTorch: as it is (NAME/pytorch), under torch.compile (NAME/torch_compile)
and as a CUDA graph (NAME/cuda_graph). Answers requests as serve.py says."""
import argparse
import sys

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    print("error", error)
    sys.exit(1)

from serve import serve

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="cpu: to try this file")
parser.add_argument("--tiny", action="store_true", help="everything small, to try this file")
parser.add_argument("threads", nargs="?", type=int, default=2, help="of the processor; time is wall time")
arguments = parser.parse_args()
if arguments.device == "cuda" and not torch.cuda.is_available():
    print("error", "torch", torch.__version__, "sees no GPU")
    sys.exit(1)

DEVICE = torch.device(arguments.device)
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


def sized(full, tiny):
    return tiny if arguments.tiny else full


def random(*shape):
    return torch.empty(shape, device=DEVICE).uniform_(-1, 1)


def classes(count, rows):
    return torch.randint(count, (rows,), device=DEVICE)


def eager(function):
    return function


# Each makes (inputs, step): what a training loop would change, and the step. With `compiled` around its
# function but for the optimizer's step, which is a fused kernel already. What a step leaves is the same
# memory each time where it is to be a graph: `graphed`.


def mlp(batch, hidden):
    def make(compiled, graphed):
        inputs = sized(784, 12)
        model = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                              nn.Linear(hidden, 10)).to(DEVICE)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=graphed)
        x, target = random(batch, inputs), classes(10, batch)
        loss_of = compiled(lambda: F.cross_entropy(model(x), target))

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of()
            loss.backward()
            optimizer.step()
            return loss

        return [x, target], step

    return make


def adam(compiled, graphed):
    side = sized(4096, 16)
    parameters = [nn.Parameter(random(side, side)) for _ in range(4)]
    for p in parameters:
        p.grad = random(side, side)
    return [], torch.optim.Adam(parameters, lr=1e-3, fused=True, capturable=graphed).step


def of_inputs(function, *shapes, dtype=torch.float32):
    def make(compiled, graphed):
        operands = [random(*shape).to(dtype) for shape in shapes]
        call = compiled(function)
        return [], lambda: call(*operands)

    return make


def tf32_product(a, b):
    torch.set_float32_matmul_precision("high")
    c = torch.matmul(a, b)
    torch.set_float32_matmul_precision("highest")
    return c


def softmax_cross_entropy(compiled, graphed):
    rows, columns = sized(65536, 8), sized(1024, 40)
    x, target = random(rows, columns).requires_grad_(), classes(columns, rows)
    call = compiled(F.cross_entropy)

    def step():
        x.grad = None
        loss = call(x, target)
        loss.backward()
        return loss

    return [], step


def layer_norm(backward):
    def make(compiled, graphed):
        rows, columns = sized(65536, 8), sized(1024, 40)
        norm = nn.LayerNorm(columns, device=DEVICE).requires_grad_(backward)
        x, slope = random(rows, columns).requires_grad_(backward), random(rows, columns)
        call = compiled(lambda x: norm(x))

        def step():
            x.grad = None
            norm.zero_grad()
            y = call(x)
            if backward:
                y.backward(slope)
            return y

        return [], step

    return make


N, SIDE = sized(2**26, 1000), sized(8192, 32)
MAKERS = {
    "mlp_64x128": mlp(sized(64, 4), sized(128, 8)),
    "mlp_256x512": mlp(sized(256, 4), sized(512, 8)),
    "mlp_1024x1024": mlp(sized(1024, 4), sized(1024, 8)),
    "mlp_8192x4096": mlp(sized(8192, 4), sized(4096, 8)),
    "add": of_inputs(lambda a, b: a + b, (N,), (N,)),
    "gelu": of_inputs(F.gelu, (N,)),
    "dropout": of_inputs(lambda x: F.dropout(x, 0.25), (N,)),
    "adam": adam,
    "softmax_cross_entropy": softmax_cross_entropy,
    "layer_norm_forward": layer_norm(False),
    "layer_norm_forward_backward": layer_norm(True),
    "gemm_float32": of_inputs(torch.matmul, (SIDE, SIDE), (SIDE, SIDE)),
    "gemm_tf32": of_inputs(tf32_product, (SIDE, SIDE), (SIDE, SIDE)),
    "gemm_bfloat16": of_inputs(torch.matmul, (SIDE, SIDE), (SIDE, SIDE), dtype=torch.bfloat16),
}


def graph_of(make):
    """A step that copies its inputs to where the graph reads them, as levin's does, and replays it."""
    inputs, step = make(eager, True)
    given = [x.clone() for x in inputs]
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay():
        for x, value in zip(inputs, given):
            x.copy_(value)
        graph.replay()

    return replay


workloads = {}
for name, make in MAKERS.items():
    # step alone: eager steps read their inputs where they lie.
    workloads[f"{name}/pytorch"] = lambda make=make: make(eager, False)[1]
    if name not in ("adam", "gemm_tf32"):  # a fused kernel already; a precision that a compiler reads but once
        workloads[f"{name}/torch_compile"] = lambda make=make: make(torch.compile, False)[1]
    if DEVICE.type == "cuda" and name.startswith("mlp"):
        workloads[f"{name}/cuda_graph"] = lambda make=make: graph_of(make)

serve(workloads, 2, lambda result: torch.cuda.synchronize() if DEVICE.type == "cuda" else None)
