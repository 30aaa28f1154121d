/* SPDX-License-Identifier: Apache-2.0 */
/* bp.secrets/1: the values behind the references that settings carry. Offered by the host. */
#ifndef BACKPLANE_SECRETS_H
#define BACKPLANE_SECRETS_H

#include <backplane/abi.h>

#define BP_SECRETS_ID "bp.secrets/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_secrets {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [any-thread] `reference` as found in the settings. `out` is wiped when released. NOT_FOUND for
     a reference of another instance. Never log, never put into an error. */
  uint32_t (*get)(void* context, bp_str reference, bp_buffer* out, bp_error* error);
} bp_secrets;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_SECRETS_H */
