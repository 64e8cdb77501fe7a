// The one seam to the hardware: all that a device supplies. Whatever allocates, frees, reads back
// or computes goes through a Backend, so that a recorder can stand in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "block.h"
#include "layout.h"
#include "op.h"
#include "thread_state.h"

namespace levin::inline v0 {

/// An operand. Both pointers are valid for the call: a recorder retains the block and copies the
/// layout. A null block marks an operand that is a number, or one that the call leaves out.
struct Arg {
  Block* block = nullptr;
  const Layout* layout = nullptr;
};

/// out = a formula of `in`, broadcast by the caller: every layout has out's shape. `compute` is
/// float32, float64 or int64: operands are converted to it and the result to out's type. For the
/// value, in[0..2] are the arguments; for a derivative part the arguments, then y, and in[3] = g.
/// Operand i is the number numbers[3 - i] where bit i of `number_mask` is set; the formula's
/// parameters stand at the front.
struct ElementwiseCall {
  Op op;
  OpPart part = OpPart::f;
  DType compute = kFloat32;
  uint8_t number_mask = 0;
  double numbers[4] = {};
  Arg in[4];
  Arg out;
  /// The number of elements where the caller knows that all operands that are no numbers, and out,
  /// are contiguous and of the type in which they are computed; else -1: the device looks.
  int64_t packed = -1;
};

enum class Reduction : uint8_t { sum, prod, mean, var, max, min, argmax, argmin };

/// out = `in` reduced over the dimensions of `dims` (bit d). out is contiguous and has the kept
/// sizes, in order. var divides by max(0, count - correction).
struct ReduceCall {
  Reduction kind;
  uint32_t dims;
  double correction;
  Arg in, out;
};

enum class ScanKind : uint8_t {
  sum,    ///< out_k = out_(k-1) + x_k, from 0
  prod,   ///< out_k = out_(k-1) * x_k, from 1
  linear  ///< out_k = a_k * out_(k-1) + x_k, from 0
};

/// Running results along a dimension, from its first element on, or (reverse) from its last. All
/// contiguous and of one shape and type, a floating one or int64; a is left out but for `linear`.
/// The running result is kept in float64, of 16-bit elements in float32.
struct ScanCall {
  ScanKind kind;
  bool reverse;
  int dim;
  Arg x, a, out;
};

/// index (int64, x's shape) = the positions of x's elements in order, row by row over the last
/// dimension. Equal elements keep their order; NaN counts as the largest. Both contiguous, x
/// float32, float64 or int64.
struct SortCall {
  bool descending;
  Arg x, index;
};

/// mean or sum of (x - target)^2 over everything; x and target contiguous, of one type; out has one
/// element.
struct MseCall {
  bool mean;
  Arg x, target, out;
};

/// out = g 2 (x - target), for the mean divided by the number of elements; g has one element.
struct MseBackwardCall {
  bool mean;
  Arg x, target, g, out;
};

/// losses [n] = -log_softmax(x [n, classes])[target [n]], 0 where a target is `ignored`; out, one
/// element, is their sum or (mean) that by the number of targets that count. slopes, of x's shape, is
/// the gradient of out by x, without out that of each loss by its row. out and slopes may be left
/// out. All contiguous, x float32 or float64, target int64: one that is no class is an error.
struct CrossEntropyCall {
  bool mean;
  int64_t ignored;
  Arg x, target, losses, out, slopes;
};

/// dx = slopes * g; g has one element, or one for each row. dx may be the slopes' own memory.
struct CrossEntropyBackwardCall {
  Arg slopes, g, dx;
};

/// out = (x - mean) / sqrt(var + eps) * weight + bias over rows of `size` elements: x [.., size],
/// weight and bias [size], which may be left out. For the backward call each row keeps its mean and
/// 1 / sqrt(var + eps), kept [2, rows]. All contiguous and of one type, float32 or float64.
struct LayerNormCall {
  int64_t size;
  double eps;
  Arg x, weight, bias, kept, out;
};

/// Rows are summed to the gradients of weight and bias in pieces, by their number alone.
struct LayerNormPieces {
  int64_t rows, count;  ///< of a piece; of pieces
};
constexpr LayerNormPieces layer_norm_pieces(int64_t rows) {
  const int64_t piece = rows > 32 * 128 ? (rows + 31) / 32 : 128;
  return {piece, (rows + piece - 1) / piece};
}

/// Gradients; each may be left out. sums [pieces, 2, size] is memory to work in, left out without
/// dweight and dbias.
struct LayerNormBackwardCall {
  int64_t size;
  Arg x, weight, kept, g, dx, dweight, dbias, sums;
};

/// How a GPU multiplies float32: in float32, or faster with factors rounded to 10 (TF32) or 7 bits
/// behind the point. Sums are float32. The CPU always does the first.
enum class MatmulPrecision : uint8_t { highest, high, bf16 };

/// c = activation(alpha a b + beta c + bias) for each pair of matrices: a [.., m, k], b [.., k, n],
/// c [.., m, n], equal leading sizes (strides may be 0). bias [n] may be left out. beta 0 does not
/// read c. The activation is a formula of one argument; with one, elements are float32 or float64.
struct MatmulCall {
  double alpha = 1, beta = 0;
  Arg a, b, c, bias = {};
  std::optional<Op> activation = {};
  MatmulPrecision precision = MatmulPrecision::highest;
};

enum class LinalgKind : uint8_t {
  cholesky,  ///< out [n, n] lower, out out^T = a
  solve,     ///< a out = b, b and out [n, k]
  inverse,   ///< out [n, n]
  det        ///< out []
};

/// One decomposition for each matrix a [.., n, n]; float32 or float64, all contiguous, with the same
/// leading sizes. The error says which matrix has no result.
struct LinalgCall {
  LinalgKind kind;
  Arg a, b, out;
};

/// softmax or log_softmax over the last dimension, all contiguous. The backward form gets g and y
/// and gives dx.
struct SoftmaxCall {
  bool log, backward;
  Arg x_or_y, g, out;
};

enum class IndexKind : uint8_t {
  gather,      ///< out[i][j][k] = source[i][index[i][j][k]][k] for dim 1
  scatter,     ///< out[i][index[i][j][k]][k] = source[i][j][k]
  scatter_add  ///< the same with +=, in index's row-major order
};

/// index is int64, in [0, size of the dimension). Strides of 0 in it pick whole slices.
struct IndexCall {
  IndexKind kind;
  int dim;
  Arg source, index, out;
};

enum class Distribution : uint8_t { uniform, normal, integers };

/// Philox numbers in element order. uniform in [a, b), normal with mean a and deviation b, integers
/// in [a, b). The counter is read when the call runs, and advanced by one: the next call, or the
/// next replay, gets fresh numbers.
struct RandomCall {
  Distribution kind;
  uint64_t seed;
  uint32_t stream;
  uint64_t* counter;
  double a, b;
  Arg out;
};

/// How an optimizer changes a parameter: a struct in formulas/optimizers.h.
enum class Rule : uint8_t { sgd, adam, nadam, radam, adamax, rmsprop, adagrad, adadelta, rprop };

inline constexpr int kRules = 9, kMaxStates = 3;

/// A parameter, its gradient and what its rule remembers of each element: all contiguous, of one
/// type, float32 or float64. States that the rule does not use now are left out.
struct Span {
  Arg p, g;
  Arg state[kMaxStates];
  int64_t count;     ///< of elements
  double* counters;  ///< what the rule counts of this parameter
};

/// One step over `count` spans. The numbers (the fields of the rule's struct, such as the learning
/// rate) are read when the call runs; counters are read and advanced: a replay is a further step.
struct OptimizerCall {
  Rule rule;
  const double* numbers;
  const Span* spans;
  int64_t count;
};

/// Running sums of a metric: sums += weight * value in float64; counts (float64 [3]) holds the sum of
/// the weights, the number of calls, and the number of the first call whose value was not finite
/// (-1: none). sums is contiguous and of value's shape.
struct AccumulateCall {
  double weight;
  Arg value, sums, counts;
};

/// What a device has done so far; 0 on the CPU.
struct DeviceCounts {
  uint64_t raw_allocations = 0;   ///< memory taken from the system
  uint64_t synchronizations = 0;  ///< times that the host waited for all that was issued
};

/// One device. Functions return null, or what is wrong in words (text that the backend owns); the
/// caller adds operation and shapes and throws. They never throw.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual const char* allocate(std::size_t bytes, void** memory) noexcept = 0;
  virtual void deallocate(void* memory, std::size_t bytes) noexcept = 0;
  /// Between the host and the block's bytes from `offset` on. read waits for what computes them.
  virtual const char* read(const Block& from, std::size_t offset, void* to,
                           std::size_t bytes) noexcept = 0;
  virtual const char* write(const void* from, Block& to, std::size_t offset,
                            std::size_t bytes) noexcept = 0;

  virtual const char* fill(double value, Arg out) noexcept = 0;
  /// Any layout and type to any other of the same shape.
  virtual const char* copy(Arg in, Arg out) noexcept = 0;
  virtual const char* elementwise(const ElementwiseCall&) noexcept = 0;
  virtual const char* reduce(const ReduceCall&) noexcept = 0;
  virtual const char* scan(const ScanCall&) noexcept = 0;
  virtual const char* sort(const SortCall&) noexcept = 0;
  virtual const char* mse(const MseCall&) noexcept = 0;
  virtual const char* mse_backward(const MseBackwardCall&) noexcept = 0;
  virtual const char* cross_entropy(const CrossEntropyCall&) noexcept = 0;
  virtual const char* cross_entropy_backward(const CrossEntropyBackwardCall&) noexcept = 0;
  virtual const char* layer_norm(const LayerNormCall&) noexcept = 0;
  virtual const char* layer_norm_backward(const LayerNormBackwardCall&) noexcept = 0;
  virtual const char* matmul(const MatmulCall&) noexcept = 0;
  virtual const char* linalg(const LinalgCall&) noexcept = 0;
  virtual const char* softmax(const SoftmaxCall&) noexcept = 0;
  virtual const char* index(const IndexCall&) noexcept = 0;
  virtual const char* random(const RandomCall&) noexcept = 0;
  virtual const char* optimizer(const OptimizerCall&) noexcept = 0;
  virtual const char* accumulate(const AccumulateCall&) noexcept = 0;

  /// Waits until everything issued has run.
  virtual const char* synchronize() noexcept = 0;
  /// Calls from here on are noted in a graph instead of run, and what they are given lives as long as it
  /// does. Only devices on which a call costs more than its entry have graphs; the CPU has none.
  virtual const char* begin_capture() noexcept = 0;
  virtual const char* end_capture(uint64_t* graph) noexcept = 0;
  /// Runs the graph's calls once more. Numbers behind addresses are read, and counters advanced, anew.
  virtual const char* replay(uint64_t graph) noexcept = 0;
  virtual void free_graph(uint64_t graph) noexcept = 0;

  virtual DeviceCounts counts() const noexcept = 0;
};

/// Loads the CUDA module, if that has not been done. Throws std::runtime_error, with the reason, where
/// the GPU is not there.
Backend& load_gpu(Device device);
/// How many GPUs there are, 0 before the module is loaded.
int gpus_loaded();

/// The backend of a device. Throws std::runtime_error where the device is not there.
inline Backend& backend(Device device) {
  ThreadState& thread = thread_state();
  if (device.type == Device::cpu) [[likely]]
    return *thread.cpu;
  const auto index = static_cast<unsigned>(device.index);
  Backend* known = index < kMostGpus ? thread.gpus[index] : nullptr;
  return known ? *known : load_gpu(device);
}

/// While it lives, this thread's calls to a device go to `instead` (null: the device's own backend): how
/// a recorder sees a step.
class BackendOverride {
 public:
  explicit BackendOverride(Backend* instead, Device device = kCPU);
  ~BackendOverride();
  BackendOverride(const BackendOverride&) = delete;
  BackendOverride& operator=(const BackendOverride&) = delete;

 private:
  Device device_;
  Backend* outer_;
};

}  // namespace levin::inline v0
