// SPDX-License-Identifier: Apache-2.0
// What the tests of seals share: keys from text, the recorded data, and every way to spoil a text.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/sealing/call_seal.hpp"
#include "common/sealing/hex.hpp"

namespace backplane::sealing::testing {

inline const std::filesystem::path kProviders =
    std::filesystem::path(BACKPLANE_SHARED_DIR) / "vectors" / "providers";

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A member of an object, or "" where there is none.
inline std::string text_of(simdjson::dom::element element, std::string_view name) {
  std::string_view value;
  return element[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

inline KeyPair key_pair(Curve curve, std::string_view private_hex) {
  const auto bytes = from_hex(private_hex);
  EXPECT_TRUE(bytes && bytes->size() == 32) << private_hex;
  Secret<32> secret{std::span<const std::uint8_t, 32>(*bytes)};
  Result<KeyPair> pair = KeyPair::from_private(curve, std::move(secret));
  EXPECT_TRUE(pair) << private_hex;
  return std::move(*pair);
}

// 32 equal bytes make a key on every curve.
inline std::string private_hex(std::uint8_t byte) {
  return to_hex(std::vector<std::uint8_t>(32, byte));
}
inline KeyPair key_pair(Curve curve, std::uint8_t byte) {
  return key_pair(curve, std::string_view(private_hex(byte)));
}
inline std::string public_hex(const KeyPair& pair) {
  return to_hex(pair.public_key().bytes());
}

// Both ends of one call: the seal that the client holds, and the model's side of it.
struct Ends {
  explicit Ends(const Variant& chosen)
      : variant(chosen),
        client_public(public_hex(key_pair(chosen.box.curve, 7))),
        model(chosen.box, key_pair(chosen.box.curve, 9)),
        seal(std::move(*CallSeal::make_with(chosen, to_hex(model.public_key().bytes()),
                                            key_pair(chosen.box.curve, 7), freshness))) {}

  // What the model answers, at a place of the answer.
  std::string answer(const ResponsePlace& place, std::string_view text) const {
    const auto client = PublicKey::parse(variant.box.curve, client_public);
    return *seal_box(variant.box, *client, text,
                     response_associated_data(variant, freshness, place));
  }
  // What the model reads.
  Result<std::string> read(const RequestPlace& place, std::string_view sealed) {
    return model.open(sealed, request_associated_data(variant, freshness, place));
  }

  const Variant& variant;
  const Freshness freshness{std::string(64, 'a'), 1'700'000'000};
  const std::string client_public;
  BoxOpener model;
  CallSeal seal;
};

}  // namespace backplane::sealing::testing
