// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/answer_fields.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "common/call_error.hpp"

namespace backplane::sealing {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::array<std::string_view, 4> kSealedMembers{"content", "reasoning_content",
                                                         "reasoning", "refusal"};
constexpr std::array<std::string_view, 5> kRoles{"assistant", "developer", "system", "tool",
                                                 "user"};
constexpr std::array<std::string_view, 4> kReasons{"finish_reason", "matched_stop",
                                                   "native_finish_reason", "stop_reason"};
constexpr std::size_t kReasonMaxBytes = 64;

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_space(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

Error unsealed(const std::string& path) {
  return untrusted_answer(path + " came in the clear");
}

// One choice of a document.
class ChoiceReader {
 public:
  ChoiceReader(const JsonDocument& document, std::size_t position, bool passes_space,
               AnswerFields& fields)
      : document_(document),
        position_(position),
        passes_space_(passes_space),
        path_("choices." + std::to_string(position)),
        fields_(fields) {
    choice_.index = position;
  }

  Status read(JsonValue value) {
    ondemand::object members;
    if (value.get_object().get(members)) return untrusted_answer(path_ + " is no object");
    const std::size_t first = fields_.sealed.size();
    const Status read = for_each_member(members, [&](std::string_view name, JsonValue member) {
      return read_member(name, member);
    });
    for (std::size_t at = first; at < fields_.sealed.size(); ++at) {
      fields_.sealed[at].index = choice_.index;
    }
    fields_.choices.push_back(choice_);
    return read;
  }

 private:
  Status read_member(std::string_view name, JsonValue value) {
    if (name == "delta" || name == "message") return read_message(name, value);
    if (name == "index") return read_index(value);
    if (contains(kReasons, name)) return read_reason(name, value);
    return expect_bare(name, value);
  }

  Status read_index(JsonValue value) {
    return value.get_uint64().get(choice_.index)
               ? Status(untrusted_answer(path_ + ".index is no number"))
               : ok();
  }

  // Words of a few letters, or numbers.
  Status read_reason(std::string_view name, JsonValue value) {
    std::string_view text;
    if (value.get_string().get(text)) return expect_bare(name, value);
    if (text.size() > kReasonMaxBytes) return unsealed(path_ + '.' + std::string(name));
    if (name == "finish_reason") choice_.is_finished |= !text.empty();
    return ok();
  }

  Status read_message(std::string_view owner, JsonValue value) {
    ondemand::object members;
    if (value.get_object().get(members)) return expect_bare(owner, value);
    is_delta_ = owner == "delta";
    return for_each_member(members, [&](std::string_view name, JsonValue member) {
      const std::string path = std::string(owner) + '.' + std::string(name);
      if (name == "role") return read_role(path, member);
      if (name == "audio") return read_audio(path, member);
      const auto* sealed = std::find(kSealedMembers.begin(), kSealedMembers.end(), name);
      return sealed == kSealedMembers.end() ? expect_bare(path, member)
                                            : read_text(path, *sealed, member);
    });
  }

  Status read_role(const std::string& path, JsonValue value) {
    std::string_view role;
    if (value.get_string().get(role) || role.empty()) return expect_bare(path, value);
    return contains(kRoles, role) ? ok() : Status(unsealed(path_ + '.' + path));
  }

  Status read_audio(const std::string& path, JsonValue value) {
    ondemand::object members;
    if (value.get_object().get(members)) return expect_bare(path, value);
    return for_each_member(members, [&](std::string_view name, JsonValue member) {
      const std::string member_path = path + '.' + std::string(name);
      return name == "data" ? read_text(member_path, "audio.data", member)
                            : expect_bare(member_path, member);
    });
  }

  Status read_text(const std::string& path, std::string_view name, JsonValue value) {
    const std::string_view raw = raw_scalar(value);
    std::string_view text;
    if (value.get_string().get(text)) return expect_bare(path, value);
    if (text.empty() || (passes_space_ && is_space(text))) return ok();
    fields_.sealed.push_back(
        {document_.offset(raw), raw.size(), std::string(text), position_, 0, is_delta_, name});
    return ok();
  }

  Status expect_bare(std::string_view path, JsonValue value) {
    return is_bare(value) ? ok() : Status(unsealed(path_ + '.' + std::string(path)));
  }

  const JsonDocument& document_;
  const std::size_t position_;
  const bool passes_space_;
  const std::string path_;
  AnswerFields& fields_;
  AnswerChoice choice_;
  bool is_delta_ = true;
};

Status read_choices(const JsonDocument& document, JsonValue value, bool passes_space,
                    AnswerFields& fields) {
  ondemand::array choices;
  if (value.get_array().get(choices)) {
    return is_null(value) ? ok() : Status(untrusted_answer("choices is no array"));
  }
  return for_each_item(choices, [&](std::size_t position, JsonValue choice) {
    return ChoiceReader(document, position, passes_space, fields).read(choice);
  });
}

}  // namespace

Error untrusted_answer(std::string why) {
  return dialect::bad_answer(
      Code::kDataLoss, "the provider's answer breaks the end-to-end encryption: " + std::move(why));
}

Result<AnswerFields> find_answer_fields(const JsonDocument& document, ondemand::object answer,
                                        bool passes_space) {
  AnswerFields fields;
  const Status read = for_each_member(answer, [&](std::string_view name, JsonValue value) {
    std::string_view text;
    if (name == "choices") return read_choices(document, value, passes_space, fields);
    if (name == "id" && !value.get_string().get(text)) fields.id = text;
    if (name == "model" && !value.get_string().get(text)) fields.model = text;
    return ok();
  });
  if (!read) {
    const bool is_told = read.error().code == Code::kDataLoss;
    return is_told ? read.error() : untrusted_answer(read.error().message);
  }
  return fields;
}

}  // namespace backplane::sealing
