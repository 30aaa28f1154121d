# SPDX-License-Identifier: Apache-2.0
"""The processes of the comparison: started on their core, asked what they cost, ended."""
import json
import os
import re
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 5


def fail(message):
    sys.exit(f"bench/gateway/run: {message}")


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


def fill(template, target, **values):
    with open(os.path.join(HERE, template), encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_tree(pid):
    """The process and its descendants."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for task in os.listdir(f"/proc/{current}/task"):
            with open(f"/proc/{current}/task/{task}/children", encoding="ascii") as file:
                waiting += [int(child) for child in file.read().split()]
    return found


def cpu_ticks(pid):
    """Time on a CPU, as /proc/PID/stat tells it, in clock ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def run_time_ns(pid):
    """Time on a CPU of all threads, as the scheduler counts it; None where it does not."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            return None
    return total


class Gateway:
    """A server under test; the direct way has no process and costs nothing."""

    def __init__(self, name, port, process=None, headers=()):
        self.name, self.port, self.process, self.headers = name, port, process, headers
        self.idle_kb = self.pss_kb()
        self.peak_kb = self.idle_kb

    def cpu_us(self):
        if self.process is None:
            return 0
        total = 0
        for pid in process_tree(self.process.pid):
            exact = run_time_ns(pid)
            tick_us = 1e6 / os.sysconf("SC_CLK_TCK")
            total += cpu_ticks(pid) * tick_us if exact is None else exact / 1000
        return total

    def pss_kb(self):
        if self.process is None:
            return 0
        total = 0
        for pid in process_tree(self.process.pid):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE)[1])
        return total

    def stop(self):
        if self.process is not None:
            stop(self.process)


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_listening(name, port, process):
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    fail(f"{name} did not start")


def start_mock(programs, core, body_bytes, frames, interval_ms):
    command = [os.path.join(programs, "mock_upstream"), str(body_bytes), str(frames),
               str(interval_ms)]
    process = subprocess.Popen(pinned(core, command), stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def load(programs, core, gateway, connections, seconds, body):
    """Runs the load generator; what it saw, and what the gateway spent on it."""
    command = [os.path.join(programs, "load_generator"), str(gateway.port), str(connections),
               str(seconds), body, *gateway.headers]
    before_us = gateway.cpu_us()
    generator = subprocess.Popen(pinned(core, command), stdout=subprocess.PIPE, text=True)
    peak_kb = gateway.peak_kb
    while generator.poll() is None:
        peak_kb = max(peak_kb, gateway.pss_kb())
        time.sleep(0.2)
    gateway.peak_kb = peak_kb
    if generator.returncode != 0:
        fail("the load generator failed")
    result = json.loads(generator.stdout.read())
    result["cpu_us"] = gateway.cpu_us() - before_us
    return result
