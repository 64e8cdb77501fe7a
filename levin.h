// levin: trains neural networks. This header includes everything; include single headers, such as
// <levin/nn/linear.h>, to compile faster.
#pragma once

#define LEVIN_VERSION "0.1.0"

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/flatten.h"
#include "nn/init.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "optim/sgd.h"
#include "tensor/npy.h"
#include "tensor/safetensors.h"
#include "tensor/span.h"
#include "tensor/tensor.h"
#include "train/callbacks/model_checkpoint.h"
#include "train/callbacks/plot_metrics.h"
#include "train/callbacks/progress_bar.h"
#include "train/data/csv.h"
#include "train/data/data_loader.h"
#include "train/lme.h"
#include "train/log.h"
#include "train/loggers/csv_logger.h"
#include "train/trainer.h"
