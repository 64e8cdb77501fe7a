"""The workloads in PyTorch: as it is (NAME/pytorch) and under torch.compile (NAME/torch_compile)."""
import sys

import torch
import torch.nn.functional as F
from torch import nn

from serve import Work, main

THREADS = int(sys.argv[1])
torch.set_num_threads(THREADS)
torch.manual_seed(0)


def eager(function):
    return function


def training(model, optimizer, loss_of, compiled):
    """A step of a model: gradients forgotten, loss, backward, update (compiled, that is slower)."""
    loss_of = compiled(loss_of)

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


def seed_step(compiled):
    x, gt, model = torch.rand(10, 5), torch.rand(10, 10), nn.Linear(5, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return training(model, optimizer, lambda: F.mse_loss(model(x), gt), compiled)


def seed_step_as_written(compiled):
    x, gt, model = torch.rand(10, 5), torch.rand(10, 10), nn.Linear(5, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    @compiled
    def loss_of():
        y = model(x)
        loss = (y - gt).pow(2).mean()
        with torch.no_grad():
            l1 = (y - gt).abs().mean()
            accuracy_like = ((y > 0.5) == (gt > 0.5)).float().mean()
        return loss, l1, accuracy_like

    def step():
        optimizer.zero_grad()
        loss, *metrics = loss_of()
        loss.backward()
        optimizer.step()
        return loss, metrics

    return step


def mlp(widths, batch, make_optimizer, dtype=torch.float32):
    def make(compiled):
        layers = []
        for i in range(len(widths) - 1):
            layers += [nn.ReLU()] * (i > 0) + [nn.Linear(widths[i], widths[i + 1])]
        model = nn.Sequential(*layers).to(dtype)
        x = torch.randn(batch, widths[0], dtype=dtype)
        target = torch.randint(widths[-1], (batch,))
        optimizer = make_optimizer(model.parameters())
        return training(model, optimizer, lambda: F.cross_entropy(model(x), target), compiled)

    return make


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, fused=True)  # the quickest of its three


def adam_alone(compiled):
    sizes = [(1024, 1024), (1024,)] * 3 + [(10, 1024), (10,)]
    parameters = [nn.Parameter(torch.randn(size)) for size in sizes]
    for p in parameters:
        p.grad = torch.randn_like(p)
    return adam(parameters).step


def chain(n, backward):
    def make(compiled):
        a, b, c, d = operands = [torch.randn(n, requires_grad=backward) for _ in range(4)]
        forward = compiled(lambda a, b, c, d: (torch.relu(a * b + c) * d).sum())

        def step():
            for x in operands:
                x.grad = None
            loss = forward(a, b, c, d)
            loss.backward()
            return loss

        return step if backward else lambda: forward(a, b, c, d)

    return make


def add(compiled):
    a, b = torch.rand(1), torch.rand(1)
    return lambda: a + b


def chain_of_adds():
    start, number = torch.rand(1, requires_grad=True), torch.rand(1)

    def step():
        y = start
        for _ in range(1000):
            y = y + number
        return y

    return step


def add_recorded(compiled):
    return Work(chain_of_adds(), 1000)


def add_backward(compiled):
    return Work(lambda y: y.backward(), 1000, prepare=chain_of_adds())


def sgemm(n, dtype):
    def make(compiled):
        a, b, c = (torch.randn(n, n, dtype=dtype) for _ in range(3))
        return lambda: torch.mm(a, b, out=c)

    return make


def of_input(function, shape, backward):
    """function(x), with the gradient of x too where `backward`."""
    def make(compiled):
        x = torch.randn(shape, requires_grad=backward)
        call = compiled(function)

        def step():
            x.grad = None
            call(x).sum().backward()

        return step if backward else lambda: call(x)

    return make


def softmax_cross_entropy(backward):
    target = torch.randint(1000, (4096,))
    return of_input(lambda x: F.cross_entropy(x, target), (4096, 1000), backward)


def layer_norm(backward):
    def make(compiled):
        x, slope = torch.randn(4096, 1024, requires_grad=backward), torch.randn(4096, 1024)
        norm = nn.LayerNorm(1024).requires_grad_(backward)
        call = compiled(lambda x: norm(x))

        def step():
            x.grad = None
            norm.zero_grad()
            call(x).backward(slope)

        return step if backward else lambda: call(x)

    return make


BOTH = {
    "seed_step": seed_step,
    "seed_step_as_written": seed_step_as_written,
    "mlp_784_128_10": mlp([784, 128, 10], 64, momentum),
    "mlp_784_128_10_f64": mlp([784, 128, 10], 64, momentum, torch.float64),
    "mlp_1024x3_10": mlp([1024, 1024, 1024, 1024, 10], 256, adam),
    "mlp_1024x3_10_f64": mlp([1024, 1024, 1024, 1024, 10], 256, adam, torch.float64),
    "softmax_cross_entropy_4096x1000_forward": softmax_cross_entropy(False),
    "softmax_cross_entropy_4096x1000_forward_backward": softmax_cross_entropy(True),
    "layer_norm_4096x1024_forward": layer_norm(False),
    "layer_norm_4096x1024_forward_backward": layer_norm(True),
    "exp_1e6": of_input(torch.exp, 1000000, False),
    "tanh_1e6": of_input(torch.tanh, 1000000, False),
    "gelu_1e6": of_input(F.gelu, 1000000, False),
}
for size in ("1e3", "1e6", "1e7"):
    BOTH[f"chain_forward_{size}"] = chain(int(float(size)), False)
    BOTH[f"chain_forward_backward_{size}"] = chain(int(float(size)), True)
EAGER = {
    "add": add,
    "add_recorded": add_recorded,
    "add_backward": add_backward,
    "adam": adam_alone,
    "sum_axis0_4096x1024": of_input(lambda x: x.sum(0), (4096, 1024), False),
    "sum_axis1_4096x1024": of_input(lambda x: x.sum(1), (4096, 1024), False),
    "sum_all_4096x1024": of_input(lambda x: x.sum(), (4096, 1024), False),
}
for n in (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048):
    EAGER[f"sgemm_{n}"] = sgemm(n, torch.float32)
    EAGER[f"dgemm_{n}"] = sgemm(n, torch.float64)

workloads = {f"{name}/pytorch": (lambda make=make: make(eager)) for name, make in (BOTH | EAGER).items()}
workloads |= {f"{name}/torch_compile": (lambda make=make: make(torch.compile)) for name, make in BOTH.items()}

if __name__ == "__main__":
    main(workloads, THREADS)
