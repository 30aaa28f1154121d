// SPDX-License-Identifier: Apache-2.0
// Documents of a chat: what a document is changed into is a document.
#include "common/chunk_normalizer.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::dialect;
  using backplane::fuzz::expect;
  ChunkReader reader;
  ChunkNormalizer normalizer;
  // Lines are documents of one stream, one after the other.
  std::string_view rest = backplane::fuzz::text_of(data, size);
  while (!rest.empty()) {
    const std::string document(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), document.size() + 1));
    const ChunkFacts facts = reader.read(document);
    normalizer.wants(facts);
    const bool is_whole = is_whole_object(document);
    const std::string changed(normalizer.normalize(document, document.size(), facts));
    if (changed.empty() || !is_whole) continue;
    expect(is_whole_object(changed), "a document became none");
  }
  return 0;
}
