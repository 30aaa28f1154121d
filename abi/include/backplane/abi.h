/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backplane plugin ABI, core: what every interface stands on. C11, no dependency but stdint.
 *
 * POLICY
 *  - The major version is in the name of the entry symbol. While the major is 0 the ABI is a draft:
 *    a runtime loads only plugins built from headers of its own minor. From 1.0 on a plugin built
 *    once runs on every later 1.x.
 *  - An interface is found by its id, "bp.<name>/<revision>", through get_interface on either side.
 *    A released id and revision is never edited; an incompatible change takes the next revision.
 *    "bp." is ours; third parties use reverse DNS ("com.acme.foo/1").
 *  - A minor version appends fields to the end of a table. Readers ask BP_HAS(table, field), which
 *    compares struct_size and tests for null. Every struct starts with struct_size, is a multiple
 *    of 8 bytes and has no padding.
 *  - Only fixed-width integers, pointers, function pointers and structs of those. Enumerations are
 *    uint32_t with named constants; receivers ignore values they do not know.
 *  - Plugins link nothing of the host: everything arrives through tables.
 *
 * OWNERSHIP: a parameter named `out` receives an object that the callee made and the caller
 * releases through a function pointer of that object. Everything else is borrowed for the call.
 * THREADS: every function carries one tag.
 *   [control]     one of the host's control calls, never two at once for one instance
 *   [loop]        on the event loop that owns the object; must not block
 *   [any-thread]  any thread, must not block
 * ERRORS: functions that can fail return a BP_CODE_* and fill the caller's bp_error (which may be
 *   null); on failure no output is touched. No exception crosses a function of this ABI.
 */
#ifndef BACKPLANE_ABI_H
#define BACKPLANE_ABI_H

#include <stdint.h>

#define BP_ABI_MAJOR 0
#define BP_ABI_MINOR 5
#define BP_ENTRY_SYMBOL "bp_plugin_entry_v0"

#define BP_HAS(table, field)                                                                       \
  ((table) != 0 &&                                                                                 \
   (uint64_t)(table)->struct_size >=                                                               \
       (uint64_t)((const char*)&(table)->field - (const char*)(table)) + sizeof((table)->field) && \
   (table)->field != 0)

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes, UTF-8 where they are text, not terminated. Empty: size 0, data ignored. */
typedef struct bp_str {
  const char* data;
  uint64_t size;
} bp_str;

/* A named value: a header, a label, a log field. */
typedef struct bp_pair {
  bp_str name;
  bp_str value;
} bp_pair;

/* Canonical codes, numbered as gRPC's. */
#define BP_CODE_OK 0u
#define BP_CODE_CANCELLED 1u
#define BP_CODE_UNKNOWN 2u
#define BP_CODE_INVALID_ARGUMENT 3u
#define BP_CODE_DEADLINE_EXCEEDED 4u
#define BP_CODE_NOT_FOUND 5u
#define BP_CODE_ALREADY_EXISTS 6u
#define BP_CODE_PERMISSION_DENIED 7u
#define BP_CODE_RESOURCE_EXHAUSTED 8u
#define BP_CODE_FAILED_PRECONDITION 9u
#define BP_CODE_ABORTED 10u
#define BP_CODE_OUT_OF_RANGE 11u
#define BP_CODE_UNIMPLEMENTED 12u
#define BP_CODE_INTERNAL 13u
#define BP_CODE_UNAVAILABLE 14u
#define BP_CODE_DATA_LOSS 15u
#define BP_CODE_UNAUTHENTICATED 16u

/*
 * What went wrong, in the caller's memory, 512 bytes: usable when nothing can be allocated.
 * `message` is safe to show to a client: no key, no upstream address. Both texts are terminated.
 */
typedef struct bp_error {
  uint32_t code;
  uint32_t http_status;    /* 0: the code's default */
  uint64_t retry_after_ms; /* 0: unknown, or a retry does not help */
  char type[48];           /* the platform's code, e.g. "MODEL_NOT_FOUND"; empty: the default */
  char message[448];
} bp_error;

#define BP_MEMORY_HOST 0u

/*
 * Counted bytes. The producer owns the memory and the counting; retain and release are
 * [any-thread] and atomic. `padding` readable bytes follow the last one (a JSON scanner that reads
 * in blocks wants 64; with fewer the host copies).
 */
typedef struct bp_buffer {
  const char* data;
  uint64_t size;
  uint32_t memory; /* BP_MEMORY_* */
  uint32_t padding;
  void* owner;
  void (*retain)(void* owner);
  void (*release)(void* owner);
} bp_buffer;

/* What reading a stream of bytes answers. */
#define BP_READ_BYTES 0u  /* the next bytes */
#define BP_READ_WAIT 1u   /* none yet */
#define BP_READ_END 2u    /* no more */
#define BP_READ_FAILED 3u /* no more, and not all: whoever sent them has gone */

#define BP_SIZE_UNKNOWN UINT64_MAX

typedef void (*bp_task)(void* argument);

/*
 * The part of a body that is still on its way. Owned by whoever offers it, one reader, all [loop].
 * Valid until its call has ended or is released. Back-pressure reaches the sender: what is not read
 * is not asked for.
 *   read    gives the next bytes, borrowed until the next read, or says why not. After WAIT,
 *           `ready(argument)` is called once there is more to say, never from inside read.
 *   forget  the reader is no more: `ready` will not be called.
 */
typedef struct bp_body_stream {
  uint32_t struct_size;
  uint32_t reserved0;
  uint64_t size; /* of all that is to come, or BP_SIZE_UNKNOWN */
  void* context;
  uint32_t (*read)(void* context, bp_str* out, bp_task ready, void* argument);
  void (*forget)(void* context);
} bp_body_stream;

/* Tokens of one call so far: cumulative, never deltas. */
typedef struct bp_usage {
  uint32_t struct_size;
  uint32_t reserved0;
  uint64_t prompt_tokens;
  uint64_t completion_tokens;
  uint64_t cached_prompt_tokens; /* part of prompt_tokens */
  uint64_t reasoning_tokens;     /* part of completion_tokens */
} bp_usage;

/* A piece of a tool call that the model makes; the event's data is the next piece of its arguments,
   JSON text. The first piece of each says id and name, later ones leave both empty. */
typedef struct bp_tool_call {
  uint32_t struct_size;
  uint32_t index; /* of the call within its choice: 0, 1 ... */
  bp_str id;
  bp_str name;
} bp_tool_call;

#define BP_RATE_UNKNOWN UINT64_MAX

/*
 * What a backend knows of the rate limits that it is held to elsewhere, as of the event that
 * carries it. Every number but struct_size may be BP_RATE_UNKNOWN. The host tries a backend with
 * nothing remaining last, until the reset.
 */
typedef struct bp_rate_limit {
  uint32_t struct_size;
  uint32_t reserved0;
  uint64_t requests_limit;     /* in one window */
  uint64_t requests_remaining; /* until the reset */
  uint64_t requests_reset_ms;  /* from the event until there is room again */
  uint64_t tokens_limit;
  uint64_t tokens_remaining;
  uint64_t tokens_reset_ms;
} bp_rate_limit;

/* Events of a call. The terminal ones are END and ERROR. */
#define BP_EVENT_TEXT 1u   /* data: generated UTF-8 text of choice `index` */
#define BP_EVENT_FINISH 2u /* choice `index` is complete; data: "stop", "length", ... */
/* data: one dialect document of a stream, to be framed, not changed; detail: its event's name */
#define BP_EVENT_CHUNK 3u
#define BP_EVENT_BODY 4u  /* data: the next bytes of a whole response; detail: its media type */
#define BP_EVENT_USAGE 5u /* usage */
/* The call succeeded; data: what closes a stream of chunks, e.g. "[DONE]". The streams of
   chat.completions and completions are closed so in any case. */
#define BP_EVENT_END 6u
#define BP_EVENT_ERROR 7u /* the call failed: error; data: a ready body of media type detail */
/* The call will be answered; headers: for the client. From the host to a transport it is always the
   first event unless the call fails before, and says flags: of the request, data: the public name
   of the model, detail: the request id. A backend may send it first to add headers. */
#define BP_EVENT_HEAD 8u
#define BP_EVENT_REASONING 9u  /* data: UTF-8 text that choice `index` thought before its answer */
#define BP_EVENT_TOOL_CALL 10u /* tool_call; data: the next piece of its arguments */
/* data: a JSON document of what was verified of this call, at most BP_RECEIPT_BYTES_MAX. From a
   backend, at most once and before the terminal event. The host keeps it for those who ask with the
   request id; it is no part of the answer and never reaches a transport's sink. */
#define BP_EVENT_RECEIPT 11u

#define BP_RECEIPT_BYTES_MAX 65536u

typedef struct bp_event {
  uint32_t struct_size;
  uint32_t type;
  uint64_t sequence; /* 0, 1, 2 ... without a gap */
  uint32_t index;    /* choice the event belongs to */
  uint32_t flags;    /* HEAD: BP_REQUEST_* */
  bp_str data;
  bp_str detail;
  const bp_usage* usage;
  const bp_error* error;
  const bp_pair* headers; /* HEAD and ERROR */
  uint64_t header_count;
  const bp_tool_call* tool_call; /* TOOL_CALL */
  /* TEXT, whose data may then be empty: the tokens of this piece and how likely they were, a JSON
     array of {"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}, the
     form of OpenAI's logprobs.content. Empty: not asked for. */
  bp_str logprobs;
  const bp_rate_limit* rate_limit; /* HEAD and ERROR, from a backend; null: nothing is known */
} bp_event;

/* What a receiver of a stream answers. */
#define BP_FLOW_CONTINUE 0u
#define BP_FLOW_PAUSE 1u /* stop producing until resume; at most max_overrun events may follow */
#define BP_FLOW_STOP 2u  /* nobody wants more: cancel */

/*
 * Where the events of one call go. emit never blocks and is called by one thread at a time
 * [any-thread]; on the call's loop it costs no queue. Exactly one terminal event, nothing after.
 */
typedef struct bp_sink {
  uint32_t struct_size;
  uint32_t max_overrun;
  void* context;
  uint32_t (*emit)(void* context, const bp_event* event);
} bp_sink;

/*
 * A running call, owned by whoever created it. The holder calls release exactly once and never
 * touches it again. All three are [loop]: called on the loop of the call; and never from inside the
 * call's emit, except by a transport on a call of the gateway.
 *   cancel   idempotent; the terminal event (code CANCELLED) follows, within cancel_grace_ms
 *   resume   after a PAUSE: the receiver has room again. Where a thread of the plugin's own emits,
 *            it may come before that emit has returned PAUSE; that PAUSE is over then. So a plugin
 *            notes each resume, forgets it before it emits, and pauses where none has come since.
 *   release  For the host on a backend's call: only after the terminal event.
 *            For a transport on the gateway's call: at any time, and before the terminal event it
 *            cancels; no event is emitted once it returns.
 */
typedef struct bp_call bp_call;
struct bp_call {
  uint32_t struct_size;
  uint32_t reserved0;
  void (*cancel)(bp_call* self);
  void (*resume)(bp_call* self);
  void (*release)(bp_call* self);
};

typedef struct bp_loop bp_loop; /* an event loop; see backplane/loop.h */

#define BP_REQUEST_STREAM 1u         /* the caller wants a stream of events */
#define BP_REQUEST_USAGE 2u          /* ... and the usage as its last chunk */
#define BP_REQUEST_STREAM_OPTIONS 4u /* the body has a member stream_options */
/* The body's last message is what the model has written so far: it is to be gone on with. */
#define BP_REQUEST_CONTINUE 8u

/*
 * One call to serve. Transports fill operation, content_type, body, metadata and loop; the host
 * fills the rest before a backend sees it. Borrowed for the call it is passed to; `body` may be
 * kept by retaining it, everything else is copied if needed later.
 */
typedef struct bp_request {
  uint32_t struct_size;
  uint32_t flags;      /* BP_REQUEST_* */
  bp_str id;           /* request id; a transport may leave it empty to get one */
  bp_str operation;    /* "chat.completions", "completions", "embeddings", ... */
  bp_str content_type; /* media type of the body */
  bp_buffer body;      /* the dialect document, as sent; all of it or its beginning */
  bp_str model;        /* the name by which the backend knows the model */
  uint64_t
      model_offset;    /* where the model stands in `body`: its JSON string, quotes included, or */
  uint64_t model_size; /* the value of its form field. Size 0: the body names no model */
  uint64_t max_output_tokens; /* 0: not given */
  int64_t deadline_ns;        /* absolute, monotonic; 0: none */
  bp_loop* loop;              /* the call lives on this loop from first to last */
  const bp_pair* metadata;    /* lower-case names; credentials never reach a backend */
  uint64_t metadata_count;
  /* What follows `body`; null: nothing. From a transport: of a form, whose fields the host reads as
     they come. For a backend: from after the model on. */
  const bp_body_stream* body_stream;
} bp_request;

/* What the host offers. Tables live as long as the host; unknown ids give null. */
typedef struct bp_host bp_host;
struct bp_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved0;
  bp_str version; /* of the runtime, for messages */
  void* context;
  const void* (*get_interface)(const bp_host* self, bp_str id); /* [any-thread] */
};

/* How an instance of a plugin is made. */
typedef struct bp_instance_options {
  uint32_t struct_size;
  uint32_t reserved0;
  bp_str name; /* the instance's key in the deployment file */
  bp_str
      settings; /* JSON, valid by the plugin's schema, defaults filled in, secrets as references */
} bp_instance_options;

/* What a file offers; static, lives as long as the library is mapped. */
typedef struct bp_plugin {
  uint32_t struct_size;
  uint32_t abi_major;          /* of the headers it was built from */
  uint32_t abi_minor;          /* likewise; for messages */
  uint32_t abi_minor_required; /* the least it runs with; raised by hand only */
  bp_str name;
  bp_str version;
  bp_str schema;                           /* JSON Schema of the settings */
  const void* (*get_interface)(bp_str id); /* [any-thread] "bp.backend/1" ... */
} bp_plugin;

/* The one symbol a plugin exports. [control] */
typedef uint32_t (*bp_plugin_entry)(const bp_host* host, const bp_plugin** out, bp_error* error);

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_ABI_H */
