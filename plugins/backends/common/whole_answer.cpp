// SPDX-License-Identifier: Apache-2.0
#include "common/whole_answer.hpp"

#include "common/call_error.hpp"
#include "common/chunk_normalizer.hpp"
#include "common/media_type.hpp"

namespace backplane::dialect {

WholeAnswer::WholeAnswer(CallOutput& output, const StreamRules& rules, std::string media_type,
                         bool is_expected)
    : Answer(output),
      rules_(rules),
      reader_(rules.completion),
      media_type_(std::move(media_type)),
      is_expected_(is_expected) {}

void WholeAnswer::on_data(std::string_view bytes) {
  if (bytes.size() > kBodyMaxBytes - collected_.size()) {
    return output_.fail(
        bad_answer(Code::kInternal, "the provider's response is larger than 64 MiB"));
  }
  if (collected_.empty()) collected_.reserve(bytes.size() + ChunkReader::kPaddingBytes);
  collected_.append(bytes);
}

// Through the filter, where there is one. False: the call has ended.
bool WholeAnswer::open() {
  if (rules_.filter == nullptr) return true;
  const Result<std::string_view> opened = rules_.filter->open(trim(collected_));
  if (opened) {
    collected_ = std::string(*opened);
  } else {
    output_.fail(opened.error());
  }
  return bool(opened);
}

void WholeAnswer::on_done() {
  if (!open()) return;
  const std::string_view document = trim(collected_);
  if (document.empty() || document.front() != '{' || document.back() != '}') return refuse();
  const auto offset = static_cast<std::size_t>(document.data() - collected_.data());
  const std::size_t size = document.size();
  collected_.reserve(collected_.size() + ChunkReader::kPaddingBytes);
  const std::string_view body = std::string_view(collected_).substr(offset, size);
  const ChunkFacts facts = reader_.read_whole(body, collected_.capacity() - offset);
  if (facts.is_malformed) return refuse();
  if (facts.has_usage) output_.set_usage(facts.usage);
  if (facts.has_error) return output_.fail_with(body);
  if (!is_expected_) {
    return output_.fail(
        bad_answer(Code::kInternal, "the provider did not stream what was to be streamed"));
  }
  ChunkNormalizer normalizer(rules_.tags);
  std::string_view changed;
  if (normalizer.wants(facts)) {
    changed = normalizer.normalize(body, collected_.capacity() - offset);
  }
  if (normalizer.is_given_up()) return output_.fail(given_up());
  is_written_ = true;
  output_.body(changed.empty() ? body : changed, media_type_);
  on_resume();
}

void WholeAnswer::on_resume() {
  if (is_written_ && !output_.paused() && !output_.ended()) output_.succeed();
}

void WholeAnswer::refuse() {
  output_.fail(
      bad_answer(Code::kInternal, "the provider answered with something that is not JSON"));
}

}  // namespace backplane::dialect
