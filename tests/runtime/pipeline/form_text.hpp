// SPDX-License-Identifier: Apache-2.0
// Forms as text, for tests.
#pragma once

#include <string>
#include <string_view>

namespace backplane::test {

inline const std::string kFormType = "multipart/form-data; boundary=XX";

inline std::string field(std::string_view name, std::string_view value) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(value) + "\r\n";
}
inline std::string file(std::string_view name, std::string_view content) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) +
         "\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n" + std::string(content) +
         "\r\n";
}
inline const std::string kFormEnd = "--XX--\r\n";

}  // namespace backplane::test
