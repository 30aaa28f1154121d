/* SPDX-License-Identifier: Apache-2.0 */
/* bp.clock/1: time and entropy. Offered by the host, so that a test can replace both. */
#ifndef BACKPLANE_CLOCK_H
#define BACKPLANE_CLOCK_H

#include <backplane/abi.h>

#define BP_CLOCK_ID "bp.clock/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_clock {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;
  int64_t (*monotonic_ns)(void* context);                     /* [any-thread] deadlines */
  int64_t (*unix_ns)(void* context);                          /* [any-thread] time of day */
  void (*random)(void* context, void* target, uint64_t size); /* [any-thread] unpredictable */
} bp_clock;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_CLOCK_H */
