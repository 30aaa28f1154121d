// SPDX-License-Identifier: Apache-2.0
// What the connections of one loop share, so that an idle one holds nothing of it. All [loop].
#pragma once

#include "compression.hpp"
#include "connection.hpp"
#include "date_line.hpp"

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <vector>

namespace backplane::http {

struct Http1Request;
class Http2Stream;
class Server;

class LoopShared {
 public:
  LoopShared();
  ~LoopShared();

  void add(Connection& connection);
  void remove(Connection& connection);
  void drain_all();

  std::string_view date_line(std::int64_t unix_ns) { return date_.at(unix_ns); }
  // Room for a head that is sent at once; emptied by each call.
  std::string& scratch();
  std::vector<nghttp2_nv>& fields();

  Compressor& compressor() { return compressor_; }

  // A spare one, or a new one.
  std::unique_ptr<Http1Request> take_request(Server& server);
  void give_back(std::unique_ptr<Http1Request> request);
  std::unique_ptr<Http2Stream> take_stream(Server& server);
  void give_back(std::unique_ptr<Http2Stream> stream);

 private:
  std::vector<Connection*> connections_;  // each knows its place
  std::vector<std::unique_ptr<Http1Request>> spare_requests_;
  std::vector<std::unique_ptr<Http2Stream>> spare_streams_;
  DateLine date_;
  Compressor compressor_;
  std::string scratch_;
  std::vector<nghttp2_nv> fields_;
};

}  // namespace backplane::http
