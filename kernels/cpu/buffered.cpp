// Brings any operand to the tile function, by buffers that stay in the first-level cache: tiles of at
// most 512 elements in row-major order, or, where an operand is transposed, blocks of short rows.
#include "buffered.h"

#include <algorithm>

#include "../pool.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kTile = 512, kBuffer = 2 * kTile;
constexpr int64_t kBlockRows = 16, kBlockColumns = kBuffer / kBlockRows;
constexpr int64_t kLongRow = 128;  // worth a tile of its own

// How one operand comes to the tile function: where it lies, or through a buffer.
struct Source {
  enum Kind {
    absent,
    in_place,  // contiguous, of the compute type
    constant,  // one number
    periodic,  // a short row, the same again and again: so often in the buffer that it can be read
               // from any of its elements on
    transposed,  // by blocks
    gathered
  } kind = absent;
  DType dtype;
  const char* data;  // the block's
  int64_t offset, period;
  Walk walk;

  Source() {}
  void find(const Arg& arg, DType compute) {
    if (!arg.block) return;
    const Layout& layout = *arg.layout;
    dtype = layout.dtype;
    data = static_cast<const char*>(arg.block->data);
    offset = layout.offset;
    if (dtype == compute && layout.contiguous()) {
      kind = in_place;
    } else if (layout.repeats_one()) {
      kind = constant;
    } else {
      walk = Walk(layout);
      period = walk.period();
      kind = period && period <= kTile ? periodic : walk.transposed() ? transposed : gathered;
    }
  }
};

template <class T>
struct Buffers {
  alignas(64) T in[4][kBuffer];
  alignas(64) T results[kTile];
};

template <class T>
class Run {
 public:
  Run(const ElementwiseCall& call, TileFunction tile, DType result, int64_t n)
      : call_(call), tile_(tile), result_(result), n_(n), out_(*call.out.layout) {
    for (int i = 0; i < 4; ++i) {
      Source& source = sources_[i];
      source.find(call.in[i], call.compute);
      if (call.number_mask >> i & 1) {
        source.kind = Source::constant;
        constants_[i] = convert_to<T>(call.numbers[3 - i]);
      } else if (source.kind == Source::constant) {
        constants_[i] = element_as<T>(source.data, source.offset, source.dtype);
      }
      if (source.kind == Source::transposed) add_plane(source);
      if (source.kind == Source::gathered && source.walk.row() >= kLongRow)
        row_ = std::min(row_, source.walk.row());
    }
    out_in_place_ = out_.dtype == result && out_.contiguous();
  }

  void run() const {
    if (blocked_) {
      const int64_t blocks = n_ / (plane_.rows * plane_.columns) * blocks_down() * blocks_across();
      parallel_for(blocks, kElementGrain / kBuffer, [this](int64_t begin, int64_t end) {
        Buffers<T> buffers;
        fill(buffers);
        for (int64_t block = begin; block < end; ++block) run_block(buffers, block);
      });
    } else {
      parallel_for(n_, kElementGrain, [this](int64_t begin, int64_t end) {
        Buffers<T> buffers;
        fill(buffers);
        run_tiles(buffers, begin, end);
      });
    }
  }

 private:
  // The first transposed operand decides on the blocks; others of the same shape go with it.
  void add_plane(Source& source) {
    const Walk::Plane plane = source.walk.plane();
    if (!blocked_) {
      plane_ = plane;
      blocked_ = true;
    } else if (plane.rows != plane_.rows || plane.columns != plane_.columns) {
      source.kind = Source::gathered;
    }
  }
  int64_t blocks_down() const { return (plane_.rows + kBlockRows - 1) / kBlockRows; }
  int64_t blocks_across() const { return (plane_.columns + kBlockColumns - 1) / kBlockColumns; }

  // What stays in the buffers for all tiles.
  void fill(Buffers<T>& buffers) const {
    for (int i = 0; i < 4; ++i) {
      const Source& source = sources_[i];
      if (source.kind == Source::constant)
        std::fill_n(buffers.in[i], std::min(n_, kTile), constants_[i]);
      if (source.kind == Source::periodic) {
        T* buffer = buffers.in[i];
        const int64_t wanted = std::min(n_, kTile + source.period);
        gather_tile(source.walk, source.dtype, source.data, 0, source.period, buffer);
        for (int64_t filled = source.period; filled < wanted; filled *= 2)
          std::copy_n(buffer, std::min(filled, wanted - filled), buffer + filled);
      }
    }
  }

  // Rows are cut into tiles of nearly equal length.
  void run_tiles(Buffers<T>& buffers, int64_t begin, int64_t end) const {
    const int64_t pieces = (row_ + kTile - 1) / kTile;
    const int64_t piece = std::min(kTile, ((row_ + pieces - 1) / pieces + 15) / 16 * 16);
    for (int64_t at = begin; at < end;) {
      const int64_t count = std::min({piece, row_ - at % row_, end - at});
      run_tile(buffers, at, count, 0);
      at += count;
    }
  }

  void run_block(Buffers<T>& buffers, int64_t block) const {
    const int64_t across = block % blocks_across(), down = block / blocks_across() % blocks_down(),
                  plane = block / blocks_across() / blocks_down();
    const int64_t row = down * kBlockRows, column = across * kBlockColumns;
    const int64_t rows = std::min(kBlockRows, plane_.rows - row),
                  columns = std::min(kBlockColumns, plane_.columns - column);
    const int64_t start = (plane * plane_.rows + row) * plane_.columns + column;
    for (int i = 0; i < 4; ++i)
      if (sources_[i].kind == Source::transposed)
        gather_block(sources_[i], start, rows, columns, buffers.in[i]);
    for (int64_t r = 0; r < rows; ++r)
      run_tile(buffers, start + r * plane_.columns, columns, r * kBlockColumns);
  }

  // Down the columns, in which neighbours lie close.
  static void gather_block(const Source& source, int64_t start, int64_t rows, int64_t columns,
                           T* buffer) {
    const Walk::Plane plane = source.walk.plane();
    with_type(source.dtype, [&](auto element) {
      using S = decltype(element);
      const S* from = reinterpret_cast<const S*>(source.data) + source.walk.run_at(start).at;
      for (int64_t c = 0; c < columns; ++c)
        for (int64_t r = 0; r < rows; ++r)
          buffer[r * kBlockColumns + c] =
              convert_from<T>(from[c * plane.column_stride + r * plane.row_stride]);
    });
  }

  // `in_block`: where the row of a transposed operand lies in its buffer.
  void run_tile(Buffers<T>& buffers, int64_t at, int64_t count, int64_t in_block) const {
    const void* in[4];
    for (int i = 0; i < 4; ++i) in[i] = operand(sources_[i], at, count, in_block, buffers.in[i]);
    if (out_in_place_) {
      char* to = static_cast<char*>(call_.out.block->data);
      tile_(in, to + (out_.offset + at) * item_size(result_), call_.numbers, count);
    } else {
      tile_(in, buffers.results, call_.numbers, count);
      put_results(at, count, buffers.results);
    }
  }

  static const void* operand(const Source& source, int64_t at, int64_t count, int64_t in_block,
                             T* buffer) {
    switch (source.kind) {
      case Source::absent:
        return nullptr;
      case Source::in_place:
        return source.data + (source.offset + at) * sizeof(T);
      case Source::constant:
        return buffer;
      case Source::periodic:
        return buffer + at % source.period;
      case Source::transposed:
        return buffer + in_block;
      case Source::gathered:
        break;
    }
    const Walk::Run run = source.walk.run_at(at);
    if (run.stride == 1 && run.count >= count && source.dtype == DTypeOf<T>::value)
      return source.data + run.at * sizeof(T);
    gather_tile(source.walk, source.dtype, source.data, at, count, buffer);
    return buffer;
  }

  // Those of predicates are bools.
  void put_results(int64_t at, int64_t count, const T* results) const {
    const Walk to(out_);
    void* data = call_.out.block->data;
    if (result_ != kBool) return scatter_tile(to, out_.dtype, data, at, count, results);
    int64_t widened[kTile];
    for (int64_t j = 0; j < count; ++j) widened[j] = reinterpret_cast<const bool*>(results)[j];
    scatter_tile(to, out_.dtype, data, at, count, widened);
  }

  const ElementwiseCall& call_;
  const TileFunction tile_;
  const DType result_;
  const int64_t n_;
  const Layout& out_;
  bool out_in_place_;
  Source sources_[4];
  T constants_[4];
  int64_t row_ = kElementGrain;  // the shortest of the long rows, or no row's length
  bool blocked_ = false;
  Walk::Plane plane_{};
};

}  // namespace

void run_buffered(const ElementwiseCall& call, TileFunction tile, DType result, int64_t n) {
  with_compute_type(call.compute,
                    [&](auto zero) { Run<decltype(zero)>(call, tile, result, n).run(); });
}

}  // namespace levin::inline v0::cpu
