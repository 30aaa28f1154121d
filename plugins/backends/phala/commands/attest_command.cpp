// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/phala/commands/attest_command.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "common/attestation/collateral_requests.hpp"
#include "common/attestation/verdict_json.hpp"
#include "plugins/backends/phala/commands/attest_input.hpp"
#include "plugins/backends/phala/commands/attest_text.hpp"

namespace backplane::phala {
namespace {

using namespace attestation;

constexpr std::uint32_t kAccepted = 0, kRejected = 1, kWrongUsage = 2;
constexpr std::int64_t kYear10000 = 253'402'300'800;

std::uint32_t failed(const Error& error) {
  std::cerr << "backplane: " << error.message << '\n';
  return error.code == Code::kInvalidArgument ? kWrongUsage : kRejected;
}

std::uint32_t print(const ReportVerdict& verdict, bool is_json) {
  if (is_json) {
    std::cout << boost::json::serialize(to_json(verdict)) << '\n';
  } else {
    std::cout << verdict_text(verdict);
  }
  return verdict.is_accepted ? kAccepted : kRejected;
}

// What could not even be read as evidence or collateral is rejected like the rest.
std::uint32_t print_rejection(const Error& error, std::int64_t unix_time, bool is_json) {
  ReportVerdict verdict;
  verdict.rejection = error;
  verdict.unix_time = unix_time;
  return print(verdict, is_json);
}

std::uint32_t attest(const AttestArguments& arguments) {
  Result<ReportOptions> options = options_of(arguments);
  if (!options) return failed(options.error());
  const std::int64_t now = options->quote.unix_time;
  CollateralShelf shelf;
  if (const Status status = shelf.read_files(arguments.collateral); !status) {
    if (status.error().type.empty()) return failed(status.error());
    return print_rejection(status.error(), now, arguments.is_json);
  }
  const Result<std::string> text = read_source(arguments, *options);
  if (!text) return failed(text.error());
  const Result<Report> report = read_report(*text);
  if (!report) return print_rejection(report.error(), now, arguments.is_json);
  if (shelf.is_empty()) {
    for (const Error& error : shelf.fetch_for(*report, arguments.pccs)) {
      std::cerr << "backplane: " << error.message << '\n';
    }
  }
  const auto source = [&](const Platform& platform) { return shelf.find(platform); };
  return print(verify_report(*report, source, *options), arguments.is_json);
}

void add_options(CLI::App& app, AttestArguments& arguments) {
  app.add_option("SOURCE", arguments.source,
                 "A file with a report as a provider gave it or a quote (binary, hex or base64), "
                 "or the URL at which a provider gives one; it is asked with a nonce")
      ->required();
  app.add_option("--collateral", arguments.collateral,
                 "File with collateral (tcb_info, qe_identity, root_ca_crl, pck_crl, their "
                 "signatures and chains); may be given for several platforms. Without one it is "
                 "fetched")
      ->type_name("FILE")
      ->expected(1);
  app.add_option("--pccs", arguments.pccs,
                 "Where collateral is fetched: Intel's service or a cache")
      ->type_name("URL")
      ->capture_default_str();
  app.add_option("--at", arguments.at,
                 "Judge as at this time, in seconds since 1970 (default: now)")
      ->type_name("UNIX_TIME")
      ->check(CLI::Range(std::int64_t{0}, kYear10000 - 1));
  app.add_option("--nonce", arguments.nonce,
                 "The 64 hex digits that the report was asked with (default: a fresh nonce for a "
                 "URL; for a file none, and its age is not known)")
      ->type_name("HEX");
  app.add_option("--model", arguments.model, "The model that the report must be about");
  app.add_option("--accept", arguments.accepted,
                 "TCB status to accept, in the place of UpToDate and SWHardeningNeeded; may be "
                 "given several times")
      ->type_name("STATUS")
      ->expected(1);
  app.add_flag("--json", arguments.is_json, "Print JSON");
}

}  // namespace

std::uint32_t run_attest_command(Host, const std::vector<std::string>& arguments) {
  CLI::App app{
      "Verify evidence of trusted execution (Intel TDX), and say what is accepted or why not",
      "backplane attest"};
  app.footer("Exit status: 0 accepted, 1 rejected or not to be had, 2 wrong usage.");
  AttestArguments given;
  given.pccs = kIntelPcs;
  add_options(app, given);
  std::vector<std::string> words(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAccepted : kWrongUsage;
  }
  return attest(given);
}

}  // namespace backplane::phala
