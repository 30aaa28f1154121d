#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small tree in order, and one broken rule at a time: each must be found."""
import os
import unittest

import small_tree
import style

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
TREE = {
    "README.md": "[a](docs/a.md#part) [b](https://example.com)\n```\n[c](none.md)\n```\n",
    "docs/a.md": "| " + "wide " * 40 + "|\n",
    "plugins/backends/echo/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n",
    "plugins/backends/echo/README.md": "# echo\n",
    "plugins/backends/echo/schema.json": "{}\n",
    "plugins/backends/echo/echo.cpp": LICENCE,
    "plugins/backends/common/a.hpp": LICENCE + "#pragma once\nclass Utility {};\n",
    "tests/tool.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n",
}
BROKEN = {
    "no licence line": ("a.cpp", "int a;\n"),
    "no pragma": ("a.hpp", LICENCE),
    "a long line": ("a.cpp", LICENCE + "int " + "a" * 100 + ";\n"),
    "a long line of prose": ("docs/b.md", "word " * 25 + "end\n"),
    "a long file": ("a.cpp", LICENCE + "int a;\n" * 500),
    "a long page": ("plugins/README.md", "word\n" * 61),
    "a trailing space": ("a.yaml", "a: 1 \n"),
    "an open end": ("a.cpp", LICENCE + "// TO" + "DO: later\n"),
    "an empty name": ("a.cpp", LICENCE + "class CallMana" + "ger {};\n"),
    "a registry": ("a.sh", "# SPDX-License-Identifier: Apache-2.0\ncurl https://registry.a.org\n"),
    "a machine": ("docs/b.md", "see /ho" + "me/me/notes\n"),
    "a sleep": ("tests/a_test.cpp", LICENCE + "std::this_thread::sleep_for(1s);\n"),
    "a dead link": ("docs/b.md", "[a](none.md)\n"),
    "half a plugin": ("plugins/backends/half/half.cpp", LICENCE),
}


def faults_with(path=None, text=""):
    return small_tree.faults_of(style.faults, {**TREE, **({path: text} if path else {})})


class Style(unittest.TestCase):
    def test_order(self):
        self.assertEqual(faults_with(), [])

    def test_broken(self):
        for what, (path, text) in BROKEN.items():
            with self.subTest(what):
                found = faults_with(path, text)
                self.assertTrue(found)
                self.assertTrue(all(fault.startswith(os.path.dirname(path)) for fault in found))


if __name__ == "__main__":
    unittest.main()
