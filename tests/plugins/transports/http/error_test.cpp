// SPDX-License-Identifier: Apache-2.0
// Errors of a call as a client sees them.
#include "fake_host.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

struct Mapping {
  Error error;
  const char* status_line;
  const char* type;
  const char* code;
  const char* headers = "";
};

const Mapping kMappings[] = {
    {{Code::kCancelled, "", "", 0, 0},
     "499 Client Closed Request",
     "invalid_request_error",
     "CANCELLED"},
    {{Code::kUnknown, "", "", 0, 0}, "500 Internal Server Error", "server_error", "INTERNAL"},
    {{Code::kInvalidArgument, "", "", 0, 0},
     "400 Bad Request",
     "invalid_request_error",
     "INVALID_REQUEST"},
    {{Code::kDeadlineExceeded, "", "", 0, 0},
     "504 Gateway Timeout",
     "server_error",
     "DEADLINE_EXCEEDED"},
    {{Code::kNotFound, "", "", 0, 0}, "404 Not Found", "invalid_request_error", "NOT_FOUND"},
    {{Code::kAlreadyExists, "", "", 0, 0},
     "409 Conflict",
     "invalid_request_error",
     "ALREADY_EXISTS",
     "x-should-retry: false\r\n"},
    {{Code::kPermissionDenied, "", "", 0, 0},
     "403 Forbidden",
     "permission_error",
     "PERMISSION_DENIED"},
    {{Code::kResourceExhausted, "", "", 0, 1},
     "429 Too Many Requests",
     "rate_limit_error",
     "RESOURCE_EXHAUSTED",
     "retry-after: 1\r\nretry-after-ms: 1\r\n"},
    {{Code::kFailedPrecondition, "", "", 0, 0},
     "400 Bad Request",
     "invalid_request_error",
     "FAILED_PRECONDITION"},
    {{Code::kAborted, "", "", 0, 0},
     "409 Conflict",
     "invalid_request_error",
     "ABORTED",
     "x-should-retry: false\r\n"},
    {{Code::kOutOfRange, "", "", 0, 0}, "400 Bad Request", "invalid_request_error", "OUT_OF_RANGE"},
    {{Code::kUnimplemented, "", "", 0, 0}, "501 Not Implemented", "server_error", "UNIMPLEMENTED"},
    {{Code::kInternal, "", "", 0, 0}, "500 Internal Server Error", "server_error", "INTERNAL"},
    {{Code::kUnavailable, "", "", 0, 2000},
     "503 Service Unavailable",
     "server_error",
     "UNAVAILABLE",
     "retry-after: 2\r\nretry-after-ms: 2000\r\n"},
    {{Code::kDataLoss, "", "", 0, 0}, "502 Bad Gateway", "server_error", "DATA_LOSS"},
    {{Code::kUnauthenticated, "", "", 0, 0},
     "401 Unauthorized",
     "authentication_error",
     "UNAUTHENTICATED",
     "www-authenticate: Bearer\r\n"},
    {{static_cast<Code>(99), "", "", 0, 0},
     "500 Internal Server Error",
     "server_error",
     "INTERNAL"},
    {{Code::kFailedPrecondition, "", "INSUFFICIENT_BALANCE", 402, 0},
     "402 Payment Required",
     "insufficient_quota",
     "INSUFFICIENT_BALANCE"},
    {{Code::kInternal, "", "", 200, 0}, "500 Internal Server Error", "server_error", "INTERNAL"},
};

std::string expected_answer(const Mapping& mapping, std::string_view message) {
  const std::string body = R"({"error":{"message":")" + std::string(message) + R"(","type":")" +
                           mapping.type + R"(","param":null,"code":")" + mapping.code + R"("}})";
  return std::string("HTTP/1.1 ") + mapping.status_line + "\r\n" + std::string(kDate) +
         "x-request-id: 00000000000000000000000000000000\r\ncontent-type: application/json\r\n" +
         mapping.headers + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(Error, maps_to_status_type_and_code) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  for (const Mapping& mapping : kMappings) {
    connection.data("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    FakeCall& call = host.calls.back();
    call.head(0);
    Error error = mapping.error;
    error.message = "why";
    call.error(error);
    EXPECT_EQ(connection.take(), expected_answer(mapping, "why"));
  }
}

TEST(Error, without_message_says_its_code) {
  FakeHost host;
  host.start();
  host.begin_error = {Code::kUnavailable, "", "", 0, 0};
  bp_connection& connection = host.connect();
  connection.data("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_NE(connection.take().find(R"({"error":{"message":"UNAVAILABLE")"), std::string::npos);
}

}  // namespace
}  // namespace backplane::test
