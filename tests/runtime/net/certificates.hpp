// SPDX-License-Identifier: Apache-2.0
// Certificates made for one test.
#pragma once

#include <filesystem>
#include <string>

namespace backplane::testing {

// A self-signed certificate for `host` (a name or an IP address) and its key, in a folder of its
// own that goes with this object.
class Certificate {
 public:
  explicit Certificate(const std::string& host);
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string certificate() const { return (folder_ / "certificate.pem").string(); }
  std::string key() const { return (folder_ / "key.pem").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace backplane::testing
