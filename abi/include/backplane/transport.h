/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.transport/1: brings calls. Offered by a plugin: a protocol state machine over bp.net/1.
 * bp.gateway/1: takes them. Offered by the host.
 */
#ifndef BACKPLANE_TRANSPORT_H
#define BACKPLANE_TRANSPORT_H

#include <backplane/abi.h>

#define BP_TRANSPORT_ID "bp.transport/1"
#define BP_GATEWAY_ID "bp.gateway/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_transport {
  uint32_t struct_size;
  uint32_t reserved0;

  /* [control] Reads the settings. `out` is the instance. */
  uint32_t (*create)(const bp_host* host, const bp_instance_options* options, void** out,
                     bp_error* error);
  /* [control] Listens. Every backend is started by then. */
  uint32_t (*start)(void* self, bp_error* error);
  /* [control] Takes no new connection and no new call; finishes the old ones. Returns at once. */
  void (*drain)(void* self, int64_t deadline_ns);
  /* [control] Connections that are left are aborted by the host before this. */
  void (*stop)(void* self);
  void (*destroy)(void* self); /* [control] */
  /* [any-thread] `out` is JSON: {"listen": ["127.0.0.1:8080"]}, the addresses in use. */
  uint32_t (*describe)(void* self, bp_buffer* out, bp_error* error);
} bp_transport;

typedef struct bp_gateway {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /*
   * [loop: request->loop] Starts a call. The host scans the body for model, stream and limits,
   * applies its rules and routes it; every event, also every refusal after this returned OK, comes
   * through the sink on the same loop and never before begin has returned. A failure (the body is
   * not JSON, the model is unknown, the host drains) is final and emits nothing. With a
   * body_stream the host reads the form until it has met the model; then the backend reads.
   */
  uint32_t (*begin)(void* context, const bp_request* request, const bp_sink* sink, bp_call** out,
                    bp_error* error);

  /* [any-thread] `out` is JSON: an array of {"id", "object", "created", "owned_by"}. */
  uint32_t (*models)(void* context, bp_buffer* out, bp_error* error);

  /* [any-thread] 1: serving. 0: starting or draining. */
  uint32_t (*ready)(void* context);

  /* [any-thread] `out` is the metrics in Prometheus' text format. */
  uint32_t (*metrics)(void* context, bp_buffer* out, bp_error* error);

  /*
   * [any-thread] `out` is the JSON document that a backend gave with BP_EVENT_RECEIPT for the call
   * of this id. `metadata` is that of the request which asks: its credentials are those of the
   * call, or there is no such receipt (NOT_FOUND).
   */
  uint32_t (*receipt)(void* context, bp_str request_id, const bp_pair* metadata,
                      uint64_t metadata_count, bp_buffer* out, bp_error* error);
} bp_gateway;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_TRANSPORT_H */
