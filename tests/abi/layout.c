/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the layout of the ABI: sizes, offsets and constants. abi/golden/ holds what a released
 * version printed. Fails if a struct has a field that is not listed here, or padding.
 */
#include <backplane/abi.h>
#include <backplane/backend.h>
#include <backplane/clock.h>
#include <backplane/command.h>
#include <backplane/http.h>
#include <backplane/kv.h>
#include <backplane/log.h>
#include <backplane/loop.h>
#include <backplane/metrics.h>
#include <backplane/net.h>
#include <backplane/payment.h>
#include <backplane/secrets.h>
#include <backplane/transport.h>

#include <stddef.h>
#include <stdio.h>

static const char* struct_name = "";
static size_t struct_bytes;
static size_t field_bytes;
static int incomplete;

static void end_struct(void) {
  if (field_bytes == struct_bytes) return;
  fprintf(stderr, "%s: its %zu bytes are not all listed: %zu\n", struct_name, struct_bytes,
          field_bytes);
  incomplete = 1;
}

static void begin_struct(const char* name, size_t bytes) {
  end_struct();
  struct_name = name;
  struct_bytes = bytes;
  field_bytes = 0;
  printf("%s %zu\n", name, bytes);
}

static void print_field(const char* name, size_t offset, size_t bytes) {
  printf("  %s %zu %zu\n", name, offset, bytes);
  field_bytes += bytes;
}

#define STRUCT(type) begin_struct(#type, sizeof(type))
#define FIELD(type, field) print_field(#field, offsetof(type, field), sizeof(((type*)0)->field))
#define NUMBER(name) printf("%s %u\n", #name, (unsigned)(name))
#define TEXT(name) printf("%s %s\n", #name, name)

static void print_abi(void) {
  STRUCT(bp_str);
  FIELD(bp_str, data);
  FIELD(bp_str, size);
  STRUCT(bp_pair);
  FIELD(bp_pair, name);
  FIELD(bp_pair, value);
  STRUCT(bp_error);
  FIELD(bp_error, code);
  FIELD(bp_error, http_status);
  FIELD(bp_error, retry_after_ms);
  FIELD(bp_error, type);
  FIELD(bp_error, message);
  STRUCT(bp_buffer);
  FIELD(bp_buffer, data);
  FIELD(bp_buffer, size);
  FIELD(bp_buffer, memory);
  FIELD(bp_buffer, padding);
  FIELD(bp_buffer, owner);
  FIELD(bp_buffer, retain);
  FIELD(bp_buffer, release);
  STRUCT(bp_body_stream);
  FIELD(bp_body_stream, struct_size);
  FIELD(bp_body_stream, reserved0);
  FIELD(bp_body_stream, size);
  FIELD(bp_body_stream, context);
  FIELD(bp_body_stream, read);
  FIELD(bp_body_stream, forget);
  STRUCT(bp_usage);
  FIELD(bp_usage, struct_size);
  FIELD(bp_usage, reserved0);
  FIELD(bp_usage, prompt_tokens);
  FIELD(bp_usage, completion_tokens);
  FIELD(bp_usage, cached_prompt_tokens);
  FIELD(bp_usage, reasoning_tokens);
  STRUCT(bp_event);
  FIELD(bp_event, struct_size);
  FIELD(bp_event, type);
  FIELD(bp_event, sequence);
  FIELD(bp_event, index);
  FIELD(bp_event, flags);
  FIELD(bp_event, data);
  FIELD(bp_event, detail);
  FIELD(bp_event, usage);
  FIELD(bp_event, error);
  FIELD(bp_event, headers);
  FIELD(bp_event, header_count);
  FIELD(bp_event, tool_call);
  FIELD(bp_event, logprobs);
  FIELD(bp_event, rate_limit);
  STRUCT(bp_rate_limit);
  FIELD(bp_rate_limit, struct_size);
  FIELD(bp_rate_limit, reserved0);
  FIELD(bp_rate_limit, requests_limit);
  FIELD(bp_rate_limit, requests_remaining);
  FIELD(bp_rate_limit, requests_reset_ms);
  FIELD(bp_rate_limit, tokens_limit);
  FIELD(bp_rate_limit, tokens_remaining);
  FIELD(bp_rate_limit, tokens_reset_ms);
  STRUCT(bp_tool_call);
  FIELD(bp_tool_call, struct_size);
  FIELD(bp_tool_call, index);
  FIELD(bp_tool_call, id);
  FIELD(bp_tool_call, name);
  STRUCT(bp_sink);
  FIELD(bp_sink, struct_size);
  FIELD(bp_sink, max_overrun);
  FIELD(bp_sink, context);
  FIELD(bp_sink, emit);
  STRUCT(bp_call);
  FIELD(bp_call, struct_size);
  FIELD(bp_call, reserved0);
  FIELD(bp_call, cancel);
  FIELD(bp_call, resume);
  FIELD(bp_call, release);
  STRUCT(bp_request);
  FIELD(bp_request, struct_size);
  FIELD(bp_request, flags);
  FIELD(bp_request, id);
  FIELD(bp_request, operation);
  FIELD(bp_request, content_type);
  FIELD(bp_request, body);
  FIELD(bp_request, model);
  FIELD(bp_request, model_offset);
  FIELD(bp_request, model_size);
  FIELD(bp_request, max_output_tokens);
  FIELD(bp_request, deadline_ns);
  FIELD(bp_request, loop);
  FIELD(bp_request, metadata);
  FIELD(bp_request, metadata_count);
  FIELD(bp_request, body_stream);
  STRUCT(bp_host);
  FIELD(bp_host, struct_size);
  FIELD(bp_host, abi_major);
  FIELD(bp_host, abi_minor);
  FIELD(bp_host, reserved0);
  FIELD(bp_host, version);
  FIELD(bp_host, context);
  FIELD(bp_host, get_interface);
  STRUCT(bp_instance_options);
  FIELD(bp_instance_options, struct_size);
  FIELD(bp_instance_options, reserved0);
  FIELD(bp_instance_options, name);
  FIELD(bp_instance_options, settings);
  STRUCT(bp_plugin);
  FIELD(bp_plugin, struct_size);
  FIELD(bp_plugin, abi_major);
  FIELD(bp_plugin, abi_minor);
  FIELD(bp_plugin, abi_minor_required);
  FIELD(bp_plugin, name);
  FIELD(bp_plugin, version);
  FIELD(bp_plugin, schema);
  FIELD(bp_plugin, get_interface);
}

static void print_backend(void) {
  STRUCT(bp_backend);
  FIELD(bp_backend, struct_size);
  FIELD(bp_backend, reserved0);
  FIELD(bp_backend, create);
  FIELD(bp_backend, start);
  FIELD(bp_backend, submit);
  FIELD(bp_backend, drain);
  FIELD(bp_backend, stop);
  FIELD(bp_backend, destroy);
  FIELD(bp_backend, describe);
}

static void print_transport(void) {
  STRUCT(bp_transport);
  FIELD(bp_transport, struct_size);
  FIELD(bp_transport, reserved0);
  FIELD(bp_transport, create);
  FIELD(bp_transport, start);
  FIELD(bp_transport, drain);
  FIELD(bp_transport, stop);
  FIELD(bp_transport, destroy);
  FIELD(bp_transport, describe);
  STRUCT(bp_gateway);
  FIELD(bp_gateway, struct_size);
  FIELD(bp_gateway, reserved0);
  FIELD(bp_gateway, context);
  FIELD(bp_gateway, begin);
  FIELD(bp_gateway, models);
  FIELD(bp_gateway, ready);
  FIELD(bp_gateway, metrics);
  FIELD(bp_gateway, receipt);
}

static void print_payment(void) {
  STRUCT(bp_charge);
  FIELD(bp_charge, struct_size);
  FIELD(bp_charge, reserved0);
  FIELD(bp_charge, request_id);
  FIELD(bp_charge, operation);
  FIELD(bp_charge, model);
  FIELD(bp_charge, metadata);
  FIELD(bp_charge, metadata_count);
  FIELD(bp_charge, amount_max_nano_usd);
  FIELD(bp_charge, input_nano_usd_per_mtok);
  FIELD(bp_charge, output_nano_usd_per_mtok);
  FIELD(bp_charge, loop);
  STRUCT(bp_decision);
  FIELD(bp_decision, struct_size);
  FIELD(bp_decision, verdict);
  FIELD(bp_decision, hold);
  FIELD(bp_decision, error);
  FIELD(bp_decision, headers);
  FIELD(bp_decision, header_count);
  FIELD(bp_decision, content_type);
  FIELD(bp_decision, body);
  STRUCT(bp_decision_sink);
  FIELD(bp_decision_sink, struct_size);
  FIELD(bp_decision_sink, reserved0);
  FIELD(bp_decision_sink, context);
  FIELD(bp_decision_sink, decide);
  STRUCT(bp_settlement);
  FIELD(bp_settlement, struct_size);
  FIELD(bp_settlement, reserved0);
  FIELD(bp_settlement, request_id);
  FIELD(bp_settlement, hold);
  FIELD(bp_settlement, usage);
  FIELD(bp_settlement, amount_nano_usd);
  STRUCT(bp_payment);
  FIELD(bp_payment, struct_size);
  FIELD(bp_payment, reserved0);
  FIELD(bp_payment, create);
  FIELD(bp_payment, start);
  FIELD(bp_payment, authorize);
  FIELD(bp_payment, settle);
  FIELD(bp_payment, release);
  FIELD(bp_payment, drain);
  FIELD(bp_payment, stop);
  FIELD(bp_payment, destroy);
  FIELD(bp_payment, describe);
}

static void print_clock(void) {
  STRUCT(bp_clock);
  FIELD(bp_clock, struct_size);
  FIELD(bp_clock, reserved0);
  FIELD(bp_clock, context);
  FIELD(bp_clock, monotonic_ns);
  FIELD(bp_clock, unix_ns);
  FIELD(bp_clock, random);
}

static void print_command(void) {
  STRUCT(bp_command);
  FIELD(bp_command, struct_size);
  FIELD(bp_command, reserved0);
  FIELD(bp_command, name);
  FIELD(bp_command, about);
  FIELD(bp_command, run);
  STRUCT(bp_commands);
  FIELD(bp_commands, struct_size);
  FIELD(bp_commands, reserved0);
  FIELD(bp_commands, commands);
  FIELD(bp_commands, command_count);
}

static void print_http(void) {
  STRUCT(bp_http_request);
  FIELD(bp_http_request, struct_size);
  FIELD(bp_http_request, connect_timeout_ms);
  FIELD(bp_http_request, first_byte_timeout_ms);
  FIELD(bp_http_request, idle_timeout_ms);
  FIELD(bp_http_request, total_timeout_ms);
  FIELD(bp_http_request, reserved0);
  FIELD(bp_http_request, loop);
  FIELD(bp_http_request, method);
  FIELD(bp_http_request, url);
  FIELD(bp_http_request, headers);
  FIELD(bp_http_request, header_count);
  FIELD(bp_http_request, body);
  FIELD(bp_http_request, body_count);
  FIELD(bp_http_request, body_stream);
  STRUCT(bp_http_handler);
  FIELD(bp_http_handler, struct_size);
  FIELD(bp_http_handler, reserved0);
  FIELD(bp_http_handler, head);
  FIELD(bp_http_handler, data);
  FIELD(bp_http_handler, done);
  FIELD(bp_http_handler, failed);
  STRUCT(bp_http);
  FIELD(bp_http, struct_size);
  FIELD(bp_http, reserved0);
  FIELD(bp_http, context);
  FIELD(bp_http, send);
  FIELD(bp_http, resume);
  FIELD(bp_http, cancel);
}

static void print_kv(void) {
  STRUCT(bp_kv);
  FIELD(bp_kv, struct_size);
  FIELD(bp_kv, reserved0);
  FIELD(bp_kv, context);
  FIELD(bp_kv, get);
  FIELD(bp_kv, put_if_absent);
  FIELD(bp_kv, compare_and_swap);
}

static void print_log(void) {
  STRUCT(bp_log);
  FIELD(bp_log, struct_size);
  FIELD(bp_log, reserved0);
  FIELD(bp_log, context);
  FIELD(bp_log, enabled);
  FIELD(bp_log, write);
}

static void print_loop(void) {
  STRUCT(bp_loop_service);
  FIELD(bp_loop_service, struct_size);
  FIELD(bp_loop_service, count);
  FIELD(bp_loop_service, context);
  FIELD(bp_loop_service, at);
  FIELD(bp_loop_service, is_current);
  FIELD(bp_loop_service, post);
  FIELD(bp_loop_service, post_after);
  FIELD(bp_loop_service, cancel);
}

static void print_metrics(void) {
  STRUCT(bp_metric_options);
  FIELD(bp_metric_options, struct_size);
  FIELD(bp_metric_options, kind);
  FIELD(bp_metric_options, name);
  FIELD(bp_metric_options, help);
  FIELD(bp_metric_options, labels);
  FIELD(bp_metric_options, label_count);
  FIELD(bp_metric_options, denominator);
  FIELD(bp_metric_options, bounds);
  FIELD(bp_metric_options, bound_count);
  STRUCT(bp_metrics);
  FIELD(bp_metrics, struct_size);
  FIELD(bp_metrics, reserved0);
  FIELD(bp_metrics, context);
  FIELD(bp_metrics, define);
  FIELD(bp_metrics, add);
  FIELD(bp_metrics, set);
}

static void print_net(void) {
  STRUCT(bp_listen_options);
  FIELD(bp_listen_options, struct_size);
  FIELD(bp_listen_options, max_connections);
  FIELD(bp_listen_options, address);
  FIELD(bp_listen_options, tls_certificate);
  FIELD(bp_listen_options, tls_key);
  FIELD(bp_listen_options, alpn);
  FIELD(bp_listen_options, flags);
  FIELD(bp_listen_options, write_bytes_per_second_min);
  STRUCT(bp_connection_handler);
  FIELD(bp_connection_handler, struct_size);
  FIELD(bp_connection_handler, reserved0);
  FIELD(bp_connection_handler, data);
  FIELD(bp_connection_handler, end);
  FIELD(bp_connection_handler, drained);
  FIELD(bp_connection_handler, timeout);
  FIELD(bp_connection_handler, closed);
  STRUCT(bp_listen_handler);
  FIELD(bp_listen_handler, struct_size);
  FIELD(bp_listen_handler, reserved0);
  FIELD(bp_listen_handler, context);
  FIELD(bp_listen_handler, accepted);
  STRUCT(bp_net);
  FIELD(bp_net, struct_size);
  FIELD(bp_net, reserved0);
  FIELD(bp_net, context);
  FIELD(bp_net, listen);
  FIELD(bp_net, port);
  FIELD(bp_net, close_listener);
  FIELD(bp_net, loop);
  FIELD(bp_net, set_handler);
  FIELD(bp_net, write);
  FIELD(bp_net, pause);
  FIELD(bp_net, resume);
  FIELD(bp_net, set_timeout);
  FIELD(bp_net, close);
  FIELD(bp_net, abort);
  FIELD(bp_net, peer);
}

static void print_secrets(void) {
  STRUCT(bp_secrets);
  FIELD(bp_secrets, struct_size);
  FIELD(bp_secrets, reserved0);
  FIELD(bp_secrets, context);
  FIELD(bp_secrets, get);
}

static void print_constants(void) {
  NUMBER(BP_ABI_MAJOR);
  NUMBER(BP_ABI_MINOR);
  TEXT(BP_ENTRY_SYMBOL);
  NUMBER(BP_CODE_OK);
  NUMBER(BP_CODE_CANCELLED);
  NUMBER(BP_CODE_UNKNOWN);
  NUMBER(BP_CODE_INVALID_ARGUMENT);
  NUMBER(BP_CODE_DEADLINE_EXCEEDED);
  NUMBER(BP_CODE_NOT_FOUND);
  NUMBER(BP_CODE_ALREADY_EXISTS);
  NUMBER(BP_CODE_PERMISSION_DENIED);
  NUMBER(BP_CODE_RESOURCE_EXHAUSTED);
  NUMBER(BP_CODE_FAILED_PRECONDITION);
  NUMBER(BP_CODE_ABORTED);
  NUMBER(BP_CODE_OUT_OF_RANGE);
  NUMBER(BP_CODE_UNIMPLEMENTED);
  NUMBER(BP_CODE_INTERNAL);
  NUMBER(BP_CODE_UNAVAILABLE);
  NUMBER(BP_CODE_DATA_LOSS);
  NUMBER(BP_CODE_UNAUTHENTICATED);
  NUMBER(BP_MEMORY_HOST);
  NUMBER(BP_EVENT_TEXT);
  NUMBER(BP_EVENT_FINISH);
  NUMBER(BP_EVENT_CHUNK);
  NUMBER(BP_EVENT_BODY);
  NUMBER(BP_EVENT_USAGE);
  NUMBER(BP_EVENT_END);
  NUMBER(BP_EVENT_ERROR);
  NUMBER(BP_EVENT_HEAD);
  NUMBER(BP_EVENT_REASONING);
  NUMBER(BP_EVENT_TOOL_CALL);
  NUMBER(BP_EVENT_RECEIPT);
  NUMBER(BP_RECEIPT_BYTES_MAX);
  NUMBER(BP_FLOW_CONTINUE);
  NUMBER(BP_FLOW_PAUSE);
  NUMBER(BP_FLOW_STOP);
  NUMBER(BP_READ_BYTES);
  NUMBER(BP_READ_WAIT);
  NUMBER(BP_READ_END);
  NUMBER(BP_READ_FAILED);
  NUMBER(BP_LISTEN_PROXY_PROTOCOL);
  NUMBER(BP_REQUEST_STREAM);
  NUMBER(BP_REQUEST_USAGE);
  NUMBER(BP_REQUEST_STREAM_OPTIONS);
  NUMBER(BP_REQUEST_CONTINUE);
  TEXT(BP_BACKEND_ID);
  TEXT(BP_TRANSPORT_ID);
  TEXT(BP_GATEWAY_ID);
  TEXT(BP_PAYMENT_ID);
  NUMBER(BP_VERDICT_ALLOW);
  NUMBER(BP_VERDICT_CHALLENGE);
  NUMBER(BP_VERDICT_DENY);
  TEXT(BP_CLOCK_ID);
  TEXT(BP_COMMANDS_ID);
  TEXT(BP_HTTP_ID);
  TEXT(BP_KV_ID);
  TEXT(BP_LOG_ID);
  NUMBER(BP_LOG_DEBUG);
  NUMBER(BP_LOG_INFO);
  NUMBER(BP_LOG_WARN);
  NUMBER(BP_LOG_ERROR);
  TEXT(BP_LOOP_ID);
  TEXT(BP_METRICS_ID);
  NUMBER(BP_METRIC_COUNTER);
  NUMBER(BP_METRIC_GAUGE);
  NUMBER(BP_METRIC_HISTOGRAM);
  TEXT(BP_NET_ID);
  TEXT(BP_SECRETS_ID);
}

int main(void) {
  print_abi();
  print_backend();
  print_transport();
  print_payment();
  print_clock();
  print_command();
  print_http();
  print_kv();
  print_log();
  print_loop();
  print_metrics();
  print_net();
  print_secrets();
  end_struct();
  print_constants();
  return incomplete;
}
