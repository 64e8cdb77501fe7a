// Values, element types, layouts, errors and repeatability of every operation in the table.
#include <levin/kernels/pool.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "op_sample.h"

namespace levin {
namespace {

DType result_type(const OpCase& row, DType dtype, std::size_t output) {
  switch (row.result) {
    case Result::same:
      return dtype;
    case Result::number:
      return dtype == kBool ? kInt64 : dtype;
    case Result::floating:
      return is_floating(dtype) ? dtype : kFloat32;
    case Result::widened:
      return is_floating(dtype) ? dtype : kInt64;
    case Result::boolean:
      return kBool;
    case Result::integer:
      return kInt64;
    case Result::with_index:
      return output == 0 ? dtype : kInt64;
  }
  return dtype;
}

// Type and values of what a call gave.
void expect_outputs(const OpCase& row, const Tensors& outputs, const Arrays& expected, DType dtype,
                    double slack) {
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const DType type = result_type(row, dtype, o);
    EXPECT_EQ(name_of(outputs[o].dtype()), std::string(name_of(type)));
    const Array wanted = map(expected[o], [=](double v) { return as_element(v, type); });
    const auto [rtol, atol] = tolerance(type, slack);
    EXPECT_EQ(difference(read(outputs[o]), wanted, rtol, atol), "");
  }
}

void expect_same_bits(const Tensors& outputs, const Tensors& expected) {
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t o = 0; o < outputs.size(); ++o)
    EXPECT_TRUE(same_bits(read(outputs[o]), read(expected[o])));
}

// One sample in one arrangement; gives the outputs.
Tensors check_values(const OpCase& row, const Sample& sample, DType dtype, Arrangement arrangement,
                     const Call& call, double slack = 1) {
  SCOPED_TRACE(std::string(name_of(dtype)) + " " + name_of(arrangement));
  const Arrays arrays = draw(row, sample, dtype, arrangement);
  const Tensors inputs = place_all(row, sample, arrays, dtype, arrangement);
  std::vector<std::vector<unsigned char>> before;
  for (const Tensor& input : inputs) before.push_back(gap_bytes(input));
  const Tensors outputs = call.run(inputs);
  expect_outputs(row, outputs, row.reference.run(arrays), dtype, row.slack * slack);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(gap_bytes(inputs[i]), before[i]) << "wrote between the elements of argument " << i;
    if (row.in_place && i == 0)
      EXPECT_TRUE(outputs[0].is_same(inputs[0]));
    else
      EXPECT_TRUE(same_bits(read(inputs[i]), arrays[i])) << "changed argument " << i;
  }
  return outputs;
}

TEST(Ops, ValuesInEveryLayout) {
  std::set<std::string> operations;
  int checks = 0;
  for_each_row([&](const OpCase& row) {
    operations.insert(operation_of(row));
    for (const Sample& sample : row.samples) {
      SCOPED_TRACE(sample[0].shape.text());
      for (const DType dtype : main_types(row)) {
        const Tensors plain = check_values(row, sample, dtype, Arrangement::contiguous, row.call);
        for (const Call& spelling : row.spellings)
          expect_same_bits(check_values(row, sample, dtype, Arrangement::contiguous, spelling),
                           plain);
        for (const Arrangement arrangement : arrangements(row)) {
          const Tensors outputs = check_values(row, sample, dtype, arrangement, row.call);
          if (arrangement != Arrangement::expanded) expect_same_bits(outputs, plain);
          ++checks;
        }
        checks += static_cast<int>(row.spellings.size());
      }
    }
  });
  std::cout << operations.size() << " operations in " << op_cases().size() << " rows, " << checks
            << " calls compared with their reference\n";
}

TEST(Ops, ElementTypes) {
  int right = 0, refused = 0;
  for_each_row([&](const OpCase& row) {
    for (int d = 0; d < kDTypes; ++d) {
      const auto dtype = static_cast<DType>(d);
      SCOPED_TRACE(name_of(dtype));
      if (row.types & group_of(dtype)) {
        for (const Sample& sample : row.samples)
          for (const Arrangement arrangement : arrangements(row))
            check_values(row, sample, dtype, arrangement, row.call), ++right;
        continue;
      }
      ++refused;
      const Sample& sample = row.samples[0];
      const Tensors inputs = place_all(row, sample, draw(row, sample, dtype), dtype);
      try {
        row.call.run(inputs);
        ADD_FAILURE() << "not refused";
      } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find(name_of(dtype)), std::string::npos)
            << error.what();
      }
    }
  });
  std::cout << right << " calls over the nine element types right, " << refused << " refused\n";
}

// 16-bit types are computed in float32 and rounded once: the bits of the float32 result, rounded.
TEST(Ops, HalvesAreRoundedOnce) {
  int right = 0;
  std::map<std::string, int> wrong;
  for_each_row([&](const OpCase& row) {
    if (!(row.types & kHalves) || row.in_place || operation_of(row) == "bernoulli") return;
    for (const DType dtype : {kBFloat16, kFloat16}) {
      for (const Sample& sample : row.samples) {
        const Arrays arrays = draw(row, sample, dtype);
        const Tensors halves = row.call.run(place_all(row, sample, arrays, dtype));
        const Tensors floats = row.call.run(place_all(row, sample, arrays, kFloat32));
        for (std::size_t o = 0; o < halves.size(); ++o) {
          const Tensor rounded = floats[o].to(halves[o].dtype());
          if (same_bits(read(halves[o]), read(rounded)))
            ++right;
          else
            ++wrong[operation_of(row)];
        }
      }
    }
  });
  for (const auto& [operation, count] : wrong)
    EXPECT_EQ(operation, "cross_entropy") << "rounded more than once in " << count << " results";
  std::cout << right << " 16-bit results with the bits of float32's, rounded\n";
}

TEST(Ops, WrongCallsSayWhatIsWrong) {
  int calls = 0;
  std::map<std::string, int> counts;
  for_each_row([&](const OpCase& row) {
    counts[operation_of(row)] += static_cast<int>(row.wrong.size());
    for (const WrongCall& wrong : row.wrong) {
      SCOPED_TRACE(wrong.words);
      ++calls;
      Fault fault = Fault::argument;
      std::string message = "nothing was thrown";
      try {
        wrong.call();
      } catch (const std::invalid_argument& error) {
        message = error.what();
      } catch (const std::out_of_range& error) {
        message = error.what(), fault = Fault::index;
      } catch (const std::logic_error& error) {
        message = error.what(), fault = Fault::order;
      } catch (const std::runtime_error& error) {
        message = error.what(), fault = Fault::world;
      }
      EXPECT_NE(message.find(wrong.words), std::string::npos) << message;
      EXPECT_EQ(static_cast<int>(fault), static_cast<int>(wrong.fault)) << message;
    }
  });
  for (const auto& [operation, count] : counts)
    EXPECT_GE(count, 2) << operation << " needs two wrong calls";
  std::cout << calls << " wrong calls\n";
}

TEST(Ops, SameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  int calls = 0;
  for_each_row([&](const OpCase& row) {
    if (row.large.empty()) return;
    for (const DType dtype : main_types(row)) {
      set_num_threads(1);
      Arrays one;
      for (const Tensor& output :
           check_values(row, row.large, dtype, Arrangement::contiguous, row.call, 64))
        one.push_back(read(output));
      const Arrays arrays = draw(row, row.large, dtype);
      for (const auto& [threads, arrangement] : kManyThreads) {
        SCOPED_TRACE(std::to_string(threads) + " threads");
        set_num_threads(threads);
        const Tensors outputs = row.call.run(place_all(row, row.large, arrays, dtype, arrangement));
        for (std::size_t o = 0; o < one.size(); ++o)
          EXPECT_TRUE(same_bits(read(outputs[o]), one[o]));
        ++calls;
      }
    }
  });
  set_num_threads(before);
  std::cout << calls << " calls with 2, 3 and 8 threads gave the bits of one\n";
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> names_in(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    names.insert((*at)[1]);
  return names;
}

// The operations as the headers declare them: what is not in the table is not proven.
TEST(Ops, EveryPublicOperationHasARow) {
  const std::string root = LEVIN_TEST_DIR "/../";
  std::set<std::string> wanted =
      names_in(text_of(root + "kernels/ops.def"), R"(\n(?:OP|FORMULA)\((\w+),)");
  for (const std::string& name : names_in(text_of(root + "kernels/ops.def"), R"(\nOP\((\w+),)"))
    wanted.insert(name + "_");
  const std::string declared =
      R"(\n *(?:inline )?(?:const )?(?:Tensor&?|std::pair<Tensor, Tensor>|std::vector<Tensor>) (\w+)\()";
  for (const char* header :
       {"tensor/operations.inc", "autograd/ops.h", "autograd/losses.h", "autograd/linalg.h"})
    wanted.merge(names_in(text_of(root + header), declared.c_str()));
  wanted.erase("add_scaled");  // add with alpha
  wanted.erase("gelu_tanh");   // a form of gelu
  if (text_of(root + "tensor/operations.inc").find("operator[](const Indices&") !=
      std::string::npos)
    wanted.insert("brackets");
  wanted.erase("name");  // the pattern of a macro
  EXPECT_GT(wanted.size(), 60u) << "the headers are not written as this test reads them";
  std::set<std::string> rows;
  for (const OpCase& row : op_cases()) rows.insert(operation_of(row));
  for (const std::string& name : wanted)
    EXPECT_TRUE(rows.count(name)) << name << " has no row in the op_cases_*.cpp files";
  for (const std::string& name : rows)
    EXPECT_TRUE(wanted.count(name)) << name << " has a row but no declaration";
}

}  // namespace
}  // namespace levin
