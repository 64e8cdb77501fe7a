// A user's first program: the umbrella header, and a step of training from the library behind it.
#include <levin/levin.h>

#include <cstdio>

int main() {
  levin::nn::Linear layer(3, 1);
  levin::optim::SGD optimizer(layer.parameters(), {.lr = 0.1});
  const levin::Tensor x = levin::randn({8, 3}), gt = levin::randn({8, 1});
  const double before = levin::mse_loss(layer(x), gt).item();
  levin::mse_loss(layer(x), gt).backward();
  optimizer.step();
  const double after = levin::mse_loss(layer(x), gt).item();
  std::printf("levin " LEVIN_VERSION ": loss %g, after a step %g\n", before, after);
  return after < before ? 0 : 1;
}
