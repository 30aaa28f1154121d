// SPDX-License-Identifier: Apache-2.0
// What a call needs to know of the documents an OpenAI-compatible server sends: usage, finish
// reasons, errors. A chunk that holds none of them (nearly all do) costs a few byte searches and no
// parse. One reader serves one call; not thread-safe.
#pragma once

#include <backplane/abi.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kChoicesMax = 128;  // the dialect's bound on `n`

struct Finish {
  std::uint32_t index;  // of the choice
  std::string reason;   // as sent: "stop", "length", "eos" ...
};

struct ChunkFacts {
  // Usage where the document has any, wherever the server puts it: `usage` with or without choices,
  // or `x_groq.usage`. Absent is not zero. Counts are as sent; a part is never more than its whole.
  bool has_usage = false;
  bp_usage usage{};
  bool has_choices = true;  // false: no `choices`, or it is null or empty; exact where has_usage
  bool has_error = false;   // a member `error` that is not null, false or ""
  bool is_malformed = false;
};

class ChunkReader {
 public:
  ChunkReader();
  ~ChunkReader();

  // Reads one document. `readable` bytes may be read from its start; where that is less than
  // kPaddingBytes more than its size, what has to be parsed is copied first.
  static constexpr std::size_t kPaddingBytes = 64;
  ChunkFacts read(std::string_view document, std::size_t readable);
  ChunkFacts read(std::string_view document) { return read(document, document.size()); }

  // Of the last document read.
  const std::vector<Finish>& finishes() const { return finishes_; }

  // A choice was seen, and each that was has its finish reason.
  bool is_complete() const { return seen_.any() && seen_ == finished_; }

 private:
  struct Parser;

  ChunkFacts parse(std::string_view document, std::size_t readable);
  void note_choice(std::uint64_t index, std::string_view reason);

  std::unique_ptr<Parser> parser_;  // made when first needed
  std::bitset<kChoicesMax> seen_;
  std::bitset<kChoicesMax> finished_;
  std::vector<Finish> finishes_;
};

// `document` is one valid JSON object: it was not cut. Parses all of it.
bool is_whole_object(std::string_view document);

}  // namespace backplane::dialect
