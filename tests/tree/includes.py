#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the include graph and prints every edge that the architecture forbids.

usage: includes.py ROOT
"""
import os
import re
import sys

import files

SOURCES = (".c", ".h", ".cpp", ".hpp", ".in", ".inc")
FLOORS = ("abi", "kernels", "plugins", "runtime", "tests", "bench")
# Where quoted and angled names of ours may start from, besides the file's own folder.
INCLUDE_FOLDERS = ("", "abi/include", "runtime/include", "plugins/backends")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# Words that are a plugin's name and, in these folders, something else.
OTHER_MEANINGS = {
    "null": ("runtime/config/", "runtime/plugin/check/"),  # the JSON value
}


def target_of(path, name, known):
    """The file of the tree that an include means; None for one from outside."""
    for folder in (os.path.dirname(path), *INCLUDE_FOLDERS):
        candidate = os.path.normpath(os.path.join(folder, name)).replace(os.sep, "/")
        if candidate in known:
            return candidate
    return name if name.split("/")[0] in FLOORS and "/" in name else None


def plugin_of(path):
    """plugins/<kind>/<name>, or None outside of it."""
    parts = path.split("/")
    return "/".join(parts[:3]) if parts[0] == "plugins" and len(parts) > 3 else None


def is_allowed(path, target):
    floor, below = path.split("/")[0], target.split("/")[0]
    if floor in ("abi", "kernels"):
        return below == floor
    if floor == "runtime":
        return below in ("abi", "runtime")
    if floor == "plugins":
        own = plugin_of(path)
        if below == "plugins":
            kind = "/".join(path.split("/")[:2])
            return plugin_of(target) in (own, kind + "/common")
        return below == "abi" or (below == "kernels" and own == "plugins/backends/local")
    return True


def is_foreign_to_abi(path, bracket, name):
    """The ABI stands on the standard library alone."""
    return path.startswith("abi/include/") and bracket == "<" and (
        "/" in name and not name.startswith("backplane/"))


def forbidden_includes(root, paths):
    known = set(paths)
    for path in paths:
        if path.split("/")[0] not in FLOORS or not path.endswith(SOURCES):
            continue
        for bracket, name in INCLUDE.findall(files.text_of(root, path) or ""):
            target = target_of(path, name, known)
            if is_foreign_to_abi(path, bracket, name) or (target and not is_allowed(path, target)):
                yield f"{path}: includes {name}, which its floor must not know"


def plugin_names(paths):
    """Names of plugins, by their folders."""
    folders = {plugin_of(path) for path in paths} - {None}
    return {folder.split("/")[2] for folder in folders} - {"common"}


def named_plugins(root, paths):
    names = plugin_names(paths)
    for path in paths:
        if not path.startswith("runtime/") or not path.endswith((".cpp", ".hpp", ".h")):
            continue
        text = INCLUDE.sub("", files.text_of(root, path) or "")
        for word in STRING.findall(text):
            if word in names and not path.startswith(OTHER_MEANINGS.get(word, ("-",))):
                yield f'{path}: names the plugin "{word}"; the runtime knows none by name'


def faults(root):
    paths = files.files_of(root)
    return [*forbidden_includes(root, paths), *named_plugins(root, paths)]


def main():
    found = faults(sys.argv[1])
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
