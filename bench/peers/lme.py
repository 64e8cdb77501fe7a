"""What a training step costs in LME on Lightning (fit_loop/lme), as bench/fit_loop.cpp measures it for
levin: the seed's model, algorithm and metrics, batches of 10 in memory, the csv log; one epoch of
10,000 steps less one of 100, by step. Requests and answers are serve.py's, but for one sample each."""
import logging
import os
import sys
import tempfile
import time
import warnings

import torch
from lightning_module_enhanced import LME
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from model_algorithm import my_model_algo

LONG, SHORT, BATCH = 10000, 100, 10


def seconds_of_epoch(steps, folder):
    n = steps * BATCH
    loader = DataLoader(TensorDataset(torch.randn(n, 5), torch.randn(n, 10)), batch_size=BATCH)
    model = LME(nn.Linear(5, 10))
    model.criterion_fn = lambda y, gt: (y - gt).pow(2).mean()
    model.optimizer = optim.SGD(model.parameters(), lr=0.01)
    model.metrics = {
        "l1": (lambda y, gt: (y - gt).abs().mean(), "min"),
        "accuracy_like": (lambda y, gt: ((y > 0.5) == (gt > 0.5)).float().mean(), "max"),
    }
    model.model_algorithm = my_model_algo
    trainer = Trainer(max_epochs=1, logger=CSVLogger(folder), enable_progress_bar=False,
                      enable_model_summary=False)
    begin = time.process_time()
    trainer.fit(model, loader)
    return time.process_time() - begin


def main():
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes to stderr
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    for line in sys.stdin:
        if line.split() == ["list"]:
            print("fit_loop/lme", file=answers, flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            took = seconds_of_epoch(LONG, folder) - seconds_of_epoch(SHORT, folder)
        print(f"{took / (LONG - SHORT):.6g}", file=answers, flush=True)


if __name__ == "__main__":
    main()
