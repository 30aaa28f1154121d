#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small tree in order, and one broken never at a time: each must be found."""
import unittest

import includes
import small_tree

TREE = {
    "abi/include/backplane/abi.h": "#include <stdint.h>\n",
    "abi/include/backplane/result.hpp": "#include <backplane/abi.h>\n#include <string>\n",
    "kernels/tensor.hpp": "#include <cstddef>\n",
    "plugins/backends/common/services.hpp": "#include <backplane/abi.h>\n",
    "plugins/backends/echo/echo.cpp": "#include <backplane/result.hpp>\n#include <boost/json.hpp>\n"
                                      '#include "bp_plugin_schema.inc"\n',
    "plugins/backends/local/local.cpp": '#include "kernels/tensor.hpp"\n'
                                        '#include "common/services.hpp"\n',
    "plugins/transports/http/http.cpp": '#include "server.hpp"\n',
    "plugins/transports/http/server.hpp": "",
    "plugins/transports/null/null.cpp": "",
    "runtime/config/json.cpp": 'auto kind = "null";\n',
    "runtime/net/loop.hpp": "",
    "runtime/main.cpp": '#include "runtime/net/loop.hpp"\nauto scheme = "https";\n',
    "tests/runtime/loop_test.cpp": '#include "runtime/net/loop.hpp"\nauto name = "echo";\n',
}
BROKEN = {
    "runtime includes a plugin": ("runtime/a.cpp", '#include "plugins/backends/echo/echo.cpp"'),
    "runtime includes a kernel": ("runtime/a.cpp", "#include <kernels/tensor.hpp>"),
    "runtime names a plugin": ("runtime/a.cpp", 'load("echo");'),
    "runtime names null outside JSON": ("runtime/net/a.cpp", 'if (uses == "null") return;'),
    "a plugin includes the runtime": ("plugins/backends/echo/a.cpp",
                                      '#include "runtime/net/loop.hpp"'),
    "by a path of its own": ("plugins/backends/echo/a.cpp", '#include "../../../runtime/main.cpp"'),
    "a plugin includes another": ("plugins/backends/echo/a.cpp", '#include "../local/local.cpp"'),
    "by the include folder": ("plugins/backends/echo/a.cpp", '#include "local/local.cpp"'),
    "a plugin includes another kind": ("plugins/transports/http/a.cpp",
                                       '# include "plugins/backends/common/services.hpp"'),
    "a plugin includes kernels": ("plugins/backends/echo/a.cpp", '#include "kernels/tensor.hpp"'),
    "common includes a plugin": ("plugins/backends/common/a.cpp", '#include "echo/echo.cpp"'),
    "kernels include the ABI": ("kernels/a.cpp", "#include <backplane/abi.h>"),
    "kernels include the runtime": ("kernels/a.cpp", '#include "runtime/no_such_file.hpp"'),
    "kernels include a plugin": ("kernels/a.cpp", '#include "plugins/backends/echo/echo.cpp"'),
    "the ABI includes kernels": ("abi/include/backplane/a.h", '#include "kernels/tensor.hpp"'),
    "the ABI includes a third party": ("abi/include/backplane/a.h", "#include <boost/json.hpp>"),
}


def faults_with(path=None, text=""):
    return small_tree.faults_of(includes.faults, {**TREE, **({path: text} if path else {})})


class Includes(unittest.TestCase):
    def test_order(self):
        self.assertEqual(faults_with(), [])

    def test_broken(self):
        for what, (path, text) in BROKEN.items():
            with self.subTest(what):
                found = faults_with(path, text + "\n")
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(path + ":"), found)


if __name__ == "__main__":
    unittest.main()
