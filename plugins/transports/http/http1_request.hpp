// SPDX-License-Identifier: Apache-2.0
// What a connection of HTTP/1.1 holds only while there is a request.
#pragma once

#include "exchange.hpp"
#include "request_parser.hpp"
#include "server.hpp"

namespace backplane::http {

struct Http1Request {
  Http1Request(Server& server, LoopShared& shared)
      : parser({{server.settings().max_header_bytes, server.settings().max_headers},
                server.settings().max_body_bytes},
               server.bodies()),
        exchange(server, shared) {}

  void reset() {
    parser.reset();
    exchange.reset();
  }

  RequestParser parser;
  Exchange exchange;
};

}  // namespace backplane::http
