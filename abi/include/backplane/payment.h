/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.payment/1: decides who pays. Offered by a plugin. Request-scoped: a challenge ends the call,
 * the client's retry is a new one. Money is int64 nano-USD.
 */
#ifndef BACKPLANE_PAYMENT_H
#define BACKPLANE_PAYMENT_H

#include <backplane/abi.h>

#define BP_PAYMENT_ID "bp.payment/1"

#ifdef __cplusplus
extern "C" {
#endif

/* The call that is to be paid. */
typedef struct bp_charge {
  uint32_t struct_size;
  uint32_t reserved0;
  bp_str request_id; /* the idempotency key of everything done for this call */
  bp_str operation;
  bp_str model;
  const bp_pair* metadata; /* credentials and payment headers, lower-case names */
  uint64_t metadata_count;
  int64_t amount_max_nano_usd;     /* what the call can cost at most; 0: free or not known */
  int64_t input_nano_usd_per_mtok; /* price per million tokens */
  int64_t output_nano_usd_per_mtok;
  bp_loop* loop;
} bp_charge;

#define BP_VERDICT_ALLOW 0u     /* serve it; `hold` is settled or released later */
#define BP_VERDICT_CHALLENGE 1u /* ask for payment: error says how (402) */
#define BP_VERDICT_DENY 2u      /* refuse: error says why */

typedef struct bp_decision {
  uint32_t struct_size;
  uint32_t verdict;
  uint64_t hold; /* the plugin's name for what it reserved; 0: nothing */
  const bp_error* error;
  const bp_pair* headers; /* for the client, with a challenge */
  uint64_t header_count;
  bp_str content_type; /* of body; empty: the error is rendered */
  bp_str body;
} bp_decision;

typedef struct bp_decision_sink {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;
  /* [any-thread] Exactly once. The host frees what `context` points to when it has taken the
     decision: a second decide, or one after authorize has failed, uses freed memory. */
  void (*decide)(void* context, const bp_decision* decision);
} bp_decision_sink;

typedef struct bp_settlement {
  uint32_t struct_size;
  uint32_t reserved0;
  bp_str request_id;
  uint64_t hold;
  const bp_usage* usage;
  int64_t amount_nano_usd; /* what was produced costs this, rounded up once */
} bp_settlement;

typedef struct bp_payment {
  uint32_t struct_size;
  uint32_t reserved0;

  /* [control] as in bp.backend/1. */
  uint32_t (*create)(const bp_host* host, const bp_instance_options* options, void** out,
                     bp_error* error);
  uint32_t (*start)(void* self, bp_error* error);

  /*
   * [loop: charge->loop] Answers through the sink, at once or later. On failure the sink is not
   * called and the call is refused. `sink` is copied; the charge is borrowed.
   */
  uint32_t (*authorize)(void* self, const bp_charge* charge, const bp_decision_sink* sink,
                        bp_error* error);

  /* [loop] Exactly one of these follows every ALLOW. Neither may fail: the plugin retries. */
  void (*settle)(void* self, const bp_settlement* settlement);
  void (*release)(void* self, bp_str request_id, uint64_t hold);

  void (*drain)(void* self, int64_t deadline_ns);                    /* [control] */
  void (*stop)(void* self);                                          /* [control] */
  void (*destroy)(void* self);                                       /* [control] */
  uint32_t (*describe)(void* self, bp_buffer* out, bp_error* error); /* [any-thread] JSON */
} bp_payment;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_PAYMENT_H */
