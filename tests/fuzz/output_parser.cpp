// SPDX-License-Identifier: Apache-2.0
// The text of an answer is read alike however it is cut, and text without calls comes out whole.
// The first byte says the format, the second the size of the pieces.
#include "plugins/backends/local/output/output_parser.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using namespace local;

class Log : public OutputListener {
 public:
  void on_content(std::string_view text) override {
    content += text;
    add('C', text);
  }
  void on_reasoning(std::string_view text) override { add('R', text); }
  void on_tool_call(std::string_view name, std::string_view id) override {
    expect(!name.empty(), "a call without a name");
    kind_ = ' ';
    calls = true;
    add('T', std::string(name) + "/" + std::string(id));
  }
  void on_arguments(std::string_view json) override {
    expect(calls, "arguments of no call");
    add('A', json);
  }
  std::string told, content;
  bool calls = false;

 private:
  void add(char kind, std::string_view text) {
    if (kind != kind_) told += std::string("|") + kind;
    kind_ = kind;
    told += text;
  }
  char kind_ = ' ';
};

Log read(std::string_view text, const OutputFormat& format, bool thinking, std::size_t size) {
  Log log;
  OutputParser parser(format, thinking, log);
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    parser.push(text.substr(0, size));
  }
  parser.finish();
  return log;
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  OutputFormat format{static_cast<ToolFormat>(data[0] % 7), {}};
  if ((data[0] & 0x80U) != 0) format.reasoning = {"<think>", "</think>"};
  const bool thinking = (data[0] & 0x40U) != 0;
  const Log whole = read(text, format, thinking, text.size() + 1);
  const Log pieces = read(text, format, thinking, 1 + data[1] % 16);
  expect(whole.told == pieces.told, "text read otherwise in pieces");
  const bool plain = format.reasoning.open.empty() && !whole.calls;
  expect(!plain || whole.content == text, "text that was lost");
  return 0;
}
