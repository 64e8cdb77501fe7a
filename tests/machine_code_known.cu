// Kernels whose machine code is known: machine_code_test.cpp shows by them what it can see.
template <class T>
__global__ void move(const T* from, T* to) {
  to[threadIdx.x] = from[threadIdx.x];
}
template __global__ void move(const unsigned char*, unsigned char*);
template __global__ void move(const short*, short*);
template __global__ void move(const float*, float*);
template __global__ void move(const float2*, float2*);
template __global__ void move(const float4*, float4*);

template <class T>
__global__ void multiply_add(const T* x, T* y) {
  y[threadIdx.x] = x[0] * x[1] + x[2];
}
template __global__ void multiply_add(const float*, float*);
template __global__ void multiply_add(const double*, double*);

__global__ void either(const float* from, float* to, bool shared) {
  __shared__ float tile[64];
  tile[threadIdx.x] = from[threadIdx.x];
  __syncthreads();
  float* const at = shared ? tile : to;
  at[threadIdx.x ^ 1] += 1;
  __syncthreads();
  to[64 + threadIdx.x] = tile[threadIdx.x];
}

// 64 ints that no register can hold, since they are reached by a number.
__global__ void array(const int* from, int* to, int n) {
  int kept[64];
  for (int i = 0; i < n; ++i) kept[from[i] & 63] = i;
  to[threadIdx.x] = kept[threadIdx.x & 63];
}

// More numbers at a time than 1024 threads have registers for.
__global__ void __launch_bounds__(1024) spills(const float* from, float* to) {
  float kept[96];
#pragma unroll
  for (int i = 0; i < 96; ++i) kept[i] = from[threadIdx.x + 1024 * i];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; ++i) to[threadIdx.x + 1024 * (95 - i)] = kept[i] * kept[(7 * i + 3) % 96];
}

__global__ void add(float* to) { atomicAdd(to, 1.0f); }
__global__ void add_double(double* to) { atomicAdd(to, 1.0); }
__global__ void add_and_tell(int* to, int* before) { before[threadIdx.x] = atomicAdd(to, 1); }
__global__ void greatest(int* to) { atomicMax(to, static_cast<int>(threadIdx.x)); }
__global__ void exchange(int* to, int* before) { before[threadIdx.x] = atomicExch(to, 1); }
__global__ void compare_and_swap(int* to, int* before) {
  before[threadIdx.x] = atomicCAS(to, 1, 2);
}
__global__ void add_either(int* to, bool shared) {
  __shared__ int tile[64];
  tile[threadIdx.x] = 0;
  __syncthreads();
  to[64 + threadIdx.x] = atomicAdd(shared ? tile : to, 1) + tile[threadIdx.x ^ 1];
}
__global__ void add_shared(const int* from, int* to) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, from[threadIdx.x]);
  __syncthreads();
  to[threadIdx.x] = sum;
}
__global__ void add_shared_float(const float* from, float* to) {
  __shared__ float sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, from[threadIdx.x]);
  __syncthreads();
  to[threadIdx.x] = sum;
}
