/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.kv/1: a small shared store with expiry: what a payment plugin needs against replay. Offered by
 * the host; keys are private to the instance. Keys up to 512 bytes, values up to 64 KiB.
 */
#ifndef BACKPLANE_KV_H
#define BACKPLANE_KV_H

#include <backplane/abi.h>

#define BP_KV_ID "bp.kv/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_kv {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [any-thread] NOT_FOUND where there is none or it has expired. */
  uint32_t (*get)(void* context, bp_str key, bp_buffer* out, bp_error* error);

  /* [any-thread] ALREADY_EXISTS where there is one. ttl_ms 0: for ever. RESOURCE_EXHAUSTED: full.
   */
  uint32_t (*put_if_absent)(void* context, bp_str key, bp_str value, uint64_t ttl_ms,
                            bp_error* error);

  /* [any-thread] Replaces `expected` by `value`; ABORTED where the value is another, NOT_FOUND
     where there is none. An empty `value` removes the key. */
  uint32_t (*compare_and_swap)(void* context, bp_str key, bp_str expected, bp_str value,
                               uint64_t ttl_ms, bp_error* error);
} bp_kv;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_KV_H */
