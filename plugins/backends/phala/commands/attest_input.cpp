// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/phala/commands/attest_input.hpp"

#include <openssl/rand.h>

#include <ctime>
#include <fstream>
#include <iterator>

#include "common/attestation/collateral_requests.hpp"
#include "common/fetch/fetch.hpp"

namespace backplane::phala {
namespace {

using namespace attestation;

// The value of `nonce` in a URL's query.
std::string nonce_in(const std::string& url) {
  const std::size_t query = url.find('?');
  if (query == std::string::npos) return {};
  for (std::size_t at = query; at != std::string::npos; at = url.find('&', at + 1)) {
    if (url.compare(at + 1, 6, "nonce=") != 0) continue;
    const std::size_t begin = at + 7;
    return url.substr(begin, url.find_first_of("&#", begin) - begin);
  }
  return {};
}

std::string with_nonce(const std::string& url, const std::string& nonce) {
  const std::string base = url.substr(0, url.find('#'));
  return base + (base.find('?') == std::string::npos ? "?" : "&") + "nonce=" + nonce;
}

Result<Field<32>> fresh_nonce() {
  Field<32> nonce{};
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1) return nonce;
  return internal_error("there are no random numbers to make a nonce of");
}

Result<CollateralAnswer> get(const CollateralRequest& request) {
  fetch::FetchOptions options;
  options.body_bytes_max = kCollateralAnswerBytesMax;
  Result<fetch::FetchAnswer> answer = fetch::fetch(request.url, options);
  if (!answer) return answer.error();
  CollateralAnswer found;
  found.body = std::move(answer->body);
  for (const std::string_view name : {request.issuer_chain_header, request.other_issuer_header}) {
    const auto header = answer->headers.find(std::string(name));
    if (header != answer->headers.end()) found.issuer_chain = header->second;
  }
  return found;
}

Result<Collateral> fetch_collateral(const Platform& platform, const std::string& base_url) {
  const CollateralRequests requests = collateral_requests(platform, base_url);
  CollateralAnswers answers;
  for (const auto& [request, answer] : {std::pair(&requests.tcb_info, &answers.tcb_info),
                                        std::pair(&requests.qe_identity, &answers.qe_identity),
                                        std::pair(&requests.pck_crl, &answers.pck_crl),
                                        std::pair(&requests.root_crl, &answers.root_crl)}) {
    Result<CollateralAnswer> got = get(*request);
    if (!got) return got.error();
    *answer = std::move(*got);
  }
  return collateral_from(answers);
}

Field<6> fmspc_of(const Collateral& collateral) {
  const Result<TcbInfo> info = parse_tcb_info(collateral.tcb_info);
  return info ? info->fmspc : Field<6>{};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Code::kNotFound, path + ": cannot be read", {}, 0, 0};
  std::string text;
  std::array<char, 64 * 1024> piece{};
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > bytes_max) {
      return invalid_argument(path + ": longer than " + std::to_string(bytes_max) + " bytes");
    }
  }
  if (file.bad()) return Error{Code::kNotFound, path + ": cannot be read", {}, 0, 0};
  return text;
}

Result<ReportOptions> options_of(const AttestArguments& arguments) {
  ReportOptions options;
  options.model = arguments.model;
  options.quote.unix_time = arguments.at < 0 ? std::time(nullptr) : arguments.at;
  if (!arguments.nonce.empty()) {
    options.nonce = field_from_hex<32>(arguments.nonce);
    if (!options.nonce) return invalid_argument("--nonce: expected 64 hex digits");
  }
  if (!arguments.accepted.empty()) options.quote.policy.accepted_statuses.clear();
  for (const std::string& name : arguments.accepted) {
    const std::optional<TcbStatus> status = tcb_status_of(name);
    if (!status) return invalid_argument("--accept: there is no TCB status \"" + name + '"');
    options.quote.policy.accepted_statuses.push_back(*status);
  }
  return options;
}

Result<std::string> read_source(const AttestArguments& arguments, ReportOptions& options) {
  if (!fetch::is_url(arguments.source)) return read_file(arguments.source, kReportBytesMax);
  std::string url = arguments.source;
  const std::string asked = nonce_in(url);
  if (asked.empty()) {
    if (!options.nonce) {
      const Result<Field<32>> nonce = fresh_nonce();
      if (!nonce) return nonce.error();
      options.nonce = *nonce;
    }
    url = with_nonce(url, to_hex(*options.nonce));
  } else {
    const auto nonce = field_from_hex<32>(asked);
    if (!nonce || (options.nonce && *options.nonce != *nonce)) {
      return invalid_argument("the URL's nonce is not 64 hex digits, or not that of --nonce");
    }
    options.nonce = nonce;
  }
  fetch::FetchOptions limits;
  limits.body_bytes_max = kReportBytesMax;
  Result<fetch::FetchAnswer> answer = fetch::fetch(url, limits);
  if (!answer) return answer.error();
  return std::move(answer->body);
}

Status CollateralShelf::read_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const Result<std::string> text = read_file(file, kReportBytesMax);
    if (!text) return text.error();
    Result<Collateral> collateral = parse_collateral(*text);
    if (!collateral) return collateral.error();
    Field<6> fmspc = fmspc_of(*collateral);
    entries_.push_back({fmspc, {}, std::move(*collateral)});
  }
  return ok();
}

std::vector<Error> CollateralShelf::fetch_for(const Report& report, const std::string& base_url) {
  std::vector<Error> errors;
  for (const Platform& platform : platforms_of(report)) {
    Result<Collateral> collateral = fetch_collateral(platform, base_url);
    if (collateral) {
      entries_.push_back({platform.fmspc, std::string(platform.ca), std::move(*collateral)});
    } else {
      errors.push_back(collateral.error());
    }
  }
  return errors;
}

const Collateral* CollateralShelf::find(const Platform& platform) const {
  for (const Entry& entry : entries_) {
    const bool is_ca = entry.ca.empty() || entry.ca == platform.ca;
    if (is_ca && entry.fmspc == platform.fmspc) return &entry.collateral;
  }
  // A file that is for another platform: the verdict says so.
  return entries_.size() == 1 && entries_.front().ca.empty() ? &entries_.front().collateral
                                                             : nullptr;
}

}  // namespace backplane::phala
