// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_response.hpp"

#include <gtest/gtest.h>

#include <string>

#include "runtime/net/http.hpp"

namespace backplane {
namespace {

// What a response is told as, in one line: "200 a=1,b=2|body".
class Transcript final : public ResponseSink {
 public:
  bool on_head(std::uint32_t status, std::span<const bp_pair> headers) override {
    text += std::to_string(status) + " ";
    for (const bp_pair& header : headers) {
      text.append(header.name.data, header.name.size).append("=");
      text.append(header.value.data, header.value.size).append(",");
    }
    text += "|";
    return !stops;
  }
  bool on_body(std::string_view bytes) override {
    text.append(bytes);
    return !stops;
  }
  std::string text;
  bool stops = false;
};

struct Reading {
  Progress progress = Progress::kNeedMore;
  std::string text;
  std::string rest;
  bool keeps_alive = false;
};

// Feeds `input` in pieces of at most `piece` bytes, the first cut at `first`, as a socket would.
Reading read_in_pieces(const std::string& input, std::size_t first, std::size_t piece, bool stops,
                       bool ends, bool to_head) {
  Transcript transcript;
  transcript.stops = stops;
  ResponseReader reader(transcript);
  reader.begin(to_head);
  Reading reading;
  std::string held;
  std::size_t position = 0;
  while (reading.progress == Progress::kNeedMore && position < input.size()) {
    const std::size_t size = position == 0 && first != 0 ? first : piece;
    held += input.substr(position, size);
    position += std::min(size, input.size() - position);
    do {
      std::size_t consumed = 0;
      reading.progress = reader.read(held, consumed);
      held.erase(0, consumed);
    } while (reading.progress == Progress::kStopped);
  }
  if (reading.progress == Progress::kNeedMore && ends) reading.progress = reader.end(false);
  if (reading.progress == Progress::kDone) reading.keeps_alive = reader.keeps_alive();
  reading.text = transcript.text;
  reading.rest = held + input.substr(position);
  return reading;
}

struct Case {
  const char* name;
  std::string input;
  std::string text;
  bool keeps_alive;
  bool ends = false;
  bool to_head = false;
  const char* rest = "";
};

const std::vector<Case> kGood = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b c\r\n\r\nhello",
     "200 content-length=5,x-a=b c,|hello", true},
    {"no_body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 content-length=0,|", true},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=\"y\"\r\n \r\nA\r\n"
     "0123456789\r\n0\r\n\r\n",
     "200 transfer-encoding=chunked,|hello 0123456789", true},
    {"trailer",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
     "200 transfer-encoding=chunked,|x", true},
    {"no_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "200 transfer-encoding=chunked,|", true},
    {"until_end", "HTTP/1.1 200 OK\r\n\r\nall of it", "200 |all of it", false, true},
    {"old_version", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 content-length=1,|x",
     false},
    {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
     "200 connection=close,content-length=1,|x", false},
    {"interim",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
     "201 content-length=2,|ok", true},
    {"to_head", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "200 content-length=99,|", true,
     false, true},
    {"no_content", "HTTP/1.1 204 No Content\r\n\r\n", "204 |", true},
    {"not_modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
     "304 content-length=7,|", true},
    {"rest", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200", "200 content-length=1,|x",
     true, false, false, "HTTP/1.1 200"},
};

TEST(ResponseReader, ReadsTheSameHoweverItIsCut) {
  for (const Case& each : kGood) {
    for (std::size_t first = 1; first <= each.input.size(); ++first) {
      for (const std::size_t piece : {std::size_t{1}, each.input.size()}) {
        for (const bool stops : {false, true}) {
          const Reading reading =
              read_in_pieces(each.input, first, piece, stops, each.ends, each.to_head);
          ASSERT_EQ(reading.progress, Progress::kDone) << each.name << " cut at " << first;
          ASSERT_EQ(reading.text, each.text) << each.name << " cut at " << first;
          ASSERT_EQ(reading.rest, each.rest) << each.name << " cut at " << first;
          ASSERT_EQ(reading.keeps_alive, each.keeps_alive) << each.name;
        }
      }
    }
  }
}

TEST(ResponseReader, IsNotDoneBeforeTheLastByte) {
  for (const Case& each : kGood) {
    if (each.ends || *each.rest != '\0') continue;
    for (std::size_t size = 1; size < each.input.size(); ++size) {
      const Reading reading =
          read_in_pieces(each.input.substr(0, size), 0, size, false, true, each.to_head);
      ASSERT_EQ(reading.progress, Progress::kMalformed) << each.name << " ended after " << size;
    }
  }
}

TEST(ResponseReader, GivesEveryByteOfABodyWhenItComes) {
  const std::string head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  const std::string event = "data: {}\n\n";
  for (std::size_t last = 1; last < event.size(); ++last) {
    const std::string cut = head + "a\r\n" + event.substr(0, event.size() - last);
    const Reading reading = read_in_pieces(cut + event.substr(event.size() - last), cut.size(),
                                           last, false, false, false);
    EXPECT_EQ(reading.text, "200 transfer-encoding=chunked,|" + event) << last << " bytes apart";
  }
}

TEST(ResponseReader, RefusesWhatIsNotHttp) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  std::string interim;
  for (int count = 0; count < 20; ++count) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& bad : std::vector<std::string>{
           "SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n", ok + "no colon\r\n\r\n",
           ok + "Content-Length: x\r\n\r\n", ok + "Content-Length: -1\r\n\r\n",
           ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
           ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", chunked + "x\r\n",
           chunked + "1\r\nxxx\r\n", chunked + "fffffffffffffffff\r\n",
           ok + "X: " + std::string(kResponseHeadMaxBytes, 'x'), interim}) {
    EXPECT_EQ(read_in_pieces(bad, 0, bad.size(), false, false, false).progress,
              Progress::kMalformed)
        << bad.substr(0, 80);
  }
}

TEST(ResponseReader, AnAttackersEndIsNotTheEnd) {
  Transcript transcript;
  ResponseReader reader(transcript);
  reader.begin(false);
  std::size_t consumed = 0;
  EXPECT_EQ(reader.read("HTTP/1.1 200 OK\r\n\r\npart", consumed), Progress::kNeedMore);
  EXPECT_EQ(reader.end(true), Progress::kMalformed);
}

}  // namespace
}  // namespace backplane
