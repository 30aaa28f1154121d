// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/phala/commands/verify_command.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "common/attestation/collateral_requests.hpp"
#include "common/attestation/verdict_json.hpp"
#include "common/receipts/receipt_verifier.hpp"
#include "common/sealing/byte_hash.hpp"
#include "plugins/backends/phala/commands/attest_input.hpp"
#include "plugins/backends/phala/commands/attest_text.hpp"

namespace backplane::phala {
namespace {

using namespace attestation;
namespace json = boost::json;

constexpr std::uint32_t kAccepted = 0, kRejected = 1, kWrongUsage = 2;
constexpr std::int64_t kYear10000 = 253'402'300'800;
constexpr std::size_t kMessageBytesMax = std::size_t{1} << 30;  // of a request or a response

struct VerifyArguments {
  AttestArguments attest;  // the source is the receipt's file
  std::string request;     // files
  std::string response;
};

std::uint32_t failed(const Error& error) {
  std::cerr << "backplane: " << error.message << '\n';
  return kRejected;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

std::string verdict_json(const receipts::Receipt& receipt,
                         const receipts::ReceiptVerdict& verdict) {
  const std::optional<Error>& why = verdict.rejection;
  json::array checks;
  for (const Finding& finding : verdict.findings) {
    checks.push_back(json::object{
        {"name", finding.name}, {"outcome", name_of(finding.outcome)}, {"note", finding.note}});
  }
  const bool has_evidence = !verdict.attestation.evidences.empty();
  const json::object document{
      {"verdict", verdict.is_accepted ? "accepted" : "rejected"},
      {"accepted", verdict.is_accepted},
      {"reason", text_or_null(why ? why->type : "")},
      {"message", text_or_null(why ? why->message : "")},
      {"request_id", receipt.request_id},
      {"chat_id", receipt.chat_id},
      {"model", receipt.model},
      {"checks", std::move(checks)},
      {"attestation", has_evidence ? json::value(to_json(verdict.attestation)) : json::value()}};
  return json::serialize(document) + '\n';
}

std::uint32_t print(const receipts::Receipt& receipt, const receipts::ReceiptVerdict& verdict,
                    bool is_json) {
  std::cout << (is_json ? verdict_json(receipt, verdict) : verdict_text(receipt, verdict));
  return verdict.is_accepted ? kAccepted : kRejected;
}

std::uint32_t print_rejection(const Error& error, const receipts::Receipt& receipt, bool is_json) {
  receipts::ReceiptVerdict verdict;
  verdict.rejection = error;
  if (error.type.empty()) verdict.rejection->type = "RECEIPT_MALFORMED";
  return print(receipt, verdict, is_json);
}

// Nothing where no file was named.
Result<std::optional<std::string>> hash_of(const std::string& path) {
  if (path.empty()) return std::optional<std::string>();
  const Result<std::string> bytes = read_file(path, kMessageBytesMax);
  if (!bytes) return bytes.error();
  return std::optional(sealing::sha256_hex(*bytes));
}

// The collateral of the time, from files, or today's: then the quote is judged as of today.
void judge_time(const VerifyArguments& arguments, const receipts::Receipt& receipt,
                CollateralShelf& shelf, receipts::VerifierOptions& options) {
  const bool is_offline = !shelf.is_empty();
  if (arguments.attest.at < 0 && is_offline) {
    options.quote.unix_time = receipt.attestation.unix_time;
  }
  const Result<Report> report = receipts::evidence_of(receipt);
  if (is_offline || !report) return;
  for (const Error& error : shelf.fetch_for(*report, arguments.attest.pccs)) {
    std::cerr << "backplane: " << error.message << '\n';
  }
}

std::uint32_t verify(const VerifyArguments& arguments) {
  const bool is_json = arguments.attest.is_json;
  const Result<ReportOptions> given = options_of(arguments.attest);
  if (!given) {
    failed(given.error());
    return kWrongUsage;
  }
  receipts::VerifierOptions options;
  options.quote = given->quote;
  Result<std::optional<std::string>> request = hash_of(arguments.request);
  if (!request) return failed(request.error());
  Result<std::optional<std::string>> response = hash_of(arguments.response);
  if (!response) return failed(response.error());
  options.request_sha256 = std::move(*request);
  options.response_sha256 = std::move(*response);
  const Result<std::string> text = read_file(arguments.attest.source, receipts::kReceiptBytesMax);
  if (!text) return failed(text.error());
  const Result<receipts::Receipt> receipt = receipts::read_receipt(*text);
  if (!receipt) return print_rejection(receipt.error(), {}, is_json);
  CollateralShelf shelf;
  if (const Status status = shelf.read_files(arguments.attest.collateral); !status) {
    if (status.error().type.empty()) return failed(status.error());
    return print_rejection(status.error(), *receipt, is_json);
  }
  judge_time(arguments, *receipt, shelf, options);
  const auto source = [&](const Platform& platform) { return shelf.find(platform); };
  return print(*receipt, receipts::verify_receipt(*receipt, source, options), is_json);
}

void add_options(CLI::App& app, VerifyArguments& arguments) {
  AttestArguments& attest = arguments.attest;
  app.add_option("RECEIPT", attest.source, "A file with what GET /v1/receipts/ID told")->required();
  app.add_option("--request", arguments.request,
                 "File with the request's body, byte by byte as it went to the provider")
      ->type_name("FILE");
  app.add_option("--response", arguments.response,
                 "File with the response's body, byte by byte as it came from the provider")
      ->type_name("FILE");
  app.add_option("--collateral", attest.collateral,
                 "File with collateral of the time at which the model was attested; may be given "
                 "for several platforms. Without one today's is fetched, and the quote judged as "
                 "of today")
      ->type_name("FILE")
      ->expected(1);
  app.add_option("--pccs", attest.pccs, "Where collateral is fetched: Intel's service or a cache")
      ->type_name("URL")
      ->capture_default_str();
  app.add_option("--at", attest.at,
                 "Judge the quote as at this time, in seconds since 1970 (default: with "
                 "--collateral when it was attested, else now)")
      ->type_name("UNIX_TIME")
      ->check(CLI::Range(std::int64_t{0}, kYear10000 - 1));
  app.add_option("--accept", attest.accepted,
                 "TCB status to accept, in the place of UpToDate and SWHardeningNeeded; may be "
                 "given several times")
      ->type_name("STATUS")
      ->expected(1);
  app.add_flag("--json", attest.is_json, "Print JSON");
}

}  // namespace

std::uint32_t run_verify_command(Host, const std::vector<std::string>& arguments) {
  CLI::App app{
      "Verify the receipt of a call: the quote in it, the key and the nonce that it binds, and "
      "that "
      "this key has signed the hashes of the request and of the response",
      "backplane verify"};
  app.footer("Exit status: 0 accepted, 1 rejected or not to be had, 2 wrong usage.");
  VerifyArguments given;
  given.attest.pccs = kIntelPcs;
  add_options(app, given);
  std::vector<std::string> words(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAccepted : kWrongUsage;
  }
  return verify(given);
}

}  // namespace backplane::phala
