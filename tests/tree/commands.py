#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the pages to the program: every `backplane ...` line of their bash blocks names a command
and options that exist, every script they run exists, and every whole deployment passes `check`.

usage: commands.py BACKPLANE ROOT
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

PAGES = ("README.md", "CONTRIBUTING.md", "docs/abi.md", "docs/architecture.md",
         "docs/models.md", "plugins/README.md", "configs/README.md")
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^(?:\S*/)?backplane$")


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False,
                          timeout=60)


def fault_of_command(program, words):
    """Looks for the command, and then for its options, in what --help prints."""
    command = []
    while True:
        helped = run(program, *command, "--help").stdout
        known = re.findall(r"^  ([a-z]+) {2,}", helped, re.MULTILINE)
        if not known:
            break
        command.append(words[len(command) + 1] if len(words) > len(command) + 1 else "nothing")
        if command[-1] not in known:
            return f"no such command: {command[-1]}"
    for word in words[1:]:
        option = word.split("=")[0]
        if option.startswith("--") and option not in helped:
            return f"no such option: {option}"
    return None


def fault_of_line(program, root, line):
    words = shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True)
    if not words:
        return None
    if PROGRAM.match(words[0]):
        return fault_of_command(program, words)
    if words[0].startswith(("./", "bench/")) and not os.path.exists(os.path.join(root, words[0])):
        return "no such file"
    return None


def fault_of_deployment(program, text):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "deploy.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        checked = run(program, "check", "--no-env", file)
        return checked.stderr.strip() if checked.returncode != 0 else None


def faults(program, root, page):
    with open(os.path.join(root, page), encoding="utf-8") as file:
        text = file.read()
    for kind, block in BLOCK.findall(text):
        block = textwrap.dedent(block)
        if kind == "yaml" and block.startswith("transports:"):
            if fault := fault_of_deployment(program, block):
                yield f"{page}: a deployment does not pass: {fault}"
        if kind == "bash":
            for line in block.replace("\\\n", " ").splitlines():
                if not line.startswith((" ", "'", "{", "curl")):
                    if fault := fault_of_line(program, root, line):
                        yield f"{page}: {line}: {fault}"


def main():
    program, root = sys.argv[1:]
    found = [fault for page in PAGES if os.path.exists(os.path.join(root, page))
             for fault in faults(program, root, page)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
