// What levin asks of NVIDIA's driver before it loads its CUDA module: one device.
extern "C" {
[[gnu::visibility("default")]] int cuInit(unsigned) { return 0; }
[[gnu::visibility("default")]] int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}
}
