// SPDX-License-Identifier: Apache-2.0
// HTTP by hand over a Unix socket or a port of this machine: one connection, one request.
#pragma once

#include <string>

namespace backplane::test {

// "unix:PATH" or "127.0.0.1:PORT".
class HttpClient {
 public:
  explicit HttpClient(std::string address) : address_(std::move(address)) {}

  // Everything that came until the server closed; empty where it could not be reached.
  std::string get(const std::string& path, const std::string& headers = {}) const;
  std::string send(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& headers = {}) const;
  // A streamed chat completion whose last message is `content`.
  std::string chat(const std::string& model, const std::string& content) const;

  // A connected socket; -1: refused.
  int connect() const;
  static bool write(int descriptor, const std::string& text);
  // What comes up to and with `mark`, or until the end.
  static std::string read_through(int descriptor, const std::string& mark);
  static std::string chat_request(const std::string& model, const std::string& content,
                                  bool keep_alive);

 private:
  std::string talk(const std::string& request) const;
  const std::string address_;
};

}  // namespace backplane::test
