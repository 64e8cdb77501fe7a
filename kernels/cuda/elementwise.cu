// Which kernel an elementwise call runs. copy and fill, which are elementwise too.
#include "calls.h"
#include "elementwise.h"

namespace levin::inline v0::cuda {
namespace {

const ElementwiseTable& table() {
  static const ElementwiseTable& made = []() -> const ElementwiseTable& {
    static ElementwiseTable table{};
    fill_elementwise_0(table);
    fill_elementwise_1(table);
    fill_elementwise_2(table);
    fill_elementwise_3(table);
    return table;
  }();
  return made;
}

bool aligned(const Arg& arg) { return reinterpret_cast<uintptr_t>(first_of(arg)) % 16 == 0; }

// False where the operands are not such.
bool pack(const ElementwiseCall& call, Packed* packed) {
  bool any = false;
  const auto take = [&](const Arg& arg) {
    const DType type = arg.layout->dtype;
    const bool fits = (any ? type == packed->type : is_floating(type) && type != kFloat64) &&
                      arg.layout->contiguous() && aligned(arg);
    packed->type = type;
    any = true;
    return fits;
  };
  for (int k = 0; k < 4; ++k) {
    packed->numbers[k] = call.numbers[k];
    packed->in[k] = nullptr;
    if (!call.in[k].block) continue;
    if (!take(call.in[k])) return false;
    packed->in[k] = first_of(call.in[k]);
  }
  packed->out = first_of(call.out);
  if (!is_predicate(call.op)) return take(call.out);
  return any && call.out.layout->dtype == kBool && call.out.layout->contiguous();
}

Strided strided(const ElementwiseCall& call) {
  const auto layout = [&](int k) { return call.in[k].block ? call.in[k].layout : nullptr; };
  Strided s{Indexer<5>({layout(0), layout(1), layout(2), layout(3), call.out.layout}),
            {},
            {},
            call.out.block->data,
            call.out.layout->dtype,
            {}};
  for (int k = 0; k < 4; ++k) {
    s.numbers[k] = call.numbers[k];
    if (!call.in[k].block) continue;
    s.in[k] = call.in[k].block->data;
    s.types[k] = call.in[k].layout->dtype;
  }
  return s;
}

// Through int64 or float64, which hold every element of the narrower types exactly.
template <class T>
__global__ void copy_kernel(Indexer<2> indexer, const void* in, DType in_type, void* out,
                            DType out_type, int64_t n) {
  const int64_t i = thread_number();
  if (i >= n) return;
  int64_t at[2];
  indexer.find(i, at);
  store_as<T>(out, out_type, at[1], load_as<T>(in, in_type, at[0]));
}

// The bits as they are: a NaN keeps its payload.
template <class T>
__global__ void move_kernel(Indexer<2> indexer, const T* in, T* out, int64_t n) {
  const int64_t i = thread_number();
  if (i >= n) return;
  int64_t at[2];
  indexer.find(i, at);
  out[at[1]] = in[at[0]];
}

template <class T>
const char* move(Gpu& gpu, const Indexer<2>& indexer, const Arg& in, const Arg& out, int64_t n) {
  return gpu.launch(move_kernel<T>, blocks_for(n, kThreads), kThreads, indexer,
                    static_cast<const T*>(in.block->data), static_cast<T*>(out.block->data), n);
}

__global__ void fill_kernel(Indexer<1> indexer, double value, void* out, DType type, int64_t n) {
  const int64_t i = thread_number();
  if (i >= n) return;
  int64_t at[1];
  indexer.find(i, at);
  store_as<double>(out, type, at[0], value);
}

}  // namespace

const char* elementwise(Gpu& gpu, const ElementwiseCall& call) {
  const ElementwiseKernels& kernels =
      table()[static_cast<int>(call.op)][static_cast<int>(call.part)];
  const int type = call.compute == kFloat32 ? 0 : call.compute == kFloat64 ? 1 : 2;
  if (!kernels.strided[type]) return "is not possible with this element type";
  const int64_t n = call.out.layout->numel();
  if (n == 0) return nullptr;
  Packed packed;
  if (call.compute == kFloat32 && pack(call, &packed)) return kernels.packed(gpu, packed, n);
  return kernels.strided[type](gpu, strided(call), n);
}

const char* copy(Gpu& gpu, const Arg& in, const Arg& out) {
  const int64_t n = out.layout->numel();
  if (n == 0) return nullptr;
  const Indexer<2> indexer({in.layout, out.layout});
  const dim3 blocks = blocks_for(n, kThreads);
  const DType from = in.layout->dtype, to = out.layout->dtype;
  if (from == to) {
    const std::size_t size = item_size(to);
    if (in.layout->contiguous() && out.layout->contiguous())
      return error_of(cudaMemcpyAsync(first_of(out), first_of(in), n * size,
                                      cudaMemcpyDeviceToDevice, gpu.stream()));
    if (size == 8) return move<uint64_t>(gpu, indexer, in, out, n);
    if (size == 4) return move<uint32_t>(gpu, indexer, in, out, n);
    if (size == 2) return move<uint16_t>(gpu, indexer, in, out, n);
    return move<uint8_t>(gpu, indexer, in, out, n);
  }
  const auto kernel = is_floating(from) ? copy_kernel<double> : copy_kernel<int64_t>;
  return gpu.launch(kernel, blocks, kThreads, indexer, in.block->data, from, out.block->data, to,
                    n);
}

const char* fill(Gpu& gpu, double value, const Arg& out) {
  const int64_t n = out.layout->numel();
  if (n == 0) return nullptr;
  return gpu.launch(fill_kernel, blocks_for(n, kThreads), kThreads, Indexer<1>({out.layout}), value,
                    out.block->data, out.layout->dtype, n);
}

}  // namespace levin::inline v0::cuda
