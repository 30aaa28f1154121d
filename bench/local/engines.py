# SPDX-License-Identifier: Apache-2.0
"""The programs of the comparison: ours and llama.cpp's, on the same cores, with the same file."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20
SEQUENCES = 32
CONTEXT = 8192

DEPLOYMENT = """transports:
  http: {{uses: http, settings: {{listen: "127.0.0.1:{port}"}}}}
backends:
  local: {{uses: local, settings: {{model: {model}, threads: {threads},
                                  max_sequences: {sequences}}}}}
models:
  m: {{routes: [{{backend: local}}]}}
"""


def fail(message):
    sys.exit(f"bench/local/run: {message}")


def pinned(threads, command):
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def our_speed(program, model, threads, seconds):
    """Tokens a second of decode and of a prompt of 128."""
    command = [program, "--benchmark_filter=^(decode/sequences:1/threads:0|prefill/threads:0)/",
               f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
    told = subprocess.run(pinned(threads, command), check=True, capture_output=True, text=True,
                          env={**os.environ, "BACKPLANE_BENCH_MODEL": model})
    rows = {row["name"].split("/")[0]: row for row in json.loads(told.stdout)["benchmarks"]}
    if any("items_per_second" not in row for row in rows.values()):
        fail(f"{model}: {[row.get('error_message') for row in rows.values()]}")
    return {name: rows[name]["items_per_second"] for name in ("decode", "prefill")}


def their_speed(folder, model, threads, tokens):
    command = [os.path.join(folder, "llama-bench"), "-m", model, "-t", str(threads), "-p", "128",
               "-n", str(tokens), "-r", "1", "-o", "json"]
    told = subprocess.run(pinned(threads, command), check=True, capture_output=True, text=True)
    rows = json.loads(told.stdout)
    return {"prefill" if row["n_prompt"] else "decode": row["avg_ts"] for row in rows}


class Server:
    def __init__(self, name, port, model, command, log):
        self.name, self.port, self.model = name, port, model
        self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self, path):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        self.stop()
        fail(f"{self.name} did not start; see its log")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_ours(program, model, threads, folder):
    port = free_port()
    path = os.path.join(folder, "deployment.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(DEPLOYMENT.format(port=port, model=model, threads=threads,
                                     sequences=SEQUENCES))
    with open(os.path.join(folder, "backplane.log"), "ab") as log:
        server = Server("backplane", port, "m", pinned(threads, [program, "serve", path]), log)
    return server.wait("/v1/models")


def start_theirs(programs, model, threads, folder):
    port = free_port()
    command = [os.path.join(programs, "llama-server"), "-m", model, "--host", "127.0.0.1",
               "--port", str(port), "-t", str(threads), "-c", str(CONTEXT), "-np",
               str(SEQUENCES), "--no-webui", "-fa", "on", "--no-cache-idle-slots", "-cram", "0"]
    with open(os.path.join(folder, "llama-server.log"), "ab") as log:
        server = Server("llama-server", port, "m", pinned(threads, command), log)
    return server.wait("/health")
