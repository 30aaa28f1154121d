// SPDX-License-Identifier: Apache-2.0
// Bodies of clients under every profile's rules: what is sent on of an object is an object, under
// the model's name.
#include "common/request_rules.hpp"

#include <backplane/plugin.hpp>
#include <string>

#include "common/body_splice.hpp"
#include "common/chunk_reader.hpp"
#include "tests/fuzz/fuzzing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::dialect;
  using backplane::fuzz::expect;
  const std::string body(backplane::fuzz::text_of(data, size));
  if (!is_whole_object(body)) return 0;
  for (const Profile& profile : profiles()) {
    RequestRules rules{{profile.fields.begin(), profile.fields.end()},
                       {{"venice_parameters", {{"enable_web_search", "\"on\""}}}}};
    bp_request request{};
    request.body = {body.data(), body.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
    request.model = backplane::str("m");
    const auto splice = BodySplice::make(request, size % 2 == 0, rules);
    if (!splice) continue;
    std::string sent;
    for (const bp_str& piece : splice->pieces()) sent += backplane::view(piece);
    expect(is_whole_object(sent), "a body became none");
  }
  return 0;
}
