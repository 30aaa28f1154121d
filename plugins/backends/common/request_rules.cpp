// SPDX-License-Identifier: Apache-2.0
#include "common/request_rules.hpp"

#include <algorithm>

#include "common/body_splice.hpp"

namespace backplane::dialect {
namespace {

constexpr std::string_view kOfMessages = "messages[].";

bool asks_for_nothing(std::string_view value) {
  if (value == "null" || value == "false" || value == "0" || value == "0.0") return true;
  const bool is_container = value.front() == '{' || value.front() == '[';
  return is_container && value.find_first_not_of(" \t\r\n", 1) == value.size() - 1;
}

Error refused(std::string_view field) {
  return {Code::kInvalidArgument,
          std::string(field) + ": this provider does not support it; leave it out",
          "UNSUPPORTED_PARAMETER", 400, 0};
}

// The rules for the members of one object, applied to it.
class ObjectEditor {
 public:
  ObjectEditor(JsonText& text, std::string_view prefix, RuledBody& out)
      : text_(text), prefix_(prefix), out_(out) {}

  // Members whose rule has another prefix are left alone. Whether any is left.
  Result<bool> edit(const std::vector<JsonMember>& members, const std::vector<FieldRule>& rules) {
    std::vector<bool> is_removed(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (const FieldRule& rule : rules) {
        if (!is_for(rule, members[i].name)) continue;
        Result<bool> removes = apply(rule, members[i], members);
        if (!removes) return removes.error();
        is_removed[i] = *removes;
      }
    }
    return remove_members(text_, members, is_removed, out_.edits);
  }

 private:
  bool is_for(const FieldRule& rule, std::string_view name) const {
    return rule.field.size() == prefix_.size() + name.size() &&
           rule.field.substr(0, prefix_.size()) == prefix_ &&
           rule.field.substr(prefix_.size()) == name;
  }

  // Whether the member is to be removed.
  Result<bool> apply(const FieldRule& rule, const JsonMember& member,
                     const std::vector<JsonMember>& members) {
    switch (rule.action) {
      case FieldAction::kRename:
        return rename(rule, member, members);
      case FieldAction::kReplace:
        if (member.value == json_string(rule.argument)) {
          put(text_.offset(member.value), member.value.size(), json_string(rule.replacement));
        }
        return false;
      case FieldAction::kRefuse:
        if (!asks_for_nothing(member.value) && member.value != rule.argument) {
          return refused(rule.field);
        }
        return true;
      case FieldAction::kRemove:
        return true;
      case FieldAction::kDrop:
        if (!asks_for_nothing(member.value)) tell(rule.field);
        return true;
    }
    return false;
  }

  // Where the client gave both names the provider's counts.
  Result<bool> rename(const FieldRule& rule, const JsonMember& member,
                      const std::vector<JsonMember>& members) {
    const auto has_it = [&](const JsonMember& other) { return other.name == rule.argument; };
    if (std::any_of(members.begin(), members.end(), has_it)) return true;
    put(member.begin, member.key_size, json_string(rule.argument));
    return false;
  }

  void put(std::size_t offset, std::size_t removed_size, std::string inserted) {
    out_.edits.push_back({offset, removed_size, std::move(inserted)});
  }
  void tell(std::string_view field) {
    if (std::find(out_.dropped.begin(), out_.dropped.end(), field) == out_.dropped.end()) {
      out_.dropped.emplace_back(field);
    }
  }

  JsonText& text_;
  std::string_view prefix_;
  RuledBody& out_;
};

bool is_of_messages(const FieldRule& rule) {
  return rule.field.substr(0, kOfMessages.size()) == kOfMessages;
}

// A look, without a parse: no key with a rule stands in it as it is written, and none is escaped.
bool is_untouched(std::string_view messages, const std::vector<std::string>& keys) {
  const auto stands_there = [&](const std::string& key) {
    return messages.find(key) != std::string_view::npos;
  };
  return std::none_of(keys.begin(), keys.end(), stands_there) &&
         messages.find("\\u") == std::string_view::npos;
}

Status edit_messages(JsonText& text, std::string_view messages, const RequestRules& rules,
                     RuledBody& out) {
  std::vector<std::string> keys;
  for (const FieldRule& rule : rules.fields) {
    if (is_of_messages(rule)) keys.push_back(json_string(rule.field.substr(kOfMessages.size())));
  }
  if (is_untouched(messages, keys)) return ok();
  const auto items = text.items(messages);
  if (!items) return ok();
  ObjectEditor editor(text, kOfMessages, out);
  for (const std::string_view item : *items) {
    if (is_untouched(item, keys)) continue;
    const auto members = text.members(item);
    if (!members) continue;
    const Result<bool> edited = editor.edit(*members, rules.fields);
    if (!edited) return edited.error();
  }
  return ok();
}

// What the client gave stands, member by member.
void add_defaults(JsonText& text, const ObjectDefaults& defaults, const JsonMember* given,
                  RuledBody& out) {
  std::vector<JsonMember> known;
  if (given != nullptr) {
    const auto members = text.members(given->value);
    if (!members) return;
    known = *members;
  }
  std::string added;
  for (const auto& [name, value] : defaults.values) {
    if (find_member(known, name) != nullptr) continue;
    added += (added.empty() ? "" : ",") + json_string(name) + ':' + value;
  }
  if (added.empty()) return;
  if (given == nullptr) {
    out.added.push_back(json_string(defaults.member) + ":{" + added + '}');
  } else {
    if (!known.empty()) added += ',';
    out.edits.push_back({text.offset(given->value) + 1, 0, std::move(added)});
  }
}

}  // namespace

Result<RuledBody> apply_rules(const RequestRules& rules, std::string_view body,
                              std::size_t readable) {
  RuledBody out;
  out.added = rules.added;
  JsonText text;
  text.open(body, readable);
  const auto members = text.members(body);
  if (!members) return out;
  const Result<bool> is_left = ObjectEditor(text, {}, out).edit(*members, rules.fields);
  if (!is_left) return is_left.error();
  out.is_emptied = !members->empty() && !*is_left;
  const JsonMember* messages = find_member(*members, "messages");
  if (messages != nullptr) {
    if (const Status edited = edit_messages(text, messages->value, rules, out); !edited) {
      return edited.error();
    }
  }
  for (const ObjectDefaults& defaults : rules.defaults) {
    add_defaults(text, defaults, find_member(*members, defaults.member), out);
  }
  return out;
}

}  // namespace backplane::dialect
