# SPDX-License-Identifier: Apache-2.0
"""Trees of a few files, written out for the tests of the checks."""
import os
import tempfile


def faults_of(check, files):
    """What `check` finds in a tree of `files`, texts by path."""
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            file = os.path.join(root, name)
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "w", encoding="utf-8") as out:
                out.write(content)
        return check(root)
