// SPDX-License-Identifier: Apache-2.0
// Included first by every SIMD operator file: names the targets Highway shall skip. The scalable
// ones (SVE, RVV) have no arrays of vectors, which the kernels keep as accumulators; SSSE3 without
// SSE4 is found in no processor worth compiling for.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
