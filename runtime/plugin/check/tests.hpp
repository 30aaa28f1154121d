// SPDX-License-Identifier: Apache-2.0
// The tests of the conformance check. Each runs in a process of its own, on a loaded plugin.
#pragma once

#include "runtime/plugin/check/instance.hpp"
#include "runtime/plugin/check/probe.hpp"

#include <span>

namespace backplane {

struct CheckTest {
  const char* name;
  void (*run)(Probe& probe, const Subject& subject);
};

std::span<const CheckTest> life_tests();     // every kind: create ... destroy
std::span<const CheckTest> backend_tests();  // calls, flow control, cancel

}  // namespace backplane
