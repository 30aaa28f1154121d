/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend in plain C that does everything right, and with one of the macros defined by
 * CMakeLists.txt does one thing wrong. Built once for each; see check_test.cpp and load_test.cpp.
 */
#define _GNU_SOURCE
#include <backplane/backend.h>
#include <backplane/clock.h>
#include <backplane/command.h>
#include <backplane/log.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_EVENTS 24u
#define OTHER_EVENTS 3u /* FINISH, USAGE, END */

static const char kSchema[] =
#if defined(SCHEMA_NOT_JSON)
    "{\"type\": ";
#elif defined(SCHEMA_UNKNOWN_KEYWORD)
    "{\"type\": \"object\", \"properties\": {\"size\": {\"typ\": \"integer\"}}}";
#elif defined(SCHEMA_OTHER)
    "{\"type\": \"object\"}";
#else
#include "bp_plugin_schema.inc"
    ;
#endif

typedef struct backend {
  const bp_host* host;
} backend;

typedef struct call {
  bp_call table;
  const bp_sink* sink;
  bp_buffer body;
  uint64_t sequence;
  uint32_t next;
  uint32_t ended;
} call;

static bp_str text(const char* chars) {
  bp_str out = {chars, strlen(chars)};
  return out;
}

static uint32_t fail(uint32_t code, const char* message, bp_error* error) {
  if (error != NULL) {
    memset(error, 0, sizeof(*error));
    error->code = code;
    strncpy(error->message, message, sizeof(error->message) - 1);
#ifdef ERROR_WITHOUT_MESSAGE
    error->message[0] = '\0';
#endif
#ifdef ERROR_OF_OTHER_CODE
    error->code = code + 1;
#endif
  }
  return code;
}

static bp_event new_event(call* self, uint32_t type) {
  bp_event event;
  memset(&event, 0, sizeof(event));
  event.struct_size = sizeof(event);
#ifdef SHORT_EVENT
  event.struct_size = 8;
#endif
  event.type = type;
  event.sequence = self->sequence++;
#ifdef SEQUENCE_GAP
  if (event.sequence >= 3) ++event.sequence;
#endif
  return event;
}

static uint32_t emit(call* self, const bp_event* event) {
  return self->sink->emit(self->sink->context, event);
}

static void end_with(call* self, uint32_t code, const char* message) {
  bp_error error;
  bp_event event = new_event(self, code == BP_CODE_OK ? BP_EVENT_END : BP_EVENT_ERROR);
  if (self->ended) return;
  self->ended = 1;
  if (code != BP_CODE_OK) {
    fail(code, message, &error);
    event.error = &error;
  }
#ifdef NO_END
  return;
#endif
  emit(self, &event);
#ifdef DOUBLE_END
  ++event.sequence;
  emit(self, &event);
#endif
#ifdef EVENT_AFTER_END
  event = new_event(self, BP_EVENT_TEXT);
  emit(self, &event);
#endif
}

static void cancel(bp_call* table) {
#ifdef IGNORES_CANCEL
  (void)table;
#elif defined(CANCEL_OF_OTHER_CODE)
  end_with((call*)table, BP_CODE_INTERNAL, "cancelled");
#else
  end_with((call*)table, BP_CODE_CANCELLED, "cancelled");
#endif
}

static uint32_t emit_text(call* self) {
  bp_event event = new_event(self, BP_EVENT_TEXT);
  event.data = text("word ");
#ifdef NULL_EVENT_BYTES
  event.data.data = NULL;
#endif
#ifdef WILD_EVENT_BYTES
  event.data.data = (const char*)(uintptr_t)4096;
#endif
#ifdef TEXT_NOT_UTF8
  event.data = text("\xe2\x82");
#endif
#ifdef LOGPROBS_NOT_JSON
  event.logprobs = text("[{\"token\": \"word\"}]");
#endif
#ifdef REASONING_NOT_UTF8
  event.type = BP_EVENT_REASONING;
  event.data = text("\xff");
#endif
#ifdef RECEIPT
  event.type = BP_EVENT_RECEIPT;
  event.data = text(RECEIPT);
#endif
#ifdef TOOL_CALL
  const bp_tool_call tool_call = {sizeof(bp_tool_call), TOOL_CALL};
  event.type = BP_EVENT_TOOL_CALL;
  if (tool_call.id.size != 0) event.tool_call = &tool_call;
#endif
  return emit(self, &event);
}

static uint32_t emit_other(call* self) {
  bp_usage usage = {sizeof(bp_usage), 0, 7, TEXT_EVENTS, 0, 0};
  bp_event event = new_event(self, self->next == TEXT_EVENTS ? BP_EVENT_FINISH : BP_EVENT_USAGE);
  if (event.type == BP_EVENT_FINISH) {
    event.data = text("stop");
  } else {
    event.usage = &usage;
#ifdef SHORT_USAGE
    usage.struct_size = 8;
#endif
  }
  return emit(self, &event);
}

static void advance(call* self) {
  while (!self->ended && self->next < TEXT_EVENTS + OTHER_EVENTS - 1) {
    const uint32_t flow = self->next < TEXT_EVENTS ? emit_text(self) : emit_other(self);
    ++self->next;
#ifndef IGNORES_STOP
    if (flow == BP_FLOW_STOP) {
      cancel(&self->table);
      return;
    }
#endif
#ifndef IGNORES_PAUSE
    if (flow == BP_FLOW_PAUSE) return;
#endif
    (void)flow;
  }
  end_with(self, BP_CODE_OK, "");
}

static void resume(bp_call* table) {
#ifdef IGNORES_RESUME
  (void)table;
#else
  advance((call*)table);
#endif
}

static void release(bp_call* table) {
  call* self = (call*)table;
#ifndef LEAKS_BODY
  self->body.release(self->body.owner);
#endif
  free(self);
}

static uint32_t create(const bp_host* host, const bp_instance_options* options, void** out,
                       bp_error* error) {
  backend* self = NULL;
  (void)options;
#ifdef CREATE_CRASHES
  abort();
#endif
#ifdef CREATE_HANGS
  for (;;) pause();
#endif
#ifdef CREATE_EXITS
  exit(3);
#endif
#ifdef CREATE_WITHOUT_INSTANCE
  return BP_CODE_OK;
#endif
#ifdef LEAKS_DESCRIPTOR
  if (open("/dev/null", O_RDONLY) < 0) return fail(BP_CODE_INTERNAL, "no descriptor", error);
#endif
#if defined(CREATE_FAILS) || defined(ERROR_WITHOUT_MESSAGE) || defined(ERROR_OF_OTHER_CODE)
  return fail(BP_CODE_UNAVAILABLE, "the moon is wrong", error);
#endif
#ifdef NEEDS_HTTP
  if (host->get_interface(host, text("bp.http/1")) == NULL) {
    return fail(BP_CODE_FAILED_PRECONDITION, "this host has no HTTP client", error);
  }
#endif
  self = calloc(1, sizeof(*self));
  if (self == NULL) return fail(BP_CODE_RESOURCE_EXHAUSTED, "out of memory", error);
  self->host = host;
  *out = self;
  return BP_CODE_OK;
}

static uint32_t read_settings(backend* self) {
  const bp_log* log = self->host->get_interface(self->host, text(BP_LOG_ID));
#ifdef CRASHES_WITHOUT_LOG
  log->write(log->context, BP_LOG_INFO, text(""), text("started"), NULL, 0);
#else
  if (BP_HAS(log, write)) log->write(log->context, BP_LOG_INFO, text(""), text("started"), NULL, 0);
#endif
  return BP_CODE_OK;
}

#ifdef LEAKS_THREAD
static void* sleep_for_ever(void* argument) {
  for (;;) pause();
  return argument;
}
#endif

static uint32_t start(void* self, bp_error* error) {
#ifdef LEAKS_THREAD
  pthread_t thread;
  if (pthread_create(&thread, NULL, &sleep_for_ever, NULL) != 0) {
    return fail(BP_CODE_INTERNAL, "no thread", error);
  }
#endif
  (void)error;
  return read_settings(self);
}

static int is_chat(const bp_request* request) {
  const bp_str chat = text("chat.completions");
  return request->operation.size == chat.size &&
         memcmp(request->operation.data, chat.data, chat.size) == 0;
}

static uint32_t submit(void* self, const bp_request* request, const bp_sink* sink, bp_call** out,
                       bp_error* error) {
  call* made = NULL;
  (void)self;
#ifdef SERVES_ANYTHING
  (void)&is_chat;
#else
  if (!is_chat(request)) return fail(BP_CODE_UNIMPLEMENTED, "chat only", error);
#endif
#ifdef CRASHES_ON_GARBAGE
  if (memmem(request->body.data, request->body.size, "content", 7) == NULL) abort();
#endif
  if (memmem(request->body.data, request->body.size, "messages", 8) == NULL) {
    return fail(BP_CODE_INVALID_ARGUMENT, "messages: missing", error);
  }
#ifdef SUBMIT_CRASHES
  abort();
#endif
#ifdef SUBMIT_HANGS
  for (;;) pause();
#endif
#ifdef CALL_WITHOUT_FUNCTIONS
  static bp_call empty;
  *out = &empty;
  return BP_CODE_OK;
#endif
  made = calloc(1, sizeof(*made));
  if (made == NULL) return fail(BP_CODE_RESOURCE_EXHAUSTED, "out of memory", error);
  made->table.struct_size = sizeof(bp_call);
  made->table.cancel = &cancel;
  made->table.resume = &resume;
  made->table.release = &release;
  made->sink = sink;
  made->body = request->body;
  made->body.retain(made->body.owner);
#ifdef FAILS_AFTER_EVENTS
  advance(made);
  release(&made->table);
  return fail(BP_CODE_INTERNAL, "changed my mind", error);
#endif
  advance(made);
  *out = &made->table;
  return BP_CODE_OK;
}

static void drain(void* self, int64_t deadline_ns) {
  (void)self;
  (void)deadline_ns;
}

static void stop(void* self) {
  (void)self;
}

static void destroy(void* self) {
  free(self);
}

static void keep(void* owner) {
  (void)owner;
}

static uint32_t describe(void* self, bp_buffer* out, bp_error* error) {
#ifdef BAD_DESCRIPTION
  static const char kText[] = "{\"models\": [{\"name\": \"m\"}], \"operations\": []}";
#else
  static const char kText[] = "{\"models\": [], \"operations\": [\"chat.completions\"]}";
#endif
  const bp_buffer buffer = {kText, sizeof(kText) - 1, BP_MEMORY_HOST, 0, NULL, &keep, &keep};
  (void)self;
  (void)error;
  *out = buffer;
  return BP_CODE_OK;
}

static const bp_backend kBackend = {
#ifdef SHORT_TABLE
    .struct_size = 16,
#else
    .struct_size = sizeof(bp_backend),
#endif
    .create = &create,
    .start = &start,
#ifndef NULL_FUNCTION
    .submit = &submit,
#endif
    .drain = &drain,
    .stop = &stop,
    .destroy = &destroy,
    .describe = &describe,
};
#ifdef NULL_FUNCTION
static const void* const kUnused = (const void*)&submit;
#endif

/* A command that says what it was given; `wait` waits for a signal. */
static uint32_t greet(const bp_host* host, const bp_str* arguments, uint64_t count) {
  const char* const services[] = {BP_LOG_ID, BP_CLOCK_ID, "bp.net/1", "bp.kv/1"};
  for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); ++i) {
    if (host->get_interface(host, text(services[i])) != NULL) printf("%s ", services[i]);
  }
  printf("hello");
  for (uint64_t i = 0; i < count; ++i) {
    printf(" %.*s", (int)arguments[i].size, arguments[i].data);
    if (arguments[i].data[arguments[i].size] != '\0') return 1;
  }
  printf("\n");
  fflush(stdout);
  if (count > 0 && strcmp(arguments[0].data, "wait") == 0) pause();
  return count > 0 ? 0 : 2;
}

static const bp_command kCommandList[] = {
    {sizeof(bp_command), 0, {"greet", 5}, {"Say hello", 9}, &greet},
#ifdef COMMANDS_UNLISTED
    {sizeof(bp_command), 0, {"shout", 5}, {"Say it loud", 11}, &greet},
#endif
#ifdef COMMAND_WITHOUT_ABOUT
    {sizeof(bp_command), 0, {"shout", 5}, {NULL, 0}, &greet},
#endif
#ifdef COMMAND_WITHOUT_RUN
    {sizeof(bp_command), 0, {"shout", 5}, {"Say it loud", 11}, NULL},
#endif
#ifdef COMMAND_BADLY_NAMED
    {sizeof(bp_command), 0, {"Shout", 5}, {"Say it loud", 11}, &greet},
#endif
#ifdef SHORT_COMMAND
    {8, 0, {"shout", 5}, {"Say it loud", 11}, &greet},
#endif
};

static const bp_commands kCommands = {
#ifdef SHORT_COMMAND_TABLE
    .struct_size = 8,
#else
    .struct_size = sizeof(bp_commands),
#endif
    .commands = kCommandList,
    .command_count = sizeof(kCommandList) / sizeof(kCommandList[0])};

static const void* get_interface(bp_str id) {
#if defined(COMMANDS) && !defined(NO_COMMAND_TABLE)
  if (id.size == strlen(BP_COMMANDS_ID) && memcmp(id.data, BP_COMMANDS_ID, id.size) == 0) {
    return &kCommands;
  }
#endif
#ifdef NULL_FUNCTION
  (void)kUnused;
#endif
#ifndef NULL_TABLE
  if (id.size == strlen(BP_BACKEND_ID) && memcmp(id.data, BP_BACKEND_ID, id.size) == 0) {
    return &kBackend;
  }
#else
  (void)&kBackend;
#endif
  (void)id;
  return NULL;
}

static bp_plugin make_plugin(void) {
  bp_plugin plugin = {.struct_size = sizeof(bp_plugin),
                      .abi_major = BP_ABI_MAJOR,
                      .abi_minor = BP_ABI_MINOR,
                      .abi_minor_required = BP_PLUGIN_REQUIRED_MINOR,
                      .name = {BP_PLUGIN_NAME, sizeof(BP_PLUGIN_NAME) - 1},
                      .version = {BP_PLUGIN_VERSION, sizeof(BP_PLUGIN_VERSION) - 1},
                      .schema = {kSchema, sizeof(kSchema) - 1},
                      .get_interface = &get_interface};
#ifdef SHORT_DESCRIPTOR
  plugin.struct_size = 16;
#endif
#ifdef OTHER_MINOR
  plugin.abi_minor = 9;
#endif
#ifdef OTHER_NAME
  plugin.name = text("somebody-else");
#endif
#ifdef OTHER_VERSION
  plugin.version = text("9.9.9");
#endif
#ifdef NO_NAME
  plugin.name.size = 0;
#endif
#ifdef NO_VERSION
  plugin.version = text("new");
#endif
#ifdef NO_SCHEMA
  plugin.schema.size = 0;
#endif
#ifdef NO_GET_INTERFACE
  plugin.get_interface = NULL;
#endif
  return plugin;
}

#if defined(NO_ENTRY)
#define ENTRY something_else
#elif defined(OTHER_MAJOR)
#define ENTRY bp_plugin_entry_v2
#else
#define ENTRY bp_plugin_entry_v0
#endif

#ifdef MORE_EXPORTS
__attribute__((visibility("default"))) int extra_one = 1;
__attribute__((visibility("default"))) int extra_two = 2;
#endif

#ifdef UNDEFINED_SYMBOL
extern void bp_host_print(const char* message);
#endif

__attribute__((visibility("default"))) uint32_t ENTRY(const bp_host* host, const bp_plugin** out,
                                                      bp_error* error);
uint32_t ENTRY(const bp_host* host, const bp_plugin** out, bp_error* error) {
  static bp_plugin plugin;
  (void)host;
#ifdef UNDEFINED_SYMBOL
  bp_host_print("hello");
#endif
#ifdef ENTRY_FAILS
  return fail(BP_CODE_FAILED_PRECONDITION, "this machine has no accelerator", error);
#endif
#ifdef NULL_DESCRIPTOR
  (void)plugin;
  (void)&make_plugin;
  (void)out;
#else
  plugin = make_plugin();
  *out = &plugin;
#endif
  (void)error;
  return BP_CODE_OK;
}
