#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the sources that clang-format would change.

usage: format.py CLANG_FORMAT ROOT
"""
import os
import subprocess
import sys

import files

# Tables that are easier to read, or to generate, as they stand.
AS_THEY_STAND = {"plugins/backends/local/unicode_tables.cpp"}


def main():
    program, root = sys.argv[1:]
    sources = [path for path in files.files_of(root)
               if path.endswith((".c", ".h", ".cpp", ".hpp")) and path not in AS_THEY_STAND]
    found = [path for path in sources if not is_formatted(program, os.path.join(root, path))]
    for path in found:
        print(f"{path}: not formatted; run clang-format -i {path}")
    return 1 if found else 0


def is_formatted(program, path):
    made = subprocess.run([program, path], check=True, capture_output=True)
    with open(path, "rb") as file:
        return file.read() == made.stdout


if __name__ == "__main__":
    sys.exit(main())
