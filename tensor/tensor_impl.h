// TensorImpl: what a Tensor points to.
#pragma once

#include "../kernels/block.h"
#include "../kernels/layout.h"
#include "node_base.h"

namespace levin::inline v0 {

/// Memory, layout and history of a tensor. Handles that are copies of each other share it.
struct TensorImpl {
  std::atomic<uint32_t> refs{1};
  /// Block::history when this handle last agreed with it: an in-place operation on another view
  /// moves that on.
  uint32_t history;
  /// Made by a view of another tensor.
  bool is_view = false;
  /// A view made under NoGrad of a tensor that requires a gradient.
  bool without_history = false;
  /// Row-major without gaps? As the layout says, so that not every operation has to work it out.
  bool contiguous;
  /// The number of elements, likewise.
  int64_t numel;
  /// Of a view that gradients flow through: the tensor at the start of its chain of views.
  Ref<TensorImpl> base;
  Ref<Block> block;
  /// The node that made it, or the leaf's node; null where no gradient is wanted.
  Ref<NodeBase> node;
  /// The leaf's node, with its gradient, while requires_grad_(false) holds.
  Ref<NodeBase> resting;
  Layout layout;
  TensorImpl* next_free;

  TensorImpl(Ref<Block> its_block, const Layout& its_layout)
      : history(its_block->history),
        contiguous(its_layout.contiguous()),
        numel(its_layout.numel()),
        block(std::move(its_block)),
        layout(its_layout) {}
  /// Row-major without gaps, of a shape of `its_numel` elements.
  TensorImpl(Ref<Block> its_block, const Shape& shape, int64_t its_numel, DType dtype)
      : history(its_block->history),
        contiguous(true),
        numel(its_numel),
        block(std::move(its_block)),
        layout(Layout::of(shape, dtype)) {}
  /// For a free one (see release()) that is used again with its memory.
  void renew(const Shape& shape, int64_t its_numel, DType dtype) {
    refs.store(1, std::memory_order_relaxed);
    history = 0;
    is_view = without_history = false;
    contiguous = true;
    numel = its_numel;
    layout.become(shape, dtype);
  }
  void release();
};

}  // namespace levin::inline v0
