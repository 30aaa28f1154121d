// SPDX-License-Identifier: Apache-2.0
// What an operator may ask of a runtime and have it do. Offered by the host to the admin server.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace backplane {

struct AdminAnswer {
  unsigned status = 200;
  std::string body;
  std::string_view media_type = "application/json";
};

// Takes an answer that comes later, on any thread, once.
using AdminTell = std::function<void(AdminAnswer)>;

class AdminOperations {
 public:
  virtual ~AdminOperations() = default;

  // [loop] None of them blocks. Texts are JSON unless said otherwise.
  virtual bool ready() const = 0;
  virtual std::string metrics() const = 0;  // in Prometheus' text format
  virtual std::string status() const = 0;
  virtual std::string plugins() const = 0;
  virtual std::string routes() const = 0;
  virtual std::string log() const = 0;
  // False: there is no such level.
  virtual bool set_log_level(std::string_view level) = 0;
  virtual void list_calls(AdminTell tell) = 0;
  virtual void cancel_calls(std::string id, AdminTell tell) = 0;
  virtual void reload(AdminTell tell) = 0;
  virtual void drain() = 0;
  virtual std::string clear_cache() = 0;
};

}  // namespace backplane
