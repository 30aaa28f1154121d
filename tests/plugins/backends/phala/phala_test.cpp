// SPDX-License-Identifier: Apache-2.0
// The plugin encrypts as its settings say, and then nothing goes in the clear.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using testing::Exchange;

const std::string kChat = R"({"model":"m","messages":[{"role":"user","content":"a secret"}]})";

std::string settings_with(std::string_view e2ee) {
  return R"({"api_key":"ref","models_refresh_seconds":0,"e2ee":")" + std::string(e2ee) + "\"}";
}

std::uint32_t submit(Exchange& exchange, std::string_view operation = "chat.completions") {
  exchange.request.operation = str(operation);
  exchange.request.body = {kChat.data(), kChat.size(), BP_MEMORY_HOST, 0,
                           nullptr,      nullptr,      nullptr};
  exchange.request.model = str("m");
  exchange.request.model_size = 0;
  return exchange.submit();
}

TEST(Phala, AsksTheModelToProveItsKeyBeforeAnythingIsSent) {
  const std::string url = "https://inference.phala.com/v1/attestation/report?model=m&nonce=";
  for (const std::string variant : {"aci_v2_secp256k1", "dstack_v1_ed25519", "dstack_v2_ecdsa",
                                    "dstack_v2_ed25519", "near_v1", "near_v2"}) {
    SCOPED_TRACE(variant);
    Exchange exchange(settings_with(variant), 0, "chat.completions", {{"ref", "key"}});
    ASSERT_EQ(submit(exchange), BP_CODE_OK) << exchange.instance.error.message;
    EXPECT_EQ(exchange.sent().method, "GET");
    EXPECT_EQ(exchange.sent().url.substr(0, url.size()), url);
    const bool is_ed25519 = variant.find("ed25519") != std::string::npos || variant == "near_v2";
    EXPECT_EQ(exchange.sent().url.substr(url.size() + 64),
              is_ed25519 ? "&signing_algo=ed25519" : "");
    exchange.instance.host.head(404, {});
    exchange.instance.host.done();
    EXPECT_EQ(exchange.sink.events, std::vector<std::string>{"error 14 502"});
    EXPECT_EQ(exchange.instance.host.requests.size(), 1U);
  }
}

TEST(Phala, EncryptsNothingUnlessTold) {
  for (const std::string& settings :
       {std::string(R"({"api_key":"ref","models_refresh_seconds":0})"), settings_with("off")}) {
    Exchange exchange(settings, 0, "chat.completions", {{"ref", "key"}});
    ASSERT_EQ(submit(exchange), BP_CODE_OK);
    EXPECT_EQ(exchange.sent().method, "POST");
    EXPECT_NE(exchange.sent().text().find("a secret"), std::string::npos);
  }
}

TEST(Phala, RefusesWhatWouldGoInTheClear) {
  Exchange exchange(settings_with("near_v1"), 0, "embeddings", {{"ref", "key"}});
  EXPECT_EQ(submit(exchange, "embeddings"), BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(std::string_view(exchange.instance.error.message),
            "end-to-end encryption (near_v1) covers chats alone, and \"embeddings\" would go in "
            "the clear");
  EXPECT_TRUE(exchange.instance.host.requests.empty());
}

TEST(Phala, RefusesWaysThatAreNone) {
  for (const std::string_view way : {"ed25519", "auto", "aci_v2_x25519", ""}) {
    testing::Instance instance(settings_with(way));
    EXPECT_EQ(instance.create(), BP_CODE_INVALID_ARGUMENT) << way;
  }
}

}  // namespace
}  // namespace backplane
