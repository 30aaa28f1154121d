// SPDX-License-Identifier: Apache-2.0
// What a domain's measurement registers were extended with, replayed: a log that leads to the
// registers of a genuine quote is the true one. Source: dstack's event logs.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/value.hpp>

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kEventsMax = 16'384;
inline constexpr std::size_t kEventPayloadBytesMax = 1024 * 1024;

struct Event {
  std::size_t register_index = 0;  // 0 to 3
  std::uint32_t type = 0;
  Field<48> digest{};  // of register 3 computed from the rest, whatever the log says
  std::string name;
  Bytes payload;
};

// An array of objects, or the text of one. Errors: reason::kEventLog.
Result<std::vector<Event>> read_event_log(const boost::json::value& value);

// Each register from zero: sha384(register‖digest) for each of its events.
std::array<Field<48>, 4> replayed(const std::vector<Event>& events);
// Errors: reason::kEventLog, with the register that differs.
Status check_replay(const std::vector<Event>& events, const std::array<Field<48>, 4>& registers);

// The payload of register 3's event `name`, of those until "system-ready": what a domain runs may
// add any after it. Nothing unless there is exactly one.
std::optional<Bytes> payload_of(const std::vector<Event>& events, std::string_view name);

}  // namespace backplane::attestation
