// SPDX-License-Identifier: Apache-2.0
#include "common/stream_answer.hpp"

#include "common/call_error.hpp"
#include "common/media_type.hpp"

namespace backplane::dialect {
namespace {

constexpr std::string_view kDone = "[DONE]";

bool looks_like_object(std::string_view text) {
  return text.front() == '{' && text.back() == '}';
}

}  // namespace

StreamAnswer::StreamAnswer(CallOutput& output, const StreamRules& rules)
    : Answer(output),
      rules_(rules),
      framer_(rules.event_max_bytes),
      reader_(rules.completion),
      normalizer_(rules.tags) {}

void StreamAnswer::on_data(std::string_view bytes) {
  const bool is_borrowed = framer_.unread().empty();
  if (is_borrowed) {
    framer_.feed(bytes);
  } else {
    std::string joined(framer_.unread());
    held_ = std::move(joined.append(bytes));
    framer_.feed(held_);
  }
  pump();
  if (is_borrowed && !output_.ended() && !framer_.unread().empty()) {
    held_.assign(framer_.unread());
    framer_.feed(held_);
  }
}

void StreamAnswer::on_done() {
  input_ended_ = true;
  pump();
}

// What came whole before the break is still delivered, but not beyond the call's time.
void StreamAnswer::on_failed(Error error) {
  if (framer_.unread().empty() || error.code == Code::kDeadlineExceeded) {
    failure_ = std::move(error);
    return on_end();
  }
  input_ended_ = true;
  failure_ = std::move(error);
}

void StreamAnswer::pump() {
  while (!output_.paused() && !output_.ended()) {
    const std::optional<SseEvent> event = framer_.next();
    if (!event) break;
    on_event(*event);
  }
  if (output_.ended() || output_.paused()) return;
  if (framer_.overflowed()) {
    output_.fail(bad_answer(Code::kInternal, "the provider sent a stream event larger than " +
                                                 std::to_string(rules_.event_max_bytes >> 20U) +
                                                 " MiB"));
  } else if (input_ended_) {
    on_end();
  }
}

// Through the filter, where there is one. False: the call has ended.
bool StreamAnswer::open(SseEvent& event) {
  if (rules_.filter == nullptr || event.is_error) return true;
  const Result<std::string_view> opened = rules_.filter->open(trim(event.data));
  if (opened) {
    event.data = *opened;
  } else {
    output_.fail(opened.error());
  }
  return bool(opened);
}

void StreamAnswer::on_event(SseEvent event) {
  if (trim(event.data).empty() || !open(event)) return;
  const std::string_view document = trim(event.data);
  if (document == kDone) {
    give_rest();
    return output_.succeed(kDone);
  }
  if (event.is_error) return output_.fail_with(document);
  const ChunkFacts facts = reader_.read(document);
  if (facts.is_malformed || !looks_like_object(document)) output_.note_malformed();
  if (facts.has_usage) output_.set_usage(facts.usage);
  if (facts.has_error) return output_.fail_with(document);
  if (rules_.hide_usage && facts.has_usage && !facts.has_choices) return;
  pass_on(event, facts);
}

void StreamAnswer::pass_on(const SseEvent& event, const ChunkFacts& facts) {
  if (facts.is_malformed || !normalizer_.wants(facts)) {
    return output_.chunk(event.data, event.name);
  }
  const std::string_view changed = normalizer_.normalize(event.data, event.data.size(), facts);
  output_.chunk(changed.empty() ? event.data : changed, event.name);
  if (normalizer_.is_given_up()) output_.fail(given_up());
}

// A stream of types has ended with its last document, whatever became of the connection.
void StreamAnswer::on_end() {
  if (failure_) {
    const bool is_over = rules_.completion == Completion::kTypes && reader_.is_complete();
    return is_over ? output_.succeed() : output_.fail(std::move(*failure_));
  }
  read_rest();
  if (output_.ended() || output_.paused()) return;
  const Status finished = rules_.filter == nullptr ? ok() : rules_.filter->finish();
  if (!finished) return output_.fail(finished.error());
  give_rest();
  if (reader_.is_complete()) {
    output_.succeed();
  } else {
    output_.fail(cut_off());
  }
}

void StreamAnswer::give_rest() {
  if (rules_.tags == ReasoningTags::kOff) return;
  const std::string document = normalizer_.finish();
  if (!document.empty()) output_.chunk(document, {});
}

// An event that no blank line closed counts where it is whole.
void StreamAnswer::read_rest() {
  if (const std::optional<SseEvent> event = framer_.finish()) {
    const std::string_view document = trim(event->data);
    if (document == kDone || is_whole_object(document)) on_event(*event);
  }
}

}  // namespace backplane::dialect
