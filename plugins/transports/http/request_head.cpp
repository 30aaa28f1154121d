// SPDX-License-Identifier: Apache-2.0
#include "request_head.hpp"

#include "error_envelope.hpp"
#include "token.hpp"

#include <array>

namespace backplane::http {
namespace {

constexpr std::array<std::string_view, 10> kTakenAlong = {
    "authorization", "x-payment",  "payment-signature", "traceparent",    "tracestate",
    "cache-control", "x-provider", "idempotency-key",   "openai-project", "openai-organization"};

struct Slot {
  std::string_view name;
  std::string_view RequestHead::*field;
};

constexpr std::array<Slot, 7> kSlots = {
    {{"content-type", &RequestHead::content_type},
     {"expect", &RequestHead::expect},
     {"x-request-id", &RequestHead::request_id},
     {"accept-encoding", &RequestHead::accept_encoding},
     {"origin", &RequestHead::origin},
     {"access-control-request-method", &RequestHead::requested_method},
     {"access-control-request-headers", &RequestHead::requested_headers}}};

// Tells most names apart from those below at a glance.
constexpr std::uint64_t mark_of(std::string_view name) {
  return std::uint64_t{1} << ((name.size() * 5 + static_cast<unsigned char>(lower(name.back()))) %
                              64);
}

constexpr std::uint64_t kMarks = [] {
  std::uint64_t marks = 0;
  for (const Slot& slot : kSlots) marks |= mark_of(slot.name);
  for (const std::string_view taken : kTakenAlong) marks |= mark_of(taken);
  return marks;
}();

Error twice(std::string_view name) {
  return bad_request("the header " + std::string(name) + " comes twice");
}

std::optional<Error> take_along(RequestHead& head, std::string_view taken, std::string_view name,
                                std::string_view value) {
  for (const bp_pair& earlier : head.metadata) {
    const bool is_list = taken == "tracestate" || taken == "cache-control";
    if (view(earlier.name) == taken && !is_list) return twice(name);
  }
  head.metadata.push_back({str(taken), str(value)});
  return std::nullopt;
}

}  // namespace

Error bad_request(std::string message) {
  return protocol_error(400, "INVALID_REQUEST", std::move(message));
}

std::optional<Error> take_field(RequestHead& head, std::string_view name, std::string_view value) {
  if (name.empty() || (mark_of(name) & kMarks) == 0) return std::nullopt;
  for (const Slot& slot : kSlots) {
    if (!same_token(slot.name, name)) continue;
    std::string_view& field = head.*slot.field;
    const bool is_list = slot.field == &RequestHead::accept_encoding ||
                         slot.field == &RequestHead::requested_headers;
    if (field.data() != nullptr && is_list) return std::nullopt;  // the first one counts
    if (field.data() != nullptr) return twice(name);
    field = value;
    return std::nullopt;
  }
  for (const std::string_view taken : kTakenAlong) {
    if (same_token(taken, name)) return take_along(head, taken, name, value);
  }
  return std::nullopt;
}

}  // namespace backplane::http
