# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared, each started on one core in front of the same upstream."""
import os
import re
import shutil
import subprocess

from measure import Gateway, fail, fill, free_port, pinned, wait_until_listening

LOOPBACK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loopback.mjs")
PORTKEY = os.path.join("node_modules", "@portkey-ai", "gateway", "build", "start-server.js")


def start_nginx(folder, core, upstream_port):
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        fail("nginx is missing; install it: apt-get install nginx-light")
    port = free_port()
    config = os.path.join(folder, "nginx.conf")
    fill("nginx.conf.in", config, folder=folder, port=port, upstream_port=upstream_port)
    command = [program, "-p", folder, "-c", config, "-e", os.path.join(folder, "nginx.log")]
    process = subprocess.Popen(pinned(core, command))
    wait_until_listening("nginx", port, process)
    return Gateway("nginx", port, process)


def start_haproxy(folder, core, upstream_port):
    """None where it is not installed."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        return None
    port = free_port()
    config = os.path.join(folder, "haproxy.cfg")
    fill("haproxy.cfg.in", config, port=port, upstream_port=upstream_port)
    process = subprocess.Popen(pinned(core, [program, "-db", "-f", config]))
    wait_until_listening("haproxy", port, process)
    return Gateway("haproxy", port, process)


def start_portkey(modules, core, upstream_port):
    """`modules` is the folder where npm has installed @portkey-ai/gateway."""
    program = os.path.join(modules, PORTKEY)
    if not os.path.exists(program):
        fail(f"no Portkey under {modules}; see docs/performance.md")
    port = free_port()
    command = ["node", "--import", LOOPBACK, program, f"--port={port}", "--headless"]
    process = subprocess.Popen(pinned(core, command), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               env=dict(os.environ, NODE_ENV="production"))
    wait_until_listening("portkey", port, process)
    return Gateway("portkey", port, process,
                   ["x-portkey-provider: openai",
                    f"x-portkey-custom-host: http://127.0.0.1:{upstream_port}/v1"])


def start_backplane(program, folder, cores, upstream_port, loops=1):
    config = os.path.join(folder, "backplane.yaml")
    fill("backplane.yaml.in", config, upstream_port=upstream_port, loops=loops)
    process = subprocess.Popen(pinned(cores, [program, "serve", config]), stdout=subprocess.PIPE,
                               text=True)
    for line in process.stdout:
        if found := re.search(r"listening on \S+:(\d+)$", line):
            return Gateway("ours", int(found[1]), process)
    fail("backplane did not start")
