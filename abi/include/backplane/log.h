/* SPDX-License-Identifier: Apache-2.0 */
/* bp.log/1: structured log lines. Offered by the host; carries the instance's name by itself. */
#ifndef BACKPLANE_LOG_H
#define BACKPLANE_LOG_H

#include <backplane/abi.h>

#define BP_LOG_ID "bp.log/1"

#define BP_LOG_DEBUG 0u
#define BP_LOG_INFO 1u
#define BP_LOG_WARN 2u
#define BP_LOG_ERROR 3u

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_log {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [any-thread] 1: a line of this level would be written. */
  uint32_t (*enabled)(void* context, uint32_t level);

  /* [any-thread] request_id may be empty. Lines are cut at 8 KiB. Never pass a secret. */
  void (*write)(void* context, uint32_t level, bp_str request_id, bp_str message,
                const bp_pair* fields, uint64_t field_count);
} bp_log;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_LOG_H */
