/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs deployments inside another program: link libbackplane. No global state, no signal handler,
 * no exit(): any number of runtimes live in one process. Draft, as the plugin ABI is.
 */
#ifndef BACKPLANE_EMBED_H
#define BACKPLANE_EMBED_H

#include <backplane/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BP_EXPORT __attribute__((visibility("default")))

typedef struct bp_runtime bp_runtime;

/* One line about the deployment file: "deploy.yaml:9:3: models.fast: ...". Borrowed. */
typedef void (*bp_diagnostic)(void* context, bp_str line);

/*
 * Loads and starts a deployment; blocks while models load. `diagnose` (may be null) hears every
 * warning and error of the file, on the calling thread. `out` is ended by bp_runtime_stop.
 * INVALID_ARGUMENT: the file has errors. Others: `error` says what could not be started.
 */
BP_EXPORT uint32_t bp_runtime_start(const char* file, bp_diagnostic diagnose, void* context,
                                    bp_runtime** out, bp_error* error);

/*
 * Reads the file that the runtime was started with again and puts what it says in the place of what
 * runs: calls go on undisturbed, unchanged instances of plugins are kept. Blocks while models load;
 * calls of several threads take turns; not from a thread of the runtime. `diagnose` (may be null)
 * hears every warning and error, on the calling thread.
 * FAILED_PRECONDITION: the file has errors or something of it did not start; nothing has changed,
 * and `error` is the first of what diagnose heard.
 */
BP_EXPORT uint32_t bp_runtime_reload(bp_runtime* runtime, bp_diagnostic diagnose, void* context,
                                     bp_error* error);

/* Calls `tell` with each address that the transports listen on, "127.0.0.1:8080". */
BP_EXPORT void bp_runtime_addresses(const bp_runtime* runtime, void (*tell)(void*, bp_str),
                                    void* context);

/* Drains as the deployment says, stops, frees. Blocks; not from a thread of the runtime. */
BP_EXPORT void bp_runtime_stop(bp_runtime* runtime);

/* The `backplane` program; see `backplane --help`. Ignores SIGPIPE. Returns the exit status. */
BP_EXPORT int backplane_main(int argc, char** argv);

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_EMBED_H */
