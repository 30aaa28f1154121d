// SPDX-License-Identifier: Apache-2.0
// The loop of operators that treat each element alike.
#pragma once

#include <cstddef>

#include "kernels/cpu/thread_pool.hpp"

namespace backplane::kernels::cpu {

// Calls body(t) for every row t below `rows` of `columns` elements, from any thread of the pool.
// Rows stay whole: where a range ends decides which elements a SIMD loop leaves to its scalar tail.
template <class Body>
void for_each_row(ThreadPool& pool, std::size_t rows, std::size_t columns, const Body& body) {
  constexpr std::size_t kChunkElements = 16384;
  pool.for_each_chunk(rows, kChunkElements / (columns + 1) + 1,
                      [&](std::size_t begin, std::size_t end) {
                        for (std::size_t t = begin; t < end; ++t) body(t);
                      });
}

}  // namespace backplane::kernels::cpu
