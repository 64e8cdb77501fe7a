// What a program costs that does next to nothing; cost_of measures it.
#include <levin/autograd/ops.h>

int main() { return (levin::ones({2}) + 1).sum().item() == 4 ? 0 : 1; }
