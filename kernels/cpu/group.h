// Group: elementwise calls, copies and whole sums of a replay that run over the same elements. They
// run together, tile after tile, so that what one leaves for the next stays in the first-level
// cache, and each element is read from memory once.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "../calls.h"
#include "command.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {

class Group final : public Command {
 public:
  /// The number of elements that a call runs over, where it can be part of a group; else -1.
  static int64_t elements_of(const Call& call);
  /// Most sums in a group.
  static constexpr int kMaxSums = 8;
  /// Is it a sum, whose result is there only after the group?
  static bool is_sum(const Call& call) { return std::holds_alternative<ReduceCall>(call); }

  /// All of `calls` run over n elements, in this order. `temporaries` are blocks that only they use,
  /// from the first byte on without gaps.
  Group(int64_t n, const std::vector<const Call*>& calls,
        const std::vector<const Block*>& temporaries);

  /// Does the block stay in tiles, so that it needs no memory?
  bool is_local(const Block* block) const { return locals_.contains(block); }

  const char* run() noexcept override;

 private:
  static constexpr int64_t kTile = 1024, kShortTile = 512, kGrain = 32768;
  static constexpr int64_t kInCache = 256
                                      << 10;  // bytes of operands that need not be fetched ahead
  // Not a multiple of a page, or all tiles would lie in the same lines of the cache.
  static constexpr int64_t kTileBytes = kTile * 8 + 320;
  static constexpr int kSlots = 12, kBuffers = 6;  // tiles of locals; what operands are gathered in

  // A local block's tile, from the call that writes it first to the last that uses it.
  struct Local {
    int slot, first, last;
  };
  // Where a step finds element i: at *base + start + i * size, or in a tile from its beginning on,
  // where base is null. Others are brought to a tile first.
  struct Operand {
    enum Kind : uint8_t { direct, repeated, gathered } kind = direct;
    void* const* base = nullptr;
    int64_t start = 0, size = 0;  // bytes
    DType dtype = kFloat32;
    int64_t offset = 0;  // elements; of repeated ones
    Walk walk;           // of gathered ones
  };
  struct Step {
    enum Kind : uint8_t { formula, convert, sum } kind = formula;
    TileFunction tile = nullptr;
    void (*widen)(const void* from, float* to, int64_t n) = nullptr;  // of a conversion
    double numbers[4] = {};
    DType compute, result;  // of what is read, and what comes out
    int operands = 0;       // that it reads: those in `in` whose places in the call are `place`
    Operand in[4], out;
    uint8_t place[4] = {};
    bool mean = false;
    int number = 0;  // of a sum
  };

  // An operand outside of the tiles, without gaps.
  struct Stream {
    void* const* base;
    int64_t start, size;  // bytes; of an element
    bool is_written;
  };

  struct Scratch;
  void make_local(const Block* block, const std::vector<const Call*>& calls);
  void add(const Call& call);
  static void add_input(Step& step, int place, Operand operand);
  Operand operand(const Arg& arg, DType wanted) const;
  void add_conversion(const CopyCall& call, Step& step) const;
  Operand constant(double value, DType compute);
  void note_streams();

  void fetch_ahead(int64_t at, int64_t share, int64_t shares) const;
  const void* bring(const Operand& from, DType compute, int64_t at, int64_t count, Scratch& scratch,
                    void* to) const;
  void scatter(const Step& step, const void* results, int64_t at, int64_t count,
               Scratch& scratch) const;
  void run_step(const Step& step, int64_t at, int64_t count, Scratch& scratch);
  void add_sum(const Step& step, const void* tile, int64_t at, int64_t count, Scratch& scratch);
  void finish_sum(const Step& step);
  // Sums of float32 and of float64 have the same room.
  template <class T>
  T* partials_of(const Step& step) const {
    return reinterpret_cast<T*>(partials_.get() + step.number * blocks_ * sizeof(double));
  }

  int64_t n_, blocks_, tile_ = kTile;
  int sums_ = 0;
  std::vector<Stream> streams_;  // where they are fetched ahead
  std::vector<Step> steps_;
  std::unordered_map<const Block*, Local> locals_;
  std::deque<std::vector<double>> constants_;  // a tile of each number
  std::deque<void*> constant_data_;
  std::unique_ptr<char[]> partials_;  // of each sum: one for each block of kSumBlock elements
};

}  // namespace levin::inline v0::cpu
