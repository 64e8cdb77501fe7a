// The mark of functions that run on the GPU too.
#pragma once

#ifdef __CUDACC__
#define LEVIN_HD __host__ __device__
#else
#define LEVIN_HD
#endif
