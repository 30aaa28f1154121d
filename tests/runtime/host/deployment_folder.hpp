// SPDX-License-Identifier: Apache-2.0
// A folder with a deployment in it, a runtime that serves it by the C API, and the eyes to see what
// becomes of it.
#pragma once

#include "runtime/include/backplane/embed.h"
#include "tests/runtime/host/http_client.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace backplane::test {

class DeploymentFolder : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // What a test writes between the lines that all have: transports, the folder of the test's own
  // plugins and a log that is off. `http` is what stands in the settings besides `listen`.
  std::string deployment(const std::string& rest, const std::string& http = {}) const;
  // A paced backend of this tag, "{uses: paced, ...}".
  std::string paced(const std::string& tag, const std::string& more = {}) const;

  void write(const std::string& yaml) const;
  std::string path(const std::string& name) const { return folder_ + '/' + name; }
  HttpClient client() const { return HttpClient("unix:" + path("http.sock")); }

  void start(const std::string& yaml);
  void stop();
  // Empty: done. Else what was diagnosed.
  std::string reload();
  std::string reload(const std::string& yaml);

  // The file `life` of the paced backends, and how often a line stands in it.
  std::vector<std::string> life() const;
  int lived(const std::string& line) const;
  // The value of a series, -1: there is none.
  double metric(const std::string& series) const;
  // Waits for what is to happen; fails the test after half a minute.
  void wait_for(const char* what, const std::function<bool()>& done) const;

  std::string folder_;
  bp_runtime* runtime_ = nullptr;
};

}  // namespace backplane::test
