// Everything of graft in one include: #include <graft.h>. Free of Eigen and OpenMP; whoever wants Eigen views of tensors
// includes "autograd/eigen.h" as well.
#pragma once
#include "autograd/errors.h"
#include "autograd/graph.h"
#include "autograd/ledger.h"
#include "autograd/ops.h"
#include "autograd/recompute.h"
#include "autograd/rng.h"
#include "autograd/tensor.h"
#include "autograd/threads.h"
#include "autograd/variable.h"
