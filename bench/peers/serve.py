"""Times a peer's workloads when bench/compare asks for it.

A peer is a process that stays, so that its rounds can lie between those of the others without paying
for imports and compilers again. Each line of its input is a request, each line that it prints the
answer, in words:

    list                             -> the names of its workloads
    seed_step/pytorch 0.05 7         -> 7 samples in seconds a step, or: error WHAT

A sample is the mean of as many steps as fill so many seconds (levin's programs do the same by Google
Benchmark): process CPU time on one thread, wall time on more.
"""
import os
import sys
import time
from dataclasses import dataclass
from typing import Callable, Optional


@dataclass
class Work:
    """What is timed: step(), or step(prepare()) without what prepare() takes."""
    step: Callable
    operations: int = 1  # in a step
    prepare: Optional[Callable] = None


def samples_of(step, seconds, count, clock, finish):
    """step() is one step; finish(what the last one gave) waits until its work is done."""
    def run(steps):
        begin = clock()
        for _ in range(steps):
            result = step()
        finish(result)
        return clock() - begin

    run(2)
    steps = 1
    while (took := run(steps)) < seconds / 2:
        steps = max(2 * steps, int(steps * min(100, seconds / max(took, 1e-9))))
    return [run(steps) / steps for _ in range(count)]


def samples_of_prepared(work, count, clock):
    def sample(steps=10):
        took = 0.0
        for _ in range(steps):
            prepared = work.prepare()
            begin = clock()
            work.step(prepared)
            took += clock() - begin
        return took / steps

    sample()
    return [sample() for _ in range(count)]


def serve(workloads, threads, finish):
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes to stderr
    os.dup2(2, 1)
    clock = time.process_time if threads == 1 else time.perf_counter
    made = {}

    def answer(name, seconds=0, count=0):
        if name == "list":
            return workloads
        if name not in made:
            work = workloads[name]()
            made[name] = work if isinstance(work, Work) else Work(work)
        work = made[name]
        samples = (samples_of_prepared(work, int(count), clock) if work.prepare else samples_of(
            work.step, float(seconds), int(count), clock, finish))
        return [f"{sample / work.operations:.6g}" for sample in samples]

    for line in sys.stdin:
        try:
            words = answer(*line.split())
        except Exception as error:
            words = ["error", type(error).__name__, *str(error).split()]
        print(*words, file=answers, flush=True)


def main(workloads, threads, finish=lambda result: None):
    """`PEER THREADS` serves; `PEER THREADS NAME` runs ten steps of one workload and ends.

    workloads: name -> function that makes the step, or a Work.
    """
    if len(sys.argv) <= 2:
        return serve(workloads, threads, finish)
    step = workloads[sys.argv[2]]()
    for _ in range(10):
        result = step()
    finish(result)
