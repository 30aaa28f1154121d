// SPDX-License-Identifier: Apache-2.0
// What a call that goes on elsewhere is made of: a piece of a stream, as any backend may send it,
// and the request of a client, which has been scanned. The first line is the piece.
#include "runtime/pipeline/continuation/chunk_text.hpp"
#include "runtime/pipeline/continuation/continued_request.hpp"
#include "runtime/pipeline/request_scan.hpp"

#include <backplane/plugin.hpp>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void read_piece(std::string_view document) {
  const auto chunk = read_chunk_text(document);
  if (!chunk) return;
  for (const std::string_view part : {chunk->id, chunk->created, chunk->model}) {
    expect(lies_within(part, document), "a part of a piece is none of it");
  }
  expect(chunk->text.size() <= document.size(), "there is more text than was sent");
}

void make_request(std::string_view body) {
  constexpr ScanLimits kLimits{1024, std::size_t{1} << 20};
  const BufferRef given = BufferRef::adopt(make_buffer(std::string(body)));
  if (!scan_request(given.get(), kLimits)) return;
  const auto next = continued_request(body, "what \"was\"\nsaid", 7);
  if (!next) return;
  const BufferRef made = BufferRef::adopt(make_buffer(std::string(*next)));
  expect(static_cast<bool>(scan_request(made.get(), kLimits)), "a request became none");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const std::string_view all = text_of(data, size);
  const std::size_t end = std::min(all.find('\n'), all.size());
  read_piece(std::string(all.substr(0, end)));
  make_request(all.substr(std::min(end + 1, all.size())));
  return 0;
}
