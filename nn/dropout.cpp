#include "dropout.h"

#include <sstream>

namespace levin::inline v0::nn {

Dropout::Dropout(double its_p) : p(its_p) {
  check(p >= 0 && p <= 1, {"Dropout: p is ", p, ": it must lie in [0, 1]"});
}

std::string Dropout::extra_text() const {
  std::ostringstream text;
  text << "p " << p;
  return text.str();
}

}  // namespace levin::inline v0::nn
