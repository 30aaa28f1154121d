// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/answer_opener.hpp"

#include <simdjson.h>

#include <utility>
#include <vector>

#include "common/body_splice.hpp"
#include "common/call_error.hpp"
#include "common/sealing/answer_fields.hpp"
#include "common/sealing/json_walk.hpp"

namespace backplane::sealing {
namespace {

constexpr std::string_view kDone = "[DONE]";

}  // namespace

struct AnswerOpener::Reader {
  JsonDocument document;
  std::string opened;
};

AnswerOpener::AnswerOpener(CallSeal seal, std::string request_model)
    : seal_(std::move(seal)),
      request_model_(std::move(request_model)),
      reader_(std::make_unique<Reader>()) {}
AnswerOpener::~AnswerOpener() = default;

Status AnswerOpener::check_head(std::span<const bp_pair> headers) {
  for (const bp_pair& header : headers) {
    if (view(header.name) == "x-e2ee-applied" && view(header.value) != "true") {
      failure_ = untrusted_answer("the provider says that it did not encrypt");
      return *failure_;
    }
  }
  return ok();
}

Result<std::string_view> AnswerOpener::open(std::string_view document) {
  if (failure_) return *failure_;
  if (document == kDone) {
    is_done_ = true;
    return kDone;
  }
  Result<std::string_view> opened = read(document);
  if (!opened) failure_ = opened.error();
  return opened;
}

Result<std::string_view> AnswerOpener::read(std::string_view document) {
  const auto answer = reader_->document.open(document);
  if (!answer) return untrusted_answer("a document is no JSON object");
  const Result<AnswerFields> fields =
      find_answer_fields(reader_->document, *answer, seal_.variant().traits.passes_space);
  if (!fields) return fields.error();
  std::vector<Replacement> replacements;
  for (const SealedField& field : fields->sealed) {
    const ResponsePlace place{request_model_, fields->model,  fields->id, field.position,
                              field.index,    field.is_delta, field.name};
    const Result<std::string> text = seal_.open(place, field.text);
    if (!text) return text.error();
    if (!simdjson::validate_utf8(*text)) return untrusted_answer("a text is not UTF-8");
    replacements.push_back({field.offset, field.size, dialect::json_string(*text)});
  }
  for (const AnswerChoice& choice : fields->choices) {
    if (choice.index >= kAnswerChoicesMax) return untrusted_answer("a choice is beyond the bound");
    seen_.set(choice.index);
    if (choice.is_finished) finished_.set(choice.index);
  }
  reader_->opened = replace_all(reader_->document.text(), replacements);
  return std::string_view(reader_->opened);
}

Status AnswerOpener::finish() {
  if (failure_) return *failure_;
  if (is_done_ || (seen_.any() && seen_ == finished_)) return ok();
  return dialect::cut_off();
}

}  // namespace backplane::sealing
