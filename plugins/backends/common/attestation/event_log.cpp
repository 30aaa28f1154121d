// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/event_log.hpp"

#include <algorithm>

#include "common/attestation/json_fields.hpp"
#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kRuntimeEvent = 0x08000001;
constexpr std::size_t kRuntimeRegister = 3;
constexpr std::string_view kBootEnd = "system-ready";

Error broken(const std::string& what) {
  return rejected(reason::kEventLog, "the event log " + what);
}

// sha384(le32(type) ":" name ":" payload)
Field<48> runtime_digest(const Event& event) {
  Bytes data;
  for (unsigned at = 0; at < 4; ++at) {
    data.push_back(static_cast<std::uint8_t>(event.type >> (8 * at)));
  }
  data.push_back(':');
  data.insert(data.end(), event.name.begin(), event.name.end());
  data.push_back(':');
  data.insert(data.end(), event.payload.begin(), event.payload.end());
  return sha384(data);
}

Result<Event> read_event(const json::value& value) {
  std::string fault;
  JsonFields fields(value, fault);
  Event event;
  event.register_index = fields.number("imr", 3);
  event.type = static_cast<std::uint32_t>(fields.number("event_type", 0xffffffff));
  if (event.register_index != kRuntimeRegister) {
    event.digest = fields.hex<48>("digest");
    if (!fault.empty()) return broken("has an event that cannot be read: " + fault);
    return event;
  }
  event.name = fields.text("event");
  std::optional<Bytes> payload = from_hex(fields.text("event_payload"), kEventPayloadBytesMax);
  if (!fault.empty()) return broken("has an event that cannot be read: " + fault);
  if (!payload) return broken("has a payload that is not hex");
  if (event.type != kRuntimeEvent) return broken("has an unknown type of event in register 3");
  event.payload = std::move(*payload);
  event.digest = runtime_digest(event);
  return event;
}

}  // namespace

Result<std::vector<Event>> read_event_log(const json::value& value) {
  if (value.is_string()) {
    const Result<json::value> parsed = parse_json(value.get_string());
    if (!parsed) return broken("is no JSON");
    if (!parsed->is_array()) return broken("is not a list");
    return read_event_log(*parsed);
  }
  if (!value.is_array()) return broken("is not a list");
  if (value.get_array().size() > kEventsMax) return broken("is too long");
  std::vector<Event> events;
  for (const json::value& each : value.get_array()) {
    Result<Event> event = read_event(each);
    if (!event) return event.error();
    events.push_back(std::move(*event));
  }
  return events;
}

std::array<Field<48>, 4> replayed(const std::vector<Event>& events) {
  std::array<Field<48>, 4> registers{};
  for (const Event& event : events) {
    Field<96> both{};
    const Field<48>& before = registers[event.register_index];
    std::copy(before.begin(), before.end(), both.begin());
    std::copy(event.digest.begin(), event.digest.end(), both.begin() + 48);
    registers[event.register_index] = sha384(both);
  }
  return registers;
}

Status check_replay(const std::vector<Event>& events, const std::array<Field<48>, 4>& registers) {
  const std::array<Field<48>, 4> found = replayed(events);
  for (std::size_t at = 0; at < registers.size(); ++at) {
    if (found[at] == registers[at]) continue;
    return broken("does not lead to register " + std::to_string(at) + " of the quote");
  }
  return ok();
}

std::optional<Bytes> payload_of(const std::vector<Event>& events, std::string_view name) {
  const Event* found = nullptr;
  for (const Event& event : events) {
    if (event.register_index != kRuntimeRegister) continue;
    if (event.name == kBootEnd) break;
    if (event.name != name) continue;
    if (found != nullptr) return std::nullopt;
    found = &event;
  }
  if (found == nullptr) return std::nullopt;
  return found->payload;
}

}  // namespace backplane::attestation
