#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares docs/config.md with what the program prints.

usage: config_page.py BACKPLANE ROOT
"""
import difflib
import os
import subprocess
import sys


def main():
    program, root = sys.argv[1:]
    printed = subprocess.run([program, "schema", "--markdown"], check=True, capture_output=True,
                             text=True, timeout=60).stdout
    with open(os.path.join(root, "docs/config.md"), encoding="utf-8") as file:
        kept = file.read()
    if kept == printed:
        return 0
    sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), printed.splitlines(True),
                                               "docs/config.md", "backplane schema --markdown"))
    print("docs/config.md is stale; run: backplane schema --markdown > docs/config.md")
    return 1


if __name__ == "__main__":
    sys.exit(main())
