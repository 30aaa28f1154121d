// SPDX-License-Identifier: Apache-2.0
// Quotes of real machines, with the collateral of their day.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <map>

#include "common/attestation/quote_verifier.hpp"
#include "common/attestation/reason.hpp"
#include "recorded.hpp"
#include "verdicts.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

QuoteVerdict verdict_of(const std::string& quote, const std::string& collateral_text,
                        std::int64_t unix_time) {
  const Result<Collateral> collateral = parse_collateral(collateral_text);
  QuoteVerdict verdict;
  if (!collateral) {
    verdict.rejection = collateral.error();
    return verdict;
  }
  QuoteOptions options;
  options.unix_time = unix_time;
  return verify_quote(bytes_of(quote), *collateral, options);
}

std::string status_text(std::optional<TcbStatus> status) {
  return status ? std::string(name_of(*status)) : "";
}

std::string text_or_empty(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : "";
}

// Which of ours a reason of the recorded cases begins with.
std::string_view reason_like(const std::string& reason) {
  if (reason.starts_with("no tcb level")) return reason::kNoTcbLevel;
  if (reason.starts_with("pck crl time")) return reason::kCrlTime;
  if (reason.starts_with("fmspc")) return reason::kFmspc;
  return "?";
}

void expect_verified(const QuoteVerdict& verdict, const json::value& expect) {
  ASSERT_TRUE(verdict.is_genuine) << verdict.rejection->message;
  const std::string status = string_at(expect, "status");
  EXPECT_EQ(status_text(verdict.tcb->status), status);
  EXPECT_EQ(status_text(verdict.tcb->platform), string_at(expect, "platform"));
  EXPECT_EQ(status_text(verdict.tcb->module), text_or_empty(expect.at("module")));
  EXPECT_EQ(status_text(verdict.tcb->qe), string_at(expect, "qe"));
  json::array advisories;
  for (const std::string& id : verdict.tcb->advisories) advisories.emplace_back(id);
  EXPECT_EQ(advisories, expect.at("advisories").as_array());
  json::array flags;
  for (const std::string& flag : policy_flags(verdict.quote->report)) flags.emplace_back(flag);
  EXPECT_EQ(flags, expect.at("policy_flags").as_array());
  const TdAttributes attributes = attributes_of(verdict.quote->report.td_attributes);
  EXPECT_EQ(attributes.debug, expect.at("debug").as_bool());
  EXPECT_EQ(attributes.sept_ve_disable, expect.at("sept_ve_disable").as_bool());
  EXPECT_EQ(verdict.is_accepted, status == "UpToDate" || status == "SWHardeningNeeded");
  if (!verdict.is_accepted) {
    EXPECT_EQ(type_of(verdict), reason::kTcbStatus);
  }
}

TEST(RecordedQuotes, GetTheirVerdicts) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  const json::value manifest = recorded_json("tdx_cases.json");
  for (const json::value& each : manifest.at("cases").as_array()) {
    SCOPED_TRACE(string_at(each, "quote") + " " + string_at(each, "note"));
    const json::value& expect = each.at("expect");
    const std::string quote = recorded(string_at(each, "quote"));
    const QuoteVerdict verdict =
        verdict_of(quote, recorded(string_at(each, "collateral")), each.at("time").as_int64());
    if (quote.starts_with('\3')) {
      EXPECT_EQ(type_of(verdict), reason::kTeeType);
    } else if (string_at(expect, "crypto") == "ok") {
      expect_verified(verdict, expect);
    } else {
      EXPECT_FALSE(verdict.is_genuine);
      EXPECT_FALSE(verdict.is_accepted);
      EXPECT_EQ(type_of(verdict), reason_like(string_at(expect, "reason")));
    }
  }
}

TEST(RecordedQuotes, AreReadAsTheManifestSays) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  const json::value manifest = recorded_json("tdx_cases.json");
  for (const json::value& each : manifest.at("quotes").as_array()) {
    if (string_at(each, "tee") != "0x81") continue;
    SCOPED_TRACE(string_at(each, "file"));
    const Result<Quote> quote = parse_quote(bytes_of(recorded(string_at(each, "file"))));
    ASSERT_TRUE(quote) << quote.error().message;
    EXPECT_EQ(quote->version, each.at("version").as_int64());
    EXPECT_EQ(quote->trailing_bytes,
              static_cast<std::size_t>(each.at("trailing_bytes").as_int64()));
    EXPECT_EQ(to_hex(quote->report.tee_tcb_svn), string_at(each, "tee_tcb_svn"));
    EXPECT_EQ(to_hex(quote->report.td_attributes), string_at(each, "td_attributes"));
    EXPECT_EQ(to_hex(quote->report.report_data), string_at(each, "report_data"));
    const Result<Platform> platform = platform_of(*quote);
    ASSERT_TRUE(platform);
    EXPECT_EQ(to_hex(platform->fmspc), string_at(each, "fmspc"));
  }
}

void change_quote(std::string& quote, const json::object& mutation) {
  if (const json::value* size = mutation.if_contains("truncate")) {
    quote.resize(static_cast<std::size_t>(size->as_int64()));
    return;
  }
  char& byte = quote.at(static_cast<std::size_t>(mutation.at("offset").as_int64()));
  const int value = std::stoi(std::string(mutation.at("value").as_string()), nullptr, 16);
  const json::string& operation = mutation.at("op").as_string();
  if (operation == "set") byte = static_cast<char>(value);
  if (operation == "xor") byte = static_cast<char>(byte ^ value);
  if (operation == "add") byte = static_cast<char>(byte + value);
}

// Which of ours answers for a result of the reference that has only one.
const std::map<std::string, std::string_view>& reasons_of_reference() {
  static const std::map<std::string, std::string_view> kReasons = {
      {"E: quote sig", reason::kQuoteSignature},
      {"E: qe report sig", reason::kQeReportSignature},
      {"E: qe report data", reason::kQeReportData},
      {"E: tcb json sig", reason::kTcbInfoSignature},
      {"E: qe json sig", reason::kQeIdentitySignature},
      {"E: pck crl sig", reason::kCrl},
      {"E: version 6", reason::kQuoteMalformed},
      {"E: vendor", reason::kQuoteMalformed},
      {"E: bounds: sig len", reason::kQuoteMalformed}};
  return kReasons;
}

TEST(RecordedQuotes, AreRejectedOnceChanged) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  const json::value manifest = recorded_json("tdx_mutations.json");
  const std::string whole = recorded(string_at(manifest, "quote"));
  const std::int64_t time = manifest.at("time").as_int64();
  const json::value collateral = recorded_json(string_at(manifest, "collateral"));
  ASSERT_TRUE(verdict_of(whole, json::serialize(collateral), time).is_accepted);
  for (const json::value& each : manifest.at("mutations").as_array()) {
    SCOPED_TRACE(string_at(each, "name"));
    std::string quote = whole;
    json::value changed = collateral;
    if (const json::value* field = each.as_object().if_contains("collateral_field")) {
      changed.as_object()[field->as_string()].as_string().at(static_cast<std::size_t>(
          each.at("char_index").as_int64())) = each.at("char").as_string().front();
    } else {
      change_quote(quote, each.as_object());
    }
    const QuoteVerdict verdict = verdict_of(quote, json::serialize(changed), time);
    EXPECT_FALSE(verdict.is_genuine);
    EXPECT_FALSE(verdict.is_accepted);
    const auto known = reasons_of_reference().find(string_at(each, "reference_result"));
    const bool is_header_field = string_at(each, "name") == "tee_type=0";
    if (known != reasons_of_reference().end() && !is_header_field) {
      EXPECT_EQ(type_of(verdict), known->second) << verdict.rejection->message;
    }
  }
}

}  // namespace
}  // namespace backplane::attestation
