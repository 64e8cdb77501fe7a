// Every operation of the table on the GPU: values and gradients are those of the CPU, in every layout
// and element type, bit for bit where the GPU adds in the same order.
#include <iostream>
#include <set>

#include "gpu.h"
#include "op_sample.h"

namespace levin {
namespace {

// Products are the library's there, and these functions the C library's: near, but not the same bits.
bool has_bits_of_cpu(const OpCase& row) {
  static const std::set<std::string> kNear = {
      "matmul", "mm",       "bmm",    "mv",     "dot",       "outer", "addmm",        "baddbmm",
      "addmv",  "addbmm",   "linear", "einsum", "tensordot", "inner", "chain_matmul", "normal",
      "randn",  "cholesky", "solve",  "inv",    "inverse",   "det"};
  return !kNear.contains(operation_of(row));
}

struct Results {
  Arrays outputs, gradients;
};

Results results_on(Device device, const OpCase& row, const Sample& sample, DType dtype,
                   Arrangement arrangement) {
  const PlacedOn here(device);
  const Arrays arrays = draw(row, sample, dtype, arrangement);
  const bool differentiates = row.differentiable && is_floating(dtype);
  const Tensors inputs = differentiates ? leaves(row, sample, arrays, dtype, arrangement)
                                        : place_all(row, sample, arrays, dtype, arrangement);
  const Tensors outputs = run_on_copy(row, inputs, row.call);
  Results results;
  Tensors roots, starts;
  for (const Tensor& output : outputs) {
    EXPECT_EQ(output.device(), device);
    results.outputs.push_back(read(output));
    if (!differentiates || !output.requires_grad()) continue;
    roots.push_back(output);
    starts.push_back(full_like(output, 0.75));
  }
  if (roots.empty()) return results;
  for (const Tensor& gradient : grad(roots, values_of(sample, inputs), starts, false, false, true))
    results.gradients.push_back(gradient.defined() ? read(gradient) : Array{});
  return results;
}

void expect_alike(const Arrays& cpu, const Arrays& gpu, bool bits, DType dtype, double slack) {
  ASSERT_EQ(cpu.size(), gpu.size());
  const auto [rtol, atol] = tolerance(dtype, slack);
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    if (bits && same_bits(cpu[i], gpu[i])) continue;
    EXPECT_EQ(difference(gpu[i], cpu[i], bits ? 0 : rtol, bits ? 0 : atol), "");
  }
}

TEST(OpDevices, GpuGivesTheResultsOfTheCpu) {
  LEVIN_NEEDS_GPU();
  int compared = 0;
  for_each_row([&](const OpCase& row) {
    for (int d = 0; d < kDTypes; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (!(row.types & group_of(dtype))) continue;
      for (const Sample& sample : row.samples)
        for (const Arrangement arrangement : arrangements(row)) {
          SCOPED_TRACE(std::string(name_of(dtype)) + " " + name_of(arrangement) + " " +
                       sample[0].shape.text());
          const Results cpu = results_on(kCPU, row, sample, dtype, arrangement),
                        gpu = results_on(kCUDA, row, sample, dtype, arrangement);
          const bool bits = has_bits_of_cpu(row);
          expect_alike(cpu.outputs, gpu.outputs, bits, dtype, 4 * row.slack);
          expect_alike(cpu.gradients, gpu.gradients, bits, dtype, 4 * row.slack);
          compared += static_cast<int>(cpu.outputs.size() + cpu.gradients.size());
        }
    }
  });
  std::cout << compared << " results and gradients of the GPU compared with the CPU's\n";
}

}  // namespace
}  // namespace levin
