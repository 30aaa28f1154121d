// SPDX-License-Identifier: Apache-2.0
// What a caller is told of every kind of response, sent whole or byte by byte.
#include "runtime/net/http.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tests/runtime/net/fetch.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::always;
using testing::Fetch;
using testing::HttpWorld;
using testing::Outcome;
using testing::RawSocket;
using testing::response_with;
using testing::ScriptedServer;

struct Case {
  std::string name;
  std::string response;  // after it the server closes
  std::uint32_t status = 200;
  std::string body;
  std::uint32_t code = BP_CODE_OK;
  std::string message = {};
  std::string method = "GET";
};

constexpr char kNotHttp[] =
    "the upstream does not speak HTTP/1.1, or its head is longer than 64 KiB";
constexpr char kEndedEarly[] = "the upstream's response ended early";
constexpr char kNoAnswer[] = "the upstream closed the connection without an answer";

std::vector<Case> cases() {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  return {
      {"length", response_with("hello"), 200, "hello"},
      {"empty", response_with(""), 200, ""},
      {"chunked", chunked + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, "hello"},
      {"until_end", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello"},
      {"interim", "HTTP/1.1 100 Continue\r\n\r\n" + response_with("x"), 200, "x"},
      {"error_status", "HTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\n!", 503, "!"},
      {"no_content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"to_head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", BP_CODE_OK, "", "HEAD"},
      {"early_close", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, "hello",
       BP_CODE_DATA_LOSS, kEndedEarly},
      {"early_close_in_chunk", chunked + "9\r\nhello", 200, "hello", BP_CODE_DATA_LOSS,
       kEndedEarly},
      {"early_close_in_head", "HTTP/1.1 200 OK\r\nX", 0, "", BP_CODE_DATA_LOSS, kEndedEarly},
      {"early_close_after_interim", "HTTP/1.1 100 Continue\r\n\r\n", 0, "", BP_CODE_DATA_LOSS,
       kEndedEarly},
      {"close", "", 0, "", BP_CODE_UNAVAILABLE, kNoAnswer},
      {"not_http", "220 mail.example ESMTP\r\n\r\n", 0, "", BP_CODE_INVALID_ARGUMENT, kNotHttp},
      {"bad_chunk", chunked + "zz\r\nabc\r\n", 200, "", BP_CODE_INVALID_ARGUMENT, kNotHttp},
  };
}

class Response : public ::testing::TestWithParam<Case> {
 protected:
  Outcome fetch_from(const ScriptedServer::Script& script) {
    const ScriptedServer server(script);
    HttpWorld world;
    Fetch fetch(world, server.url());
    fetch.method = GetParam().method;
    return fetch.get();
  }
  void check(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, GetParam().status);
    EXPECT_EQ(outcome.heads, GetParam().status == 0 ? 0 : 1);
    EXPECT_EQ(outcome.body, GetParam().body);
    EXPECT_EQ(outcome.code, GetParam().code);
    EXPECT_EQ(outcome.message, GetParam().message);
  }
};

TEST_P(Response, IsToldWhenSentWhole) {
  check(fetch_from([](RawSocket& peer, int) {
    read_request(peer);
    peer.send(GetParam().response);
  }));
}

TEST_P(Response, IsToldWhenSentByteByByte) {
  check(fetch_from([](RawSocket& peer, int) {
    const int on = 1;
    setsockopt(peer.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    read_request(peer);
    for (const char byte : GetParam().response) peer.send({&byte, 1});
  }));
}

INSTANTIATE_TEST_SUITE_P(Cases, Response, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Http, HeadersArriveInLowerCaseAndInOrder) {
  const ScriptedServer server(always(
      "HTTP/1.1 200 OK\r\nX-B: 1\r\nSet-Cookie: a\r\nset-cookie: B\r\nContent-Length: 0\r\n\r\n"));
  HttpWorld world;
  const Outcome outcome = Fetch(world, server.url()).get();
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"x-b", "1"}, {"set-cookie", "a"}, {"set-cookie", "B"}, {"content-length", "0"}};
  EXPECT_EQ(outcome.headers, expected);
}

TEST(Http, SendsTheRequestAsGiven) {
  testing::Watched<std::string> seen;
  const ScriptedServer server([&](RawSocket& peer, int) {
    const std::string request = read_request(peer);
    seen.update([&](auto& text) { text = request; });
    peer.send(response_with(""));
  });
  HttpWorld world;
  Fetch fetch(world, server.url("/v1?x=1"));
  fetch.method = "POST";
  fetch.headers = {{"Content-Type", "text/plain"}};
  fetch.body = {"one ", "", "two"};
  EXPECT_EQ(fetch.get().done, 1);
  EXPECT_EQ(seen.get(),
            "POST /v1?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\none two");
}

TEST(Http, SendsABodyOfManyMegabytesInManyPieces) {
  testing::Watched<std::size_t> received;
  const ScriptedServer server([&](RawSocket& peer, int) {
    const std::string request = read_request(peer);
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    std::size_t right = 0;
    while (right < body.size() && body[right] == static_cast<char>('a' + right / 100'000 % 26)) {
      ++right;
    }
    received.update([&](auto& size) { size = right; });
    peer.send(response_with("ok"));
  });
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.method = "POST";
  for (int piece = 0; piece < 200; ++piece) {
    fetch.body.push_back(std::string(100'000, static_cast<char>('a' + piece % 26)));
  }
  EXPECT_EQ(fetch.get().body, "ok");
  EXPECT_EQ(received.get(), 20'000'000u);
}

TEST(Http, ReadsAnAnswerGivenBeforeTheRequestWasTaken) {
  const ScriptedServer server([](RawSocket& peer, int) {
    peer.receive_through("\r\n\r\n");
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    peer.is_ended();
  });
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.method = "POST";
  fetch.body = {std::string(32'000'000, 'x')};
  const Outcome outcome = fetch.get();
  EXPECT_EQ(outcome.status, 413u);
  EXPECT_EQ(outcome.body, "big");
}

TEST(Http, AHugeHeadIsRefused) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\n");
    for (int line = 0;
         peer.send("X-" + std::to_string(line) + ": " + std::string(900, 'x') + "\r\n"); ++line) {
    }
  });
  HttpWorld world;
  const Outcome outcome = Fetch(world, server.url()).get();
  EXPECT_EQ(outcome.code, BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(outcome.message, kNotHttp);
}

TEST(Http, AnEndlessChunkExtensionIsRefused) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=");
    while (peer.send(std::string(1000, 'x'))) {
    }
  });
  HttpWorld world;
  EXPECT_EQ(Fetch(world, server.url()).get().code, BP_CODE_INVALID_ARGUMENT);
}

TEST(Http, RefusesABadRequestAtOnce) {
  HttpWorld world;
  Fetch no_url(world, "nowhere");
  bp_error error{};
  EXPECT_EQ(no_url.start(&error), BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(error.code, BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(no_url.exchange, nullptr);
  Fetch bad_header(world, "http://127.0.0.1/");
  bad_header.headers = {{"a", "b\nc"}};
  EXPECT_EQ(bad_header.start(), BP_CODE_INVALID_ARGUMENT);
  Fetch elsewhere(world, "http://127.0.0.1/");
  EXPECT_EQ(elsewhere.start_here(), BP_CODE_INVALID_ARGUMENT);
}

TEST(Http, NamesNoAddressWhenItCannotConnect) {
  std::uint16_t free_port = 0;
  {
    const testing::RawListener listener;
    free_port = listener.port();
  }
  HttpWorld world;
  const Outcome refused = Fetch(world, "http://127.0.0.1:" + std::to_string(free_port)).get();
  EXPECT_EQ(refused.code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(refused.message, "the upstream cannot be reached");
  const Outcome unknown = Fetch(world, "http://" + std::string(64, 'a') + "/").get();
  EXPECT_EQ(unknown.code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(unknown.message, "the upstream's name has no address");
}

TEST(Http, TriesTheAddressesOfANameInTurn) {
  const ScriptedServer server(always(response_with("found")));
  HttpWorld world;
  for (int turn = 0; turn < 2; ++turn) {
    const auto url = "http://localhost:" + std::to_string(server.port());
    EXPECT_EQ(Fetch(world, url).get().body, "found");
  }
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace backplane
