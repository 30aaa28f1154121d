#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what breaks the rules of CONTRIBUTING.md that a program can judge.

usage: style.py ROOT
"""
import os
import re
import sys

import files

SOURCES = (".c", ".h", ".cpp", ".hpp", ".cpp.in", ".cmake", ".cmake.in", ".py", ".sh", ".mjs",
           "CMakeLists.txt", ".ci/run", "bench/run", "bench/gateway/run", "tests/fuzz/run")
COLUMNS_MAX = 100
LINES_MAX = 500
LINES_WARN = 300
PAGES = {"README.md": 200, "plugins/README.md": 60, "CONTRIBUTING.md": 120,
         "docs/architecture.md": 250}
GENERATED = {"docs/config.md"}
CORPORA = ("configs/models/", "tests/fuzz/corpus/")  # what models and fuzzers are fed with
OWN_FOLDER = "tests/tree/"  # what is banned is named here

# What is matched, where, and what is wrong with it.
BANNED = (
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), SOURCES, "an open end"),
    (re.compile(r"\b(?:class|struct) (?:\[\[\w+\]\] )?\w*(?:Manager|Helper|Util|Impl)\b"),
     (".h", ".hpp", ".cpp"), "a name that says nothing"),
    (re.compile(r"https?://(?:registry|deb|pypi|index)\.[a-z.]+|registry\.npmjs\.org|pypi\.org"),
     ("",), "the host of a registry"),
    (re.compile(r"(?<![\w.])/(?:work|home|root|Users)/"), ("",), "a path of one machine"),
)
SLEEPS = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def lines_of_code(path, text):
    number = 0
    fenced = False
    for line in text.splitlines():
        number += 1
        if path.endswith(".md"):
            fenced ^= line.lstrip().startswith("```")
            if fenced or line.lstrip().startswith(("|", "```")):
                continue
        yield number, line


def check_source(path, text):
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in text.splitlines()[:2]):
        yield f"{path}:1: the licence line is missing: SPDX-License-Identifier: Apache-2.0"
    if path.endswith(".hpp") and "#pragma once" not in text:
        yield f"{path}:1: #pragma once is missing"
    if path not in GENERATED and text.count("\n") > LINES_MAX:
        yield f"{path}: {text.count(chr(10))} lines, at most {LINES_MAX}"
    if path.startswith("tests/") and not path.startswith(OWN_FOLDER):
        for number, line in enumerate(text.splitlines(), 1):
            if SLEEPS.search(line):
                yield f"{path}:{number}: a test that sleeps; wait for what is to happen"


def check_lines(path, text):
    is_corpus = path.startswith(CORPORA)
    is_measured = path.endswith((*SOURCES, ".md")) and path not in GENERATED and not is_corpus
    for number, line in lines_of_code(path, text):
        if is_measured and len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
        if not is_corpus and line != line.rstrip():
            yield f"{path}:{number}: trailing space"
        if path.startswith(OWN_FOLDER):
            continue
        for pattern, ends, why in BANNED:
            if path.endswith(ends) and (match := pattern.search(line)):
                yield f"{path}:{number}: {match.group(0)}: {why}"


def check_links(path, text, root):
    for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        target = link.split("#")[0]
        if ":" in link or not target:
            continue
        if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
            yield f"{path}: the link {link} leads nowhere"


def check_plugins(paths):
    folders = {"/".join(path.split("/")[:3]) for path in paths
               if path.startswith("plugins/") and path.count("/") >= 3}
    for folder in sorted(folders):
        name = folder.split("/")[2]
        if name == "common":
            continue
        for file in ("CMakeLists.txt", "README.md", "schema.json", name + ".cpp"):
            if f"{folder}/{file}" not in paths:
                yield f"{folder}: {file} is missing"


def faults(root):
    paths = files.files_of(root)
    found = [*check_plugins(set(paths))]
    for path in paths:
        text = files.text_of(root, path)
        if text is None:
            continue
        found += check_lines(path, text)
        if path.endswith(SOURCES):
            found += check_source(path, text)
        if path.endswith(".md"):
            found += check_links(path, text, root)
        if path in PAGES and text.count("\n") > PAGES[path]:
            found.append(f"{path}: {text.count(chr(10))} lines, at most {PAGES[path]}")
    return found


def warnings(root):
    for path in files.files_of(root):
        if path.endswith(SOURCES) and path not in GENERATED:
            count = (files.text_of(root, path) or "").count("\n")
            if LINES_WARN < count <= LINES_MAX:
                yield f"warning: {path}: {count} lines, more than {LINES_WARN}"


def main():
    found = faults(sys.argv[1])
    print("\n".join([*found, *warnings(sys.argv[1])]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
