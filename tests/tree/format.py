#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the sources that clang-format would change.

usage: format.py CLANG_FORMAT ROOT
"""
import subprocess
import sys

import files


def main():
    program, root = sys.argv[1:]
    sources = [path for path in files.files_of(root)
               if path.endswith((".c", ".h", ".cpp", ".hpp"))]
    told = subprocess.run([program, "--dry-run", "--Werror", *sources], cwd=root, check=False,
                          capture_output=True, text=True)
    found = {line.split(":")[0] for line in told.stderr.splitlines() if ": error: " in line}
    for path in sorted(found):
        print(f"{path}: not formatted; run clang-format -i {path}")
    return told.returncode


if __name__ == "__main__":
    sys.exit(main())
