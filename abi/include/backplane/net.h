/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.net/1: listeners and accepted connections as byte streams; sockets and TLS are the host's.
 * Offered by the host. A listener has one socket on every loop (SO_REUSEPORT); a connection lives
 * on the loop that accepted it.
 */
#ifndef BACKPLANE_NET_H
#define BACKPLANE_NET_H

#include <backplane/abi.h>

#define BP_NET_ID "bp.net/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_listener bp_listener;
typedef struct bp_connection bp_connection;

typedef struct bp_listen_options {
  uint32_t struct_size;
  uint32_t max_connections; /* 0: the host's default; those beyond wait in the backlog */
  bp_str address;           /* "127.0.0.1:8080", "[::]:8080"; port 0: any free one; "unix:PATH" */
  bp_str tls_certificate; /* path of a PEM chain; empty: no TLS. Read anew when the file changes */
  bp_str tls_key;         /* path of the PEM key */
  bp_str alpn;            /* protocols offered in TLS, best first: "h2,http/1.1"; empty: http/1.1 */
  uint32_t flags;         /* BP_LISTEN_* */
  /* While the peer leaves output pending it takes at least this many bytes a second over each
     timeout, else the timeout fires; 0: any progress restarts it. */
  uint32_t write_bytes_per_second_min;
} bp_listen_options;

/* Every connection begins with a header of the PROXY protocol, version 2 (haproxy.org,
   proxy-protocol.txt), which names the peer; others are closed. */
#define BP_LISTEN_PROXY_PROTOCOL 1u

/*
 * What a transport does with one connection, all [loop]. `closed` comes exactly once, last, never
 * from inside a function of bp_net; the connection is gone when it returns.
 */
typedef struct bp_connection_handler {
  uint32_t struct_size;
  uint32_t reserved0;
  void (*data)(void* context, bp_str bytes); /* borrowed, consumed whole */
  void (*end)(void* context);                /* the peer will send no more; it may still read */
  void (*drained)(void* context);            /* after a PAUSE from write: there is room again */
  void (*timeout)(void* context);            /* the time given to set_timeout has passed */
  void (*closed)(void* context);
} bp_connection_handler;

typedef struct bp_listen_handler {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;
  /* [loop] A new connection. Must call set_handler, or close it. */
  void (*accepted)(void* context, bp_connection* connection);
} bp_listen_handler;

typedef struct bp_net {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [control] The handler is copied. Fails naming the address and what holds it back. An address
     that another listener of this host has is shared: nothing is refused while one takes over. */
  uint32_t (*listen)(void* context, const bp_listen_options* options,
                     const bp_listen_handler* handler, bp_listener** out, bp_error* error);
  /* [any-thread] The port in use; 0: not a port. */
  uint32_t (*port)(bp_listener* listener);
  /* [control] Stops accepting; connections live on. Nothing is accepted once it returns. */
  void (*close_listener)(bp_listener* listener);

  /* [loop] Each is for a connection of the calling loop. */
  bp_loop* (*loop)(bp_connection* connection);
  /* `handler` stays valid until closed. */
  void (*set_handler)(bp_connection* connection, const bp_connection_handler* handler,
                      void* context);
  /* Sends the pieces in order; copies what it cannot send at once. Answers a BP_FLOW_*: PAUSE
     above the high-water mark (drained follows), STOP when the connection is closing. What is
     written first in a turn of the loop leaves at once, the rest of the turn together. */
  uint32_t (*write)(bp_connection* connection, const bp_str* pieces, uint64_t count);
  /* Stops and restarts delivery of data. */
  void (*pause)(bp_connection* connection);
  void (*resume)(bp_connection* connection);
  /* One timeout a connection; 0 disarms. Coarse: up to 250 ms late. From a PAUSE of write until
     drained, and after close, it begins anew whenever the peer takes some of what is pending. */
  void (*set_timeout)(bp_connection* connection, uint64_t timeout_ms);
  /* Sends what is pending, then closes; resets if the timeout passes first, by default 10 s. */
  void (*close)(bp_connection* connection);
  /* Resets at once: the peer sees that the stream was cut. */
  void (*abort)(bp_connection* connection);
  /* The peer's address as text, borrowed until closed. */
  bp_str (*peer)(bp_connection* connection);
} bp_net;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_NET_H */
