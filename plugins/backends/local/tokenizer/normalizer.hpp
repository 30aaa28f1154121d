// SPDX-License-Identifier: Apache-2.0
// What a tokenizer does to a text before it splits it: Unicode's normal forms, lower case, accents.
// Stateless; any thread.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

class Normalizer {
 public:
  // `names`, separated by spaces and applied in their order: nfc nfd nfkc nfkd lowercase
  // strip-accents bert-clean bert-chinese. Empty: does nothing.
  static Result<Normalizer> named(std::string_view names);

  bool does_nothing() const { return steps_.empty(); }
  // Bytes that are not UTF-8 become U+FFFD, unless nothing is to be done.
  std::string apply(std::string_view text) const;

 private:
  using Step = std::string (*)(std::string text);
  std::vector<Step> steps_;
};

}  // namespace backplane::local
