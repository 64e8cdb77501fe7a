// Elementwise calls and copies over every kind of layout and element type, at sizes at which rows,
// tiles and blocks begin and end everywhere, against plain indexing.
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/layout_math.h>

namespace levin {
namespace {

Arg arg(const Tensor& tensor) { return {tensor.impl().block.get(), &tensor.layout()}; }

// Small whole numbers, which every element type holds.
Tensor numbers(const Shape& shape, DType dtype, Generator& generator) {
  const Tensor drawn = randint(0, dtype == kBool ? 2 : 100, shape, generator);
  const Tensor result = empty(shape, dtype);
  EXPECT_EQ(backend(kCPU).copy(arg(drawn), arg(result)), nullptr);
  return result;
}

// The elements of a view in row-major order, by its strides, from those of its block.
std::vector<double> read(const Tensor& view, const Tensor& base) {
  const std::vector<double> all = base.to_vector<double>();
  const Layout& layout = view.layout();
  std::vector<double> result;
  for (int64_t i = 0; i < layout.numel(); ++i) {
    int64_t at = layout.offset, left = i;
    for (int d = layout.dim() - 1; d >= 0; --d) {
      at += left % layout.shape[d] * layout.strides[d];
      left /= layout.shape[d];
    }
    result.push_back(all[at]);
  }
  return result;
}

struct Placed {
  const char* name;
  Tensor base, view;
};

// One of each kind of layout, of the shape [planes, rows, columns].
std::vector<Placed> placed(const Shape& shape, DType dtype, Generator& generator) {
  const int64_t p = shape[0], r = shape[1], c = shape[2];
  std::vector<Placed> all;
  const auto add = [&](const char* name, const Shape& of_base, auto layout_of) {
    const Tensor base = numbers(of_base, dtype, generator);
    all.push_back({name, base, make_view(base, layout_of(base.layout()))});
  };
  const auto repeated = [&](const Layout& layout) { return broadcast_to(layout, shape); };
  add("contiguous", shape, [](const Layout& layout) { return layout; });
  add("a row for all", {c}, repeated);
  add("a plane for all", {r, c}, repeated);
  add("a column for all", {r, 1}, repeated);
  add("a number for each plane", {p, 1, 1}, repeated);
  add("one number", {1}, repeated);
  add("transposed", {p, c, r}, [](const Layout& l) { return permuted(l, {0, 2, 1}); });
  add("all reversed", {c, r, p}, [](const Layout& l) { return permuted(l, {2, 1, 0}); });
  add("planes last", {r, c, p}, [](const Layout& l) { return permuted(l, {2, 0, 1}); });
  add("every second", {p, r, 2 * c}, [&](const Layout& l) { return sliced(l, 2, 1, 2 * c, 2); });
  add("rows with gaps", {p, r, c + 3}, [&](const Layout& l) { return sliced(l, 2, 2, c + 2, 1); });
  return all;
}

const Shape kShapes[] = {{2, 50, 130}, {3, 17, 520}, {1, 5, 1100}, {40, 60, 7}, {1, 3, 2}};

void expect_sum(const Placed& x, const Placed& y, const Placed& out, DType compute) {
  const std::vector<double> a = read(x.view, x.base), b = read(y.view, y.base);
  const ElementwiseCall call{Op::add,      OpPart::f, compute, 0, {}, {arg(x.view), arg(y.view)},
                             arg(out.view)};
  ASSERT_EQ(backend(kCPU).elementwise(call), nullptr);
  const std::vector<double> sum = read(out.view, out.base);
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(sum[i], a[i] + b[i]) << x.name << " + " << y.name << " to " << out.name << ": " << i;
}

TEST(Buffered, EveryPairOfLayouts) {
  Generator generator(41);
  for (const Shape& shape : kShapes) {
    const std::vector<Placed> x = placed(shape, kFloat32, generator);
    const Tensor room = empty(shape, kFloat32);
    for (const Placed& a : x)
      for (const Placed& b : x) expect_sum(a, b, {"contiguous", room, room}, kFloat32);
  }
}

TEST(Buffered, EveryElementType) {
  Generator generator(42);
  for (int i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const DType compute = is_floating(dtype) ? compute_type(dtype) : kFloat32;
    const std::vector<Placed> x = placed(kShapes[0], dtype, generator);
    const Tensor room = empty(kShapes[0], compute);
    for (const Placed& a : x) expect_sum(a, x[6], {"contiguous", room, room}, compute);
  }
}

TEST(Buffered, OneNumberOfEveryElementType) {
  Generator generator(46);
  const Shape shape{1, 300, 200};  // several pieces
  const Placed other = placed(shape, kFloat32, generator)[0];
  const Tensor room = empty(shape, kFloat32);
  for (int i = 0; i < kDTypes; ++i) {
    const Placed one = placed(shape, static_cast<DType>(i), generator)[5];
    expect_sum(one, other, {"contiguous", room, room}, kFloat32);
    expect_sum(other, one, {"contiguous", room, room}, kFloat32);
  }
}

TEST(Buffered, EveryLayoutOfTheResult) {
  Generator generator(43);
  for (const Shape& shape : kShapes) {
    const std::vector<Placed> x = placed(shape, kFloat32, generator);
    for (const Placed& out : placed(shape, kFloat32, generator))
      if (!out.view.layout().overlaps_itself()) expect_sum(x[1], x[7], out, kFloat32);
  }
}

TEST(Copy, EveryPairOfLayouts) {
  Generator generator(44);
  for (const Shape& shape : kShapes)
    for (const DType dtype : {kFloat32, kFloat64, kBFloat16, kBool})
      for (const Placed& from : placed(shape, dtype, generator))
        for (const Placed& to : placed(shape, dtype, generator)) {
          if (to.view.layout().overlaps_itself()) continue;
          ASSERT_EQ(backend(kCPU).copy(arg(from.view), arg(to.view)), nullptr);
          ASSERT_EQ(read(to.view, to.base), read(from.view, from.base)) << from.name << to.name;
        }
}

TEST(Copy, EveryPairOfElementTypes) {
  Generator generator(45);
  const Shape shape{1, 9, 130};
  for (int i = 0; i < kDTypes; ++i)
    for (int j = 0; j < kDTypes; ++j)
      for (const Placed& from : placed(shape, static_cast<DType>(i), generator)) {
        const Tensor to = empty(shape, static_cast<DType>(j));
        ASSERT_EQ(backend(kCPU).copy(arg(from.view), arg(to)), nullptr);
        std::vector<double> wanted = read(from.view, from.base);
        if (to.dtype() == kBool)
          for (double& number : wanted) number = number != 0;
        ASSERT_EQ(to.to_vector<double>(), wanted) << from.name << name_of(to.dtype());
      }
}

}  // namespace
}  // namespace levin
