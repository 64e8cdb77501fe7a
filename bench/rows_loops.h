// The loops of rows_by_hand.h with vectors of kWidth numbers. rows_by_hand.cpp includes them once for
// each instruction set. (A function's vectors are cut to what it may use before it is inlined, so
// widest.h cannot help.)

using Vector [[gnu::vector_size(kWidth * 4), gnu::aligned(4)]] = float;
using Whole [[gnu::vector_size(kWidth * 4), gnu::aligned(4)]] = int32_t;

INSIDE Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
INSIDE void store(const Vector& v, float* to) { *reinterpret_cast<Vector*>(to) = v; }
INSIDE float total(Vector v) {
  float sum = 0;
  for (int i = 0; i < kWidth; ++i) sum += v[i];
  return sum;
}
INSIDE Vector larger(Vector a, Vector b) { return a > b ? a : b; }

// Cephes' expf for x <= 0, flushed to 0 below 2^-126.
INSIDE Vector exp(Vector x) {
  x = x > -87.0f ? x : Vector{} - 87.0f;
  const Vector magic = Vector{} + 12582912.0f;
  const Vector n = (x * 1.44269504088896341f + magic) - magic;
  Vector r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vector y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  const Whole power = (__builtin_convertvector(n, Whole) + 127) << 23;
  return y * __builtin_bit_cast(Vector, power);
}

// Whole rows one after the other, eight at a time: the sums stay in the cache.
void sum_columns(const float* x, int64_t rows, int64_t stride, int64_t columns, float* out) {
  for (int64_t c = 0; c < columns; ++c) out[c] = 0;
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const float* row = x + r * stride;
    int64_t c = 0;
    for (; c + kWidth <= columns; c += kWidth) {
      Vector sum = load(out + c);
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) sum += load(row + k * stride + c);
      store(sum, out + c);
    }
    for (; c < columns; ++c)
      for (int k = 0; k < 8; ++k) out[c] += row[k * stride + c];
  }
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) out[c] += x[r * stride + c];
}

void sum_rows(const float* x, int64_t rows, int64_t n, float* out) {
  for (int64_t r = 0; r < rows; ++r, x += n) {
    Vector a{}, b{}, c{}, d{};
    int64_t i = 0;
    for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
      a += load(x + i);
      b += load(x + i + kWidth);
      c += load(x + i + 2 * kWidth);
      d += load(x + i + 3 * kWidth);
    }
    float sum = total((a + b) + (c + d));
    for (; i < n; ++i) sum += x[i];
    out[r] = sum;
  }
}

// Three passes over a row that is in the cache: largest, exponentials, slopes.
float cross_entropy(const float* x, const int64_t* target, int64_t rows, int64_t n, float scale,
                    float* slopes) {
  std::vector<float> own(n);
  float loss = 0;
  for (int64_t r = 0; r < rows; ++r, x += n) {
    float* e = slopes ? slopes + r * n : own.data();
    int64_t i = 0;
    Vector most[4];
    for (Vector& m : most) m = Vector{} - INFINITY;
    for (; i + 4 * kWidth <= n; i += 4 * kWidth)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) most[k] = larger(most[k], load(x + i + k * kWidth));
    for (; i + kWidth <= n; i += kWidth) most[0] = larger(most[0], load(x + i));
    const Vector best = larger(larger(most[0], most[1]), larger(most[2], most[3]));
    float largest = best[0];
    for (int k = 1; k < kWidth; ++k) largest = best[k] > largest ? best[k] : largest;
    for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;

    Vector sums{};
    for (i = 0; i + kWidth <= n; i += kWidth) {
      const Vector y = exp(load(x + i) - largest);
      store(y, e + i);
      sums += y;
    }
    float sum = total(sums);
    if (i < n) {
      Vector last = Vector{} - INFINITY;
      for (int64_t k = i; k < n; ++k) last[k - i] = x[k];
      const Vector y = exp(last - largest);
      for (int64_t k = i; k < n; ++k) sum += e[k] = y[k - i];
    }
    loss += std::log(sum) - (x[target[r]] - largest);
    if (!slopes) continue;
    const float factor = scale / sum;
    for (i = 0; i + kWidth <= n; i += kWidth) store(load(e + i) * factor, e + i);
    for (; i < n; ++i) e[i] *= factor;
    e[target[r]] -= scale;
  }
  return loss;
}

// Mean and variance from sum and sum of squares, in one pass. n is a multiple of 32.
void layer_norm(const float* x, const float* weight, const float* bias, int64_t rows, int64_t n,
                float* mean, float* scale, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    Vector a{}, b{}, aa{}, bb{};
    for (int64_t i = 0; i + 2 * kWidth <= n; i += 2 * kWidth) {
      const Vector u = load(x + i), v = load(x + i + kWidth);
      a += u, b += v, aa += u * u, bb += v * v;
    }
    const float count = static_cast<float>(n);
    const float m = total(a + b) / count, var = total(aa + bb) / count - m * m;
    const float s = 1 / std::sqrt(var + 1e-5f);
    mean[r] = m, scale[r] = s;
    for (int64_t i = 0; i < n; i += kWidth)
      store((load(x + i) - m) * s * load(weight + i) + load(bias + i), y + i);
  }
}

void layer_norm_backward(const float* x, const float* weight, const float* mean, const float* scale,
                         const float* g, int64_t rows, int64_t n, float* dx, float* dweight,
                         float* dbias) {
  for (int64_t r = 0; r < rows; ++r, x += n, g += n, dx += n) {
    const float m = mean[r], s = scale[r];
    Vector sum_d{}, sum_dh{};
    for (int64_t i = 0; i < n; i += kWidth) {
      const Vector slope = load(g + i), h = (load(x + i) - m) * s, d = slope * load(weight + i);
      sum_d += d;
      sum_dh += d * h;
      store(load(dweight + i) + slope * h, dweight + i);
      store(load(dbias + i) + slope, dbias + i);
    }
    const float d1 = total(sum_d) / static_cast<float>(n),
                d2 = total(sum_dh) / static_cast<float>(n);
    for (int64_t i = 0; i < n; i += kWidth)
      store(s * (load(g + i) * load(weight + i) - d1 - (load(x + i) - m) * s * d2), dx + i);
  }
}

float mse(const float* x, const float* target, int64_t n) {
  Vector a{}, b{};
  int64_t i = 0;
  for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
    const Vector u = load(x + i) - load(target + i);
    const Vector v = load(x + i + kWidth) - load(target + i + kWidth);
    a += u * u, b += v * v;
  }
  float sum = total(a + b);
  for (; i < n; ++i) sum += (x[i] - target[i]) * (x[i] - target[i]);
  return sum;
}

void mse_backward(const float* x, const float* target, float scale, int64_t n, float* out) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(scale * (load(x + i) - load(target + i)), out + i);
  for (; i < n; ++i) out[i] = scale * (x[i] - target[i]);
}
