// The samples of the table of operations as tensors, and how the tests run a row on them.
#pragma once

#include <gtest/gtest.h>

#include "op_cases.h"

namespace levin {

/// The numbers of a sample for values of this type: the same every time. For the expanded
/// arrangement, its first slices repeated.
Arrays draw(const OpCase& row, const Sample& sample, DType dtype,
            Arrangement arrangement = Arrangement::contiguous);
/// The arrays as tensors. What an in-place operation writes to is never expanded.
Tensors place_all(const OpCase& row, const Sample& sample, const Arrays& arrays, DType dtype,
                  Arrangement arrangement = Arrangement::contiguous);
/// The same with gradients wanted of all values.
Tensors leaves(const OpCase& row, const Sample& sample, const Arrays& arrays, DType dtype,
               Arrangement arrangement = Arrangement::contiguous);
/// The values among the tensors of a sample.
Tensors values_of(const Sample& sample, const Tensors& tensors);

/// The call, but an in-place operation works on a copy where its argument is a leaf.
Tensors run_on_copy(const OpCase& row, const Tensors& tensors, const Call& call);

/// The arrangements in which a row's arguments may come, contiguous first.
std::vector<Arrangement> arrangements(const OpCase& row);

/// Which of Types it is.
unsigned group_of(DType dtype);

/// What a row's values are proven with, in every layout: float64 and float32, or int64 where it takes
/// no reals.
std::vector<DType> main_types(const OpCase& row);

/// How often the large samples are run again, with how many threads, and how their arguments lie.
inline constexpr std::pair<int, Arrangement> kManyThreads[] = {{2, Arrangement::contiguous},
                                                               {3, Arrangement::sliced},
                                                               {8, Arrangement::contiguous},
                                                               {8, Arrangement::contiguous}};

/// f for every row; what it throws is a failure that names the row.
void for_each_row(const std::function<void(const OpCase&)>& f);

struct Tolerance {
  double rtol, atol;
};
Tolerance tolerance(DType dtype, double slack);

}  // namespace levin
