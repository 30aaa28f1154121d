/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.http/1: an HTTP client. Offered by the host: pools of kept-alive connections per loop, TLS
 * with verification, timeouts, streaming with back-pressure, bounds. HTTP/1.1.
 */
#ifndef BACKPLANE_HTTP_H
#define BACKPLANE_HTTP_H

#include <backplane/abi.h>

#define BP_HTTP_ID "bp.http/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_http_exchange bp_http_exchange;

/* Timeouts in milliseconds; 0: the host's default (10 s, 300 s, 120 s, none). */
typedef struct bp_http_request {
  uint32_t struct_size;
  uint32_t connect_timeout_ms;
  uint32_t first_byte_timeout_ms; /* from the last byte sent to the response's head */
  uint32_t idle_timeout_ms;       /* between two reads of the body, while not paused */
  uint32_t total_timeout_ms;
  uint32_t reserved0;
  bp_loop* loop;
  bp_str method;
  bp_str url;             /* "https://host[:port]/path?query" */
  const bp_pair* headers; /* Host, Content-Length and Connection are the host's */
  uint64_t header_count;
  const bp_str* body; /* sent in order; the bytes stay valid until the exchange has ended */
  uint64_t body_count;
  /* Sent after `body`, or null: valid until the exchange has ended. Of unknown size: chunked. A
     response that comes before its end is delivered, and the connection is not used again. */
  const bp_body_stream* body_stream;
} bp_http_request;

/*
 * What comes back, all [loop], never from inside send. Exactly one of done and failed ends the
 * exchange, unless it was cancelled: then nothing follows.
 */
typedef struct bp_http_handler {
  uint32_t struct_size;
  uint32_t reserved0;
  /* The final status (1xx are dropped), names in lower case. Borrowed. */
  void (*head)(void* context, uint32_t status, const bp_pair* headers, uint64_t header_count);
  /* The next bytes of the body, unframed. Answers a BP_FLOW_*; STOP cancels. */
  uint32_t (*data)(void* context, bp_str bytes);
  void (*done)(void* context);
  /* UNAVAILABLE: not reached, or broken off; DEADLINE_EXCEEDED: a timeout, named; DATA_LOSS: the
     response ended early; INVALID_ARGUMENT: the peer does not speak HTTP/1.1; ABORTED: body_stream
     failed or broke its word. No address inside. */
  void (*failed)(void* context, const bp_error* error);
} bp_http_handler;

typedef struct bp_http {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [loop: request->loop] The request is borrowed (but for the body's bytes); handler stays valid
     until the end. `out` is valid until done, failed or cancel. Fails only for a bad request. */
  uint32_t (*send)(void* context, const bp_http_request* request, const bp_http_handler* handler,
                   void* handler_context, bp_http_exchange** out, bp_error* error);
  /* [loop] After PAUSE: deliver again. */
  void (*resume)(bp_http_exchange* exchange);
  /* [loop] Ends it now and closes its connection. */
  void (*cancel)(bp_http_exchange* exchange);
} bp_http;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_HTTP_H */
