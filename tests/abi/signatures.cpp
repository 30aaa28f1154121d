// SPDX-License-Identifier: Apache-2.0
// The signatures of every function of the ABI, and what must hold of its structs. Compiling is the
// test: sizes and offsets cannot show that a parameter changed.
#include <backplane/abi.h>
#include <backplane/backend.h>
#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/kv.h>
#include <backplane/log.h>
#include <backplane/loop.h>
#include <backplane/metrics.h>
#include <backplane/net.h>
#include <backplane/payment.h>
#include <backplane/secrets.h>
#include <backplane/transport.h>

#include <type_traits>

#define SIGNATURE(type, field, ...) \
  static_assert(std::is_same_v<decltype(type::field), __VA_ARGS__>, #type "." #field)
#define WHOLE(type)                                                            \
  static_assert(sizeof(type) % 8 == 0 && std::is_trivially_copyable_v<type> && \
                    std::is_standard_layout_v<type>,                           \
                #type)

static_assert(sizeof(bp_error) == 512);
static_assert(sizeof(bp_str) == 16 && sizeof(bp_pair) == 32);
static_assert(
    std::is_same_v<bp_plugin_entry, uint32_t (*)(const bp_host*, const bp_plugin**, bp_error*)>);

WHOLE(bp_str);
WHOLE(bp_pair);
WHOLE(bp_error);
WHOLE(bp_buffer);
WHOLE(bp_body_stream);
WHOLE(bp_usage);
WHOLE(bp_event);
WHOLE(bp_sink);
WHOLE(bp_call);
WHOLE(bp_request);
WHOLE(bp_host);
WHOLE(bp_instance_options);
WHOLE(bp_plugin);
WHOLE(bp_backend);
WHOLE(bp_transport);
WHOLE(bp_gateway);
WHOLE(bp_charge);
WHOLE(bp_decision);
WHOLE(bp_decision_sink);
WHOLE(bp_settlement);
WHOLE(bp_payment);
WHOLE(bp_clock);
WHOLE(bp_http_request);
WHOLE(bp_http_handler);
WHOLE(bp_http);
WHOLE(bp_kv);
WHOLE(bp_log);
WHOLE(bp_loop_service);
WHOLE(bp_metric_options);
WHOLE(bp_metrics);
WHOLE(bp_listen_options);
WHOLE(bp_connection_handler);
WHOLE(bp_listen_handler);
WHOLE(bp_net);
WHOLE(bp_secrets);

SIGNATURE(bp_body_stream, read, uint32_t (*)(void*, bp_str*, bp_task, void*));
SIGNATURE(bp_body_stream, forget, void (*)(void*));
SIGNATURE(bp_buffer, retain, void (*)(void*));
SIGNATURE(bp_buffer, release, void (*)(void*));
SIGNATURE(bp_sink, emit, uint32_t (*)(void*, const bp_event*));
SIGNATURE(bp_call, cancel, void (*)(bp_call*));
SIGNATURE(bp_call, resume, void (*)(bp_call*));
SIGNATURE(bp_call, release, void (*)(bp_call*));
SIGNATURE(bp_host, get_interface, const void* (*)(const bp_host*, bp_str));
SIGNATURE(bp_plugin, get_interface, const void* (*)(bp_str));
SIGNATURE(bp_backend, create,
          uint32_t (*)(const bp_host*, const bp_instance_options*, void**, bp_error*));
SIGNATURE(bp_backend, start, uint32_t (*)(void*, bp_error*));
SIGNATURE(bp_backend, submit,
          uint32_t (*)(void*, const bp_request*, const bp_sink*, bp_call**, bp_error*));
SIGNATURE(bp_backend, drain, void (*)(void*, int64_t));
SIGNATURE(bp_backend, stop, void (*)(void*));
SIGNATURE(bp_backend, destroy, void (*)(void*));
SIGNATURE(bp_backend, describe, uint32_t (*)(void*, bp_buffer*, bp_error*));
SIGNATURE(bp_transport, create,
          uint32_t (*)(const bp_host*, const bp_instance_options*, void**, bp_error*));
SIGNATURE(bp_transport, start, uint32_t (*)(void*, bp_error*));
SIGNATURE(bp_transport, drain, void (*)(void*, int64_t));
SIGNATURE(bp_transport, stop, void (*)(void*));
SIGNATURE(bp_transport, destroy, void (*)(void*));
SIGNATURE(bp_transport, describe, uint32_t (*)(void*, bp_buffer*, bp_error*));
SIGNATURE(bp_gateway, begin,
          uint32_t (*)(void*, const bp_request*, const bp_sink*, bp_call**, bp_error*));
SIGNATURE(bp_gateway, models, uint32_t (*)(void*, bp_buffer*, bp_error*));
SIGNATURE(bp_gateway, ready, uint32_t (*)(void*));
SIGNATURE(bp_gateway, metrics, uint32_t (*)(void*, bp_buffer*, bp_error*));
SIGNATURE(bp_gateway, receipt,
          uint32_t (*)(void*, bp_str, const bp_pair*, uint64_t, bp_buffer*, bp_error*));
SIGNATURE(bp_decision_sink, decide, void (*)(void*, const bp_decision*));
SIGNATURE(bp_payment, create,
          uint32_t (*)(const bp_host*, const bp_instance_options*, void**, bp_error*));
SIGNATURE(bp_payment, start, uint32_t (*)(void*, bp_error*));
SIGNATURE(bp_payment, authorize,
          uint32_t (*)(void*, const bp_charge*, const bp_decision_sink*, bp_error*));
SIGNATURE(bp_payment, settle, void (*)(void*, const bp_settlement*));
SIGNATURE(bp_payment, release, void (*)(void*, bp_str, uint64_t));
SIGNATURE(bp_payment, drain, void (*)(void*, int64_t));
SIGNATURE(bp_payment, stop, void (*)(void*));
SIGNATURE(bp_payment, destroy, void (*)(void*));
SIGNATURE(bp_payment, describe, uint32_t (*)(void*, bp_buffer*, bp_error*));
SIGNATURE(bp_clock, monotonic_ns, int64_t (*)(void*));
SIGNATURE(bp_clock, unix_ns, int64_t (*)(void*));
SIGNATURE(bp_clock, random, void (*)(void*, void*, uint64_t));
SIGNATURE(bp_http_handler, head, void (*)(void*, uint32_t, const bp_pair*, uint64_t));
SIGNATURE(bp_http_handler, data, uint32_t (*)(void*, bp_str));
SIGNATURE(bp_http_handler, done, void (*)(void*));
SIGNATURE(bp_http_handler, failed, void (*)(void*, const bp_error*));
SIGNATURE(bp_http, send,
          uint32_t (*)(void*, const bp_http_request*, const bp_http_handler*, void*,
                       bp_http_exchange**, bp_error*));
SIGNATURE(bp_http, resume, void (*)(bp_http_exchange*));
SIGNATURE(bp_http, cancel, void (*)(bp_http_exchange*));
SIGNATURE(bp_kv, get, uint32_t (*)(void*, bp_str, bp_buffer*, bp_error*));
SIGNATURE(bp_kv, put_if_absent, uint32_t (*)(void*, bp_str, bp_str, uint64_t, bp_error*));
SIGNATURE(bp_kv, compare_and_swap,
          uint32_t (*)(void*, bp_str, bp_str, bp_str, uint64_t, bp_error*));
SIGNATURE(bp_log, enabled, uint32_t (*)(void*, uint32_t));
SIGNATURE(bp_log, write, void (*)(void*, uint32_t, bp_str, bp_str, const bp_pair*, uint64_t));
SIGNATURE(bp_loop_service, at, bp_loop* (*)(void*, uint32_t));
SIGNATURE(bp_loop_service, is_current, uint32_t (*)(bp_loop*));
SIGNATURE(bp_loop_service, post, void (*)(bp_loop*, bp_task, void*));
SIGNATURE(bp_loop_service, post_after, uint64_t (*)(bp_loop*, uint64_t, bp_task, void*));
SIGNATURE(bp_loop_service, cancel, uint32_t (*)(bp_loop*, uint64_t));
SIGNATURE(bp_metrics, define, uint32_t (*)(void*, const bp_metric_options*, uint64_t*, bp_error*));
SIGNATURE(bp_metrics, add, void (*)(void*, uint64_t, int64_t));
SIGNATURE(bp_metrics, set, void (*)(void*, uint64_t, int64_t));
SIGNATURE(bp_connection_handler, data, void (*)(void*, bp_str));
SIGNATURE(bp_connection_handler, end, void (*)(void*));
SIGNATURE(bp_connection_handler, drained, void (*)(void*));
SIGNATURE(bp_connection_handler, timeout, void (*)(void*));
SIGNATURE(bp_connection_handler, closed, void (*)(void*));
SIGNATURE(bp_listen_handler, accepted, void (*)(void*, bp_connection*));
SIGNATURE(bp_net, listen,
          uint32_t (*)(void*, const bp_listen_options*, const bp_listen_handler*, bp_listener**,
                       bp_error*));
SIGNATURE(bp_net, port, uint32_t (*)(bp_listener*));
SIGNATURE(bp_net, close_listener, void (*)(bp_listener*));
SIGNATURE(bp_net, loop, bp_loop* (*)(bp_connection*));
SIGNATURE(bp_net, set_handler, void (*)(bp_connection*, const bp_connection_handler*, void*));
SIGNATURE(bp_net, write, uint32_t (*)(bp_connection*, const bp_str*, uint64_t));
SIGNATURE(bp_net, pause, void (*)(bp_connection*));
SIGNATURE(bp_net, resume, void (*)(bp_connection*));
SIGNATURE(bp_net, set_timeout, void (*)(bp_connection*, uint64_t));
SIGNATURE(bp_net, close, void (*)(bp_connection*));
SIGNATURE(bp_net, abort, void (*)(bp_connection*));
SIGNATURE(bp_net, peer, bp_str (*)(bp_connection*));
SIGNATURE(bp_secrets, get, uint32_t (*)(void*, bp_str, bp_buffer*, bp_error*));
