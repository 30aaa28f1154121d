/* SPDX-License-Identifier: Apache-2.0 */
/* bp.loop/1: the host's event loops, one per core. Offered by the host. */
#ifndef BACKPLANE_LOOP_H
#define BACKPLANE_LOOP_H

#include <backplane/abi.h>

#define BP_LOOP_ID "bp.loop/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_loop_service {
  uint32_t struct_size;
  uint32_t count; /* loops, fixed for the life of the host */
  void* context;

  /* [any-thread] index < count. */
  bp_loop* (*at)(void* context, uint32_t index);

  /* [any-thread] 1: the calling thread runs this loop. */
  uint32_t (*is_current)(bp_loop* loop);

  /* [any-thread] Runs the task on the loop, soon, in order, never inside this call. */
  void (*post)(bp_loop* loop, bp_task task, void* argument);

  /* [loop] Runs the task once, delay_ms from now. Returns the timer's name, never 0. */
  uint64_t (*post_after)(bp_loop* loop, uint64_t delay_ms, bp_task task, void* argument);

  /* [loop] 1: the task will not run. 0: it has run, or there is no such timer. */
  uint32_t (*cancel)(bp_loop* loop, uint64_t timer);
} bp_loop_service;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_LOOP_H */
