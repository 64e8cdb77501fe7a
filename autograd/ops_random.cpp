#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {}
