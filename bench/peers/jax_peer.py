"""The workloads in JAX, a whole step under jit (NAME/jax)."""
import os
import sys

THREADS = int(sys.argv[1])
if THREADS == 1:
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") +
                               " --xla_cpu_multi_thread_eigen=false")
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax import grad, jit, value_and_grad

from serve import main

jax.config.update("jax_enable_x64", True)  # arrays below name their types


def randn(*shape, dtype=jnp.float32, key=[0]):
    key[0] += 1
    return jax.random.normal(jax.random.key(key[0]), shape, dtype)


def training(state, update):
    """update(state) -> (loss, new state) is one step; the old state's memory is used again."""
    update = jit(update, donate_argnums=0)
    now = [state]

    def step():
        loss, now[0] = update(now[0])
        return loss

    return step


def tree(function, *trees):
    return jax.tree.map(function, *trees)


def seed_step(with_metrics):
    def make():
        x, gt = randn(10, 5), randn(10, 10)
        parameters = (randn(10, 5), randn(10))

        def loss_of(parameters):
            weight, bias = parameters
            y = x @ weight.T + bias
            metrics = ()
            if with_metrics:
                metrics = (jnp.abs(y - gt).mean(),
                           ((y > 0.5) == (gt > 0.5)).astype(jnp.float32).mean())
            return ((y - gt)**2).mean(), metrics

        def update(p):
            loss, slopes = value_and_grad(loss_of, has_aux=True)(p)
            return loss, tree(lambda p, g: p - jnp.float32(0.01) * g, p, slopes)

        return training(parameters, update)

    return make


def momentum(dtype):
    def update(p, g, state):
        state = tree(lambda v, g: dtype(0.9) * v + g, state, g)
        return tree(lambda p, v: p - dtype(0.01) * v, p, state), state

    return lambda p: tree(jnp.zeros_like, p), update


def adam(dtype):
    b1, b2 = dtype(0.9), dtype(0.999)

    def update(p, g, state):
        steps, m, v = state
        steps = steps + 1
        m = tree(lambda m, g: b1 * m + (1 - b1) * g, m, g)
        v = tree(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
        rate, rescale = dtype(1e-3) / (1 - b1**steps), 1 / jnp.sqrt(1 - b2**steps)
        p = tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * rescale + dtype(1e-8)), p, m, v)
        return p, (steps, m, v)

    return lambda p: (dtype(0), tree(jnp.zeros_like, p), tree(jnp.zeros_like, p)), update


def cross_entropy(y, target):
    return -jnp.take_along_axis(jax.nn.log_softmax(y), target[:, None], 1).mean()


def mlp(widths, batch, optimizer, dtype=jnp.float32):
    def make():
        x = randn(batch, widths[0], dtype=dtype)
        target = jax.random.randint(jax.random.key(0), (batch,), 0, widths[-1])
        parameters = [(randn(o, i, dtype=dtype) * dtype(i**-0.5), randn(o, dtype=dtype))
                      for i, o in zip(widths, widths[1:])]
        start, apply = optimizer(dtype)

        def loss_of(parameters):
            y = x
            for i, (weight, bias) in enumerate(parameters):
                y = y @ weight.T + bias
                y = jax.nn.relu(y) if i + 1 < len(parameters) else y
            return cross_entropy(y, target)

        def update(state):
            p, rest = state
            loss, slopes = value_and_grad(loss_of)(p)
            return loss, apply(p, slopes, rest)

        return training((parameters, start(parameters)), update)

    return make


def adam_alone():
    sizes = [(1024, 1024), (1024,)] * 3 + [(10, 1024), (10,)]
    p, g = [randn(*size) for size in sizes], [randn(*size) for size in sizes]
    start, apply = adam(jnp.float32)
    return training((p, start(p)), lambda state: (state[1][0], apply(state[0], g, state[1])))


def call(function, *shapes, backward=False, dtype=jnp.float32):
    """function of new arrays of these shapes; `backward`: with the gradient of each."""
    def make():
        arrays = [randn(*shape, dtype=dtype) for shape in shapes]
        run = jit(value_and_grad(function, tuple(range(len(shapes)))) if backward else function)
        return lambda: run(*arrays)

    return make


def chain(a, b, c, d):
    return (jax.nn.relu(a * b + c) * d).sum()


def layer_norm(x, weight, bias):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + jnp.float32(1e-5)) * weight + bias


def add():
    a, b = randn(1), randn(1)
    return lambda: a + b


def softmax_cross_entropy(backward):
    def make():
        target = jax.random.randint(jax.random.key(0), (4096,), 0, 1000)
        return call(lambda x: cross_entropy(x, target), (4096, 1000), backward=backward)()

    return make


def layer_norm_backward():
    slope = randn(4096, 1024)
    return call(lambda *x: (layer_norm(*x) * slope).sum(), (4096, 1024), (1024,), (1024,),
                backward=True)()


W2, W3 = ([784, 128, 10], 64, momentum), ([1024, 1024, 1024, 1024, 10], 256, adam)
ROWS = (4096, 1024)
WORKLOADS = {
    "seed_step": seed_step(False),
    "seed_step_as_written": seed_step(True),
    "mlp_784_128_10": mlp(*W2),
    "mlp_784_128_10_f64": mlp(*W2, jnp.float64),
    "mlp_1024x3_10": mlp(*W3),
    "mlp_1024x3_10_f64": mlp(*W3, jnp.float64),
    "adam": adam_alone,
    "add": add,
    "softmax_cross_entropy_4096x1000_forward": softmax_cross_entropy(False),
    "softmax_cross_entropy_4096x1000_forward_backward": softmax_cross_entropy(True),
    "layer_norm_4096x1024_forward": call(layer_norm, ROWS, (1024,), (1024,)),
    "layer_norm_4096x1024_forward_backward": layer_norm_backward,
    "sum_axis0_4096x1024": call(lambda x: x.sum(0), ROWS),
    "sum_axis1_4096x1024": call(lambda x: x.sum(1), ROWS),
    "sum_all_4096x1024": call(lambda x: x.sum(), ROWS),
    "exp_1e6": call(jnp.exp, (1000000,)),
    "tanh_1e6": call(jnp.tanh, (1000000,)),
    "gelu_1e6": call(lambda x: jax.nn.gelu(x, approximate=False), (1000000,)),
}
for size in ("1e3", "1e6", "1e7"):
    shape = (int(float(size)),)
    WORKLOADS[f"chain_forward_{size}"] = call(chain, *[shape] * 4)
    WORKLOADS[f"chain_forward_backward_{size}"] = call(chain, *[shape] * 4, backward=True)
for n in (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048):
    for letter, dtype in (("s", jnp.float32), ("d", jnp.float64)):
        WORKLOADS[f"{letter}gemm_{n}"] = call(jnp.matmul, (n, n), (n, n), dtype=dtype)

if __name__ == "__main__":
    main({f"{name}/jax": make for name, make in WORKLOADS.items()}, THREADS, jax.block_until_ready)
