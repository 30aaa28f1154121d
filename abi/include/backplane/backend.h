/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.backend/1: serves calls. Offered by a plugin.
 *
 * Life: create, start, any number of submits, drain, stop, destroy. All but submit and describe are
 * [control]. Threads of the plugin's own are joined before stop returns.
 */
#ifndef BACKPLANE_BACKEND_H
#define BACKPLANE_BACKEND_H

#include <backplane/abi.h>

#define BP_BACKEND_ID "bp.backend/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_backend {
  uint32_t struct_size;
  uint32_t reserved0;

  /* Reads the settings; does not open a socket or load a model. `out` is the instance. */
  uint32_t (*create)(const bp_host* host, const bp_instance_options* options, void** out,
                     bp_error* error);

  /* Gets ready to serve; may take long (loads a model). */
  uint32_t (*start)(void* self, bp_error* error);

  /*
   * [loop] Takes the call and returns at once; events come through the sink, possibly before this
   * returns. On failure no event is ever emitted; an error of type UNSUPPORTED_PARAMETER names a
   * field that this backend cannot take, and the host tries another. The request is borrowed;
   * `sink` stays valid until the call is released.
   */
  uint32_t (*submit)(void* self, const bp_request* request, const bp_sink* sink, bp_call** out,
                     bp_error* error);

  /* New calls will not come; running ones have until deadline_ns. Returns at once. */
  void (*drain)(void* self, int64_t deadline_ns);

  /* No call is running any more. Joins every thread. */
  void (*stop)(void* self);
  void (*destroy)(void* self);

  /*
   * [any-thread] After start; may block for as long as a lock is held, never for the network. `out`
   * is JSON: {"models": [...], "operations": ["chat.completions", ...]}. An empty model list means
   * any model name is passed on. The host asks again from time to time: models and prices may
   * change. Of a model:
   *   "id"               by which submit knows it
   *   "owned_by"?        a name
   *   "prices"?          {"input"?, "output"?}: USD per million tokens that the provider asks,
   *                      numbers or decimal numbers in strings ("0.59")
   *   "context_length"?  tokens
   *   "modalities"?      {"input"?: ["text", "image", "audio", "video", "file"], "output"?: [...]}
   *   "privacy"?         the most that the provider offers: "none" (it may keep and learn from what
   *                      it gets), "anonymized" (so does one behind it, not knowing from whom),
   *                      "private" (nothing is kept), "tee", "e2ee". Absent: unknown
   * What the host does not know it passes over.
   */
  uint32_t (*describe)(void* self, bp_buffer* out, bp_error* error);
} bp_backend;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_BACKEND_H */
