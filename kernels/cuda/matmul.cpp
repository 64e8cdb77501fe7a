// Matrix products by cublasLt. Its matrices are column-major; a row-major c = a b is there
// c^T = b^T a^T: its A is b, its B is a, and the bias runs along its rows, as its epilogues want it.
//
// All products of floating types go to cublasLt where it can read them, float64 too: it has
// CUBLAS_COMPUTE_64F. (cuBLAS reads the same layouts and no others, and would be a second library to
// load.) What it does not read is matmul_any.cu's.
#include "matmul.h"

#include "calls.h"
#include "matmul_plans.h"

namespace levin::inline v0::cuda {
namespace {

// ---- One product, or a batch whose matrices lie evenly apart

// c^T = b^T a^T
Product transposed(const Product& x) {
  const auto turned = [](const Matrices& y) { return Matrices{y.data, y.column, y.row, y.next}; };
  Product result = x;
  result.m = x.n, result.n = x.m;
  result.a = turned(x.b), result.b = turned(x.a), result.c = turned(x.c);
  return result;
}

// The product, and behind it the bias.
const char* multiply_and_add(Gpu& gpu, const Product& x, MatmulPrecision precision) {
  Product bare = x;
  DType out = x.dtype;
  float* sums = nullptr;
  if (x.bias && item_size(x.dtype) == 2) {  // rounded once, behind the bias
    out = kFloat32;
    sums = static_cast<float*>(gpu.workspace(x.count * x.m * x.n * sizeof(float)));
    if (!sums) return "needs more memory than the GPU has";
    bare.c = {sums, x.n, 1, x.m * x.n};
    bare.beta = 0;
  } else if (x.c.column != 1 && x.n > 1) {
    bare = transposed(x);  // cublasLt writes lines: here they are c's columns
  }
  bool done = false;
  LEVIN_TRY(gpu.products->multiply(gpu, bare, precision, CUBLASLT_EPILOGUE_DEFAULT, out, &done));
  if (!done) return multiply_any(gpu, x);
  return x.bias ? add_bias(gpu, x, sums) : nullptr;
}

// 0 where cublasLt has none: its GELU is the one with tanh.
int epilogue_of(const std::optional<Op>& activation) {
  if (activation == Op::relu) return CUBLASLT_EPILOGUE_RELU;
  return activation == Op::gelu_tanh ? CUBLASLT_EPILOGUE_GELU : 0;
}

const char* activate(Gpu& gpu, const MatmulCall& call, const Product& x) {
  Layout layout;
  layout.dtype = x.dtype;
  layout.shape = {x.count, x.m, x.n};
  layout.strides[0] = x.c.next, layout.strides[1] = x.c.row, layout.strides[2] = x.c.column;
  const auto* first = static_cast<const char*>(call.c.block->data);
  layout.offset = (static_cast<const char*>(x.c.data) - first) / item_size(x.dtype);
  const Arg c{call.c.block, &layout};
  ElementwiseCall formula{.op = *call.activation, .compute = x.dtype, .in = {c}, .out = c};
  return elementwise(gpu, formula);
}

// As much in one kernel as cublasLt has one for.
const char* multiply(Gpu& gpu, const MatmulCall& call, const Product& x) {
  bool done = false;
  // The kernels take 16 bytes of the bias at once; no preference of cublasLt's tells them otherwise.
  const bool bias_fits = x.bias && alignment_of(x.bias) >= 16;
  const int bias = bias_fits ? CUBLASLT_EPILOGUE_BIAS : 0, last = epilogue_of(call.activation);
  if (last && (bias_fits || !x.bias)) {
    LEVIN_TRY(gpu.products->multiply(gpu, x, call.precision, last | bias, x.dtype, &done));
    if (done) return nullptr;
  }
  if (bias_fits) LEVIN_TRY(gpu.products->multiply(gpu, x, call.precision, bias, x.dtype, &done));
  if (!done) LEVIN_TRY(multiply_and_add(gpu, x, call.precision));
  return call.activation ? activate(gpu, call, x) : nullptr;
}

// ---- Batches

// The leading dimensions; those that lie behind each other in all three are one.
struct Leading {
  int dims = 0;
  int64_t sizes[kMaxDims], strides[3][kMaxDims];

  explicit Leading(const Layout* const (&layouts)[3]) {
    for (int d = 0; d < layouts[0]->dim() - 2; ++d) {
      const int64_t size = layouts[0]->shape[d];
      if (size == 1) continue;
      bool joins = dims > 0;
      for (int i = 0; joins && i < 3; ++i)
        joins = strides[i][dims - 1] == layouts[i]->strides[d] * size;
      if (!joins) sizes[dims++] = 1;
      sizes[dims - 1] *= size;
      for (int i = 0; i < 3; ++i) strides[i][dims - 1] = layouts[i]->strides[d];
    }
  }
};

// The last leading dimension is cublasLt's batch; the others are a loop.
const char* each_batch(Gpu& gpu, const MatmulCall& call, const Leading& leading, int d, Product x) {
  if (d + 1 >= leading.dims) return multiply(gpu, call, x);
  for (int64_t i = 0; i < leading.sizes[d]; ++i) {
    LEVIN_TRY(each_batch(gpu, call, leading, d + 1, x));
    int operand = 0;
    for (Matrices* matrices : {&x.a, &x.b, &x.c})
      matrices->data = static_cast<char*>(matrices->data) +
                       leading.strides[operand++][d] * static_cast<int64_t>(item_size(x.dtype));
  }
  return nullptr;
}

}  // namespace

const char* matmul(Gpu& gpu, const MatmulCall& call) {
  const Layout &a = *call.a.layout, &b = *call.b.layout, &c = *call.c.layout;
  if (c.dtype == kBool) return "needs numbers";
  if (call.activation && c.dtype != kFloat32 && c.dtype != kFloat64)
    return "needs float32 or float64 for an activation";
  if (c.numel() == 0) return nullptr;
  if (!gpu.products) {
    auto products = std::make_shared<Products>();
    LEVIN_TRY(products->open(gpu));
    gpu.products = std::move(products);
  }
  const Leading leading({&a, &b, &c});
  const int row = c.dim() - 2, column = row + 1, last = leading.dims - 1;
  const auto matrices = [&](const Arg& arg, int operand) {
    const int64_t* strides = arg.layout->strides;
    return Matrices{first_of(arg), strides[row], strides[column],
                    last < 0 ? 0 : leading.strides[operand][last]};
  };
  const Product x{c.dtype,
                  last < 0 ? 1 : leading.sizes[last],
                  c.shape[row],
                  c.shape[column],
                  a.shape[column],
                  matrices(call.a, 0),
                  matrices(call.b, 1),
                  matrices(call.c, 2),
                  call.bias.block ? first_of(call.bias) : nullptr,
                  call.alpha,
                  call.beta};
  return each_batch(gpu, call, leading, 0, x);
}

}  // namespace levin::inline v0::cuda
