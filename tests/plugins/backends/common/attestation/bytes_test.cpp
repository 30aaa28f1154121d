// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/bytes.hpp"

#include <gtest/gtest.h>

#include "common/attestation/collateral.hpp"
#include "common/attestation/json_fields.hpp"
#include "common/attestation/pem.hpp"

namespace backplane::attestation {
namespace {

std::string hex_of(const std::optional<Bytes>& bytes) {
  return bytes ? to_hex(*bytes) : "none";
}

TEST(Hex, IsReadInEitherCase) {
  EXPECT_EQ(hex_of(from_hex("00fFA5", 3)), "00ffa5");
  EXPECT_EQ(hex_of(from_hex("0x00ff", 3)), "00ff");
  EXPECT_EQ(hex_of(from_hex("", 3)), "");
  for (const char* broken : {"0", "0g", "00 ", "x0", "00000000", "0x0x00"}) {
    EXPECT_EQ(hex_of(from_hex(broken, 3)), "none") << broken;
  }
  EXPECT_TRUE(field_from_hex<2>("ABcd"));
  EXPECT_FALSE(field_from_hex<2>("AB"));
}

TEST(Base64, IsReadInItsCanonicalFormAlone) {
  EXPECT_EQ(hex_of(from_base64("", 9)), "");
  EXPECT_EQ(hex_of(from_base64("/w==", 9)), "ff");
  EXPECT_EQ(hex_of(from_base64("//8=", 9)), "ffff");
  EXPECT_EQ(hex_of(from_base64("//+A", 9)), "ffff80");
  for (const char* broken :
       {"/w", "/x==", "//9=", "/===", "////\n", "__8=", "=w==", "AAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(hex_of(from_base64(broken, 9)), "none") << broken;
  }
}

TEST(Pem, IsReadStrictly) {
  const std::string block = "-----BEGIN A-----\nAAEC\nAw==\n-----END A-----\n";
  const auto read = [](std::string_view text) { return read_pem(text, "A"); };
  ASSERT_TRUE(read(block));
  EXPECT_EQ(to_hex(read(block)->at(0)), "00010203");
  EXPECT_EQ(read(block + "\r\n" + block + '\0')->size(), 2U);
  EXPECT_EQ(read("")->size(), 0U);
  for (const std::string& broken :
       {"x" + block, block + "x", block + std::string(2, '\0'), block.substr(0, 30),
        std::string("-----BEGIN B-----\nAAEC\n-----END B-----\n"),
        std::string("-----BEGIN A-----\nAA EC\n-----END A-----\n"),
        std::string("-----BEGIN A-----\n-----END A-----\n"),
        std::string("-----BEGIN A-----\nAAEC\n-----END B-----\n"),
        std::string("-----BEGIN A-----\nAAEC\n----END A-----\n")}) {
    EXPECT_FALSE(read(broken)) << broken;
  }
  std::string many;
  for (std::size_t at = 0; at <= kPemBlocksMax; ++at) many += block;
  EXPECT_FALSE(read(many));
}

TEST(PercentDecoded, LeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decoded("a%2B+%0a%2"), "a++\n%2");
  EXPECT_EQ(percent_decoded("%%41%zz%"), "%A%zz%");
}

TEST(UnixTimeOf, ReadsTheOneForm) {
  EXPECT_EQ(unix_time_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(unix_time_of("2025-06-19T10:16:03Z"), 1'750'328'163);
  EXPECT_EQ(date_text(1'750'328'163), "2025-06-19T10:16:03Z");
  for (const char* broken :
       {"", "2025-06-19", "2025-06-19 10:16:03Z", "2025-13-19T10:16:03Z", "2025-02-29T10:16:03Z",
        "2025-06-19T24:16:03Z", "2025-06-19T10:16:03+", "-025-06-19T10:16:03Z"}) {
    EXPECT_FALSE(unix_time_of(broken)) << broken;
  }
}

TEST(RawMember, IsJustWhatStandsThere) {
  const std::string_view text = R"( {"a": {"x":"}\"," , "b":[1,{}]} , "b" : 2 ,"c":"}" })";
  EXPECT_EQ(raw_member(text, "a"), R"({"x":"}\"," , "b":[1,{}]})");
  EXPECT_EQ(raw_member(text, "b"), "2");
  EXPECT_EQ(raw_member(text, "c"), R"("}")");
  EXPECT_EQ(raw_member(text, "x"), "");
  EXPECT_EQ(raw_member(R"({"a":1,"a":2})", "a"), "2");
  for (const char* broken : {"", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"\\", "[1]"}) {
    EXPECT_EQ(raw_member(broken, "b"), "") << broken;
  }
}

TEST(CrlDer, TakesEveryForm) {
  const std::string der("\x30\x82\x00\x01\xff", 5);
  const std::string hex = to_hex(bytes_of(der));
  EXPECT_EQ(hex_of(crl_der(der)), hex);
  EXPECT_EQ(hex_of(crl_der(hex + "\n")), hex);
  EXPECT_EQ(hex_of(crl_der("MIIAAf8=")), hex);
  EXPECT_EQ(hex_of(crl_der("-----BEGIN X509 CRL-----\nMIIAAf8=\n-----END X509 CRL-----\n")), hex);
  EXPECT_EQ(hex_of(crl_der("")), "none");
  EXPECT_EQ(hex_of(crl_der("no CRL")), "none");
}

}  // namespace
}  // namespace backplane::attestation
