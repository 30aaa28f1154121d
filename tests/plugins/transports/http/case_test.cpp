// SPDX-License-Identifier: Apache-2.0
// Runs the cases of cases/*.txt: whole, cut in two at every byte, and byte by byte.
#include "case_file.hpp"
#include "fake_host.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace backplane::test {

static void PrintTo(const Case& test, std::ostream* out) {
  *out << test.file << ": " << test.name;
}

namespace {

constexpr std::size_t kMaxSplits = 600;  // of one long request

// "TEXT 0 hello", "HEAD stream usage", "ERROR 429 rate RATE_LIMITED ..."
void emit(FakeCall& call, const std::string& line) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  const auto rest = [&] {
    std::string text;
    std::getline(words >> std::ws, text);
    return unescape(text);
  };
  if (kind == "HEAD") {
    std::uint32_t flags = 0;
    for (std::string flag; words >> flag;) {
      flags |= flag == "stream" ? BP_REQUEST_STREAM : BP_REQUEST_USAGE;
    }
    call.head(flags);
  } else if (kind == "TEXT" || kind == "FINISH") {
    std::uint32_t index = 0;
    words >> index;
    const std::string text = rest();
    kind == "TEXT" ? call.text(text, index) : call.finish(text, index);
  } else if (kind == "REASONING") {
    std::uint32_t index = 0;
    words >> index;
    call.reasoning(rest(), index);
  } else if (kind == "LOGPROBS") {  // LOGPROBS choice entries text
    std::uint32_t index = 0;
    std::string entries;
    words >> index >> entries;
    call.text(rest(), index, entries);
  } else if (kind == "TOOL") {  // TOOL choice call id name arguments; "-": empty
    std::uint32_t index = 0, number = 0;
    std::string id, name;
    words >> index >> number >> id >> name;
    if (id == "-") id.clear();
    if (name == "-") name.clear();
    call.tool_call(number, id, name, rest(), index);
  } else if (kind == "CHUNK") {
    call.chunk(rest());
  } else if (kind == "EVENT") {
    std::string name;
    words >> name;
    call.chunk(rest(), unescape(name));
  } else if (kind == "BODY") {
    std::string type;
    words >> type;
    call.body_bytes(rest(), type);
  } else if (kind == "USAGE") {
    std::uint64_t prompt = 0, completion = 0;
    words >> prompt >> completion;
    call.usage(prompt, completion);
  } else if (kind == "END") {
    call.end(rest());
  } else if (kind == "ERROR") {
    std::uint32_t code = 0;
    std::uint64_t retry_ms = 0;
    words >> code >> retry_ms;
    call.error({static_cast<Code>(code), rest(), {}, 0, retry_ms});
  } else {
    ADD_FAILURE() << "unknown event " << line;
  }
}

struct Outcome {
  std::string output;
  bool closed = false;
  bool aborted = false;
};

bool operator==(const Outcome& a, const Outcome& b) {
  return a.output == b.output && a.closed == b.closed && a.aborted == b.aborted;
}

class Runner {
 public:
  explicit Runner(const Case& test) : test_(test) {
    if (test.settings.empty()) {
      host_.start();
    } else {
      host_.start(test.settings);
    }
  }

  // `cut` bytes, then the rest; 0: byte by byte.
  Outcome run(std::size_t cut) {
    bp_connection& connection = host_.connect();
    const std::string_view bytes = test_.request;
    if (cut == 0) {
      for (const char& byte : bytes) feed(connection, {&byte, 1});
    } else {
      feed(connection, bytes.substr(0, cut));
      if (cut < bytes.size()) feed(connection, bytes.substr(cut));
    }
    Outcome outcome{connection.take(), connection.closed, connection.aborted};
    connection.leave();
    return outcome;
  }

 private:
  void feed(bp_connection& connection, std::string_view bytes) {
    connection.data(bytes);
    while (answered_ < host_.calls.size()) {
      FakeCall& call = host_.calls[answered_++];
      for (const std::string& event : test_.events) emit(call, event);
    }
  }

  const Case& test_;
  FakeHost host_;
  std::size_t answered_ = 0;
};

class Cases : public testing::TestWithParam<Case> {};

void expect_refusal(const Case& test, const std::string& output) {
  const std::size_t start = output.rfind("HTTP/1.1 ");
  ASSERT_NE(start, std::string::npos) << output;
  const std::string last = output.substr(start);
  EXPECT_EQ(last.substr(9, 3), std::to_string(test.refused_status)) << last;
  EXPECT_NE(last.find("\"code\":\"" + test.refused_code + "\"}}"), std::string::npos) << last;
  EXPECT_NE(last.find("x-request-id: "), std::string::npos) << last;
  EXPECT_EQ(last.find("connection: close\r\n") != std::string::npos, test.closed) << last;
}

TEST_P(Cases, answers_the_same_however_the_bytes_come) {
  const Case& test = GetParam();
  Runner runner(test);
  const Outcome whole = runner.run(test.request.size());
  if (test.refused_status != 0) {
    expect_refusal(test, whole.output);
  } else {
    EXPECT_EQ(whole.output, test.response);
  }
  EXPECT_EQ(whole.closed, test.closed);
  EXPECT_EQ(whole.aborted, test.aborted);
  const std::size_t step = test.request.size() / kMaxSplits + 1;
  for (std::size_t cut = 1; cut < test.request.size(); cut += step) {
    const Outcome split = runner.run(cut);
    ASSERT_TRUE(split == whole) << "cut after byte " << cut << ":\n" << split.output;
  }
  const Outcome bytewise = runner.run(0);
  EXPECT_TRUE(bytewise == whole) << bytewise.output;
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.file + "_" + info.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Http, Cases, testing::ValuesIn(read_cases()), test_name);

}  // namespace
}  // namespace backplane::test
