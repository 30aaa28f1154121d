# SPDX-License-Identifier: Apache-2.0
"""The files of the tree, without what is built, installed or hidden."""
import os

SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__", "shared"}
SHOWN_HIDDEN = {".ci"}


def is_skipped(folder):
    return folder in SKIPPED_FOLDERS or (folder.startswith(".") and folder not in SHOWN_HIDDEN)


def files_of(root):
    """Paths relative to root, with '/', sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_skipped(name)]
        relative = os.path.relpath(folder, root)
        names = [name for name in names if name != ".git"]  # a file in a second work tree
        found += [os.path.normpath(os.path.join(relative, name)) for name in names]
    return sorted(path.replace(os.sep, "/") for path in found)


def text_of(root, path):
    """None where the file is not text."""
    with open(os.path.join(root, path), "rb") as file:
        content = file.read()
    try:
        return None if b"\0" in content else content.decode("utf-8")
    except UnicodeDecodeError:
        return None
