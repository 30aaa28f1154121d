// SPDX-License-Identifier: Apache-2.0
// What the connections of one loop share, so that an idle one holds nothing of it. All [loop].
#pragma once

#include "connection.hpp"
#include "date_line.hpp"

#include <memory>
#include <string>
#include <vector>

namespace backplane::http {

struct Http1Request;
class Server;

class LoopShared {
 public:
  LoopShared();
  ~LoopShared();

  void add(Connection& connection);
  void remove(Connection& connection);
  void drain_all();

  std::string_view date_line(std::int64_t unix_ns) { return date_.at(unix_ns); }
  // Room for a head or a document that is sent at once; emptied by each call.
  std::string& scratch();

  // A spare one, or a new one.
  std::unique_ptr<Http1Request> take_request(Server& server);
  void give_back(std::unique_ptr<Http1Request> request);

 private:
  std::vector<Connection*> connections_;  // each knows its place
  std::vector<std::unique_ptr<Http1Request>> spare_requests_;
  DateLine date_;
  std::string scratch_;
};

}  // namespace backplane::http
