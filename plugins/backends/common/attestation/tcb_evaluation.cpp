// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/tcb_evaluation.hpp"

#include <algorithm>
#include <cstdio>

#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

bool covers(const Field<16>& svn, const Field<16>& level, std::size_t first = 0) {
  for (std::size_t at = first; at < svn.size(); ++at) {
    if (svn[at] < level[at]) return false;
  }
  return true;
}

template <std::size_t kSize>
bool is_under_mask(const Field<kSize>& value, const Field<kSize>& mask,
                   const Field<kSize>& expected) {
  for (std::size_t at = 0; at < kSize; ++at) {
    if ((value[at] & mask[at]) != expected[at]) return false;
  }
  return true;
}

const SvnLevel* level_of(const std::vector<SvnLevel>& levels, std::uint16_t isv_svn) {
  const auto found = std::find_if(levels.begin(), levels.end(),
                                  [&](const SvnLevel& level) { return level.isv_svn <= isv_svn; });
  return found == levels.end() ? nullptr : &*found;
}

const TdxModule* module_of(const TcbInfo& info, std::uint8_t version) {
  std::array<char, 8> id{};
  std::snprintf(id.data(), id.size(), "TDX_%02X", version);
  const auto found = std::find_if(info.module_identities.begin(), info.module_identities.end(),
                                  [&](const TdxModule& module) { return module.id == id.data(); });
  return found == info.module_identities.end() ? nullptr : &*found;
}

Status check_module(const TdReport& report, const TdxModule& module) {
  if (report.mr_signer_seam != module.mr_signer) {
    return rejected(reason::kTdxModule, "the TDX module has an unknown signer");
  }
  if (!is_under_mask(report.seam_attributes, module.attributes_mask, module.attributes)) {
    return rejected(reason::kTdxModule, "the TDX module has other attributes than the known one");
  }
  return ok();
}

const TcbLevel* platform_level(const TcbInfo& info, const PckExtension& pck,
                               const TdReport& report) {
  const std::size_t first = report.tee_tcb_svn[1] > 0 ? 2 : 0;
  for (const TcbLevel& level : info.levels) {
    if (covers(pck.sgx_svn, level.sgx_svn) && pck.pce_svn >= level.pce_svn &&
        covers(report.tee_tcb_svn, level.tdx_svn, first)) {
      return &level;
    }
  }
  return nullptr;
}

// The status of what is not the TDX module.
std::optional<TcbStatus> sgx_status(const TcbInfo& info, const PckExtension& pck) {
  for (const TcbLevel& level : info.levels) {
    if (covers(pck.sgx_svn, level.sgx_svn) && pck.pce_svn >= level.pce_svn) return level.status;
  }
  return std::nullopt;
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::kOutOfDate || status == TcbStatus::kOutOfDateConfigurationNeeded;
}

// Whether the module that runs now is the newest, though an older one launched this domain.
bool has_newest_module(const Field<16>& svn, const TcbInfo& info) {
  if (svn[2] < info.levels.front().tdx_svn[2]) return false;
  if (svn[1] == 0) return svn[0] >= info.levels.front().tdx_svn[0];
  const TdxModule* module = module_of(info, svn[1]);
  return module != nullptr && !module->levels.empty() && svn[0] >= module->levels.front().isv_svn;
}

void advise_relaunch(const TdReport& report, const PckExtension& pck, const TcbInfo& info,
                     TcbEvaluation& found) {
  const std::optional<TcbStatus> sgx = sgx_status(info, pck);
  if (!report.is_td15 || !is_out_of_date(found.status) || found.qe != TcbStatus::kUpToDate) return;
  if (found.module != TcbStatus::kOutOfDate || !sgx || is_out_of_date(*sgx) ||
      *sgx == TcbStatus::kRevoked || !has_newest_module(report.tee_tcb_svn2, info)) {
    return;
  }
  found.status = needs_configuration(*sgx) || needs_configuration(found.status)
                     ? TcbStatus::kTdRelaunchAdvisedConfigurationNeeded
                     : TcbStatus::kTdRelaunchAdvised;
}

template <class Level>
void take(const Level& level, TcbEvaluation& found) {
  found.date = found.date.empty() ? level.date : std::min(found.date, level.date);
  for (const std::string& id : level.advisories) {
    const auto known = std::find(found.advisories.begin(), found.advisories.end(), id);
    if (known == found.advisories.end()) found.advisories.push_back(id);
  }
}

Error no_level(const std::string& of) {
  return rejected(reason::kNoTcbLevel, "no TCB level matches " + of);
}

Status evaluate_module(const TdReport& report, const TcbInfo& info, TcbEvaluation& found) {
  const std::uint8_t version = report.tee_tcb_svn[1];
  if (version == 0) return check_module(report, info.module);
  const TdxModule* module = module_of(info, version);
  if (module == nullptr) {
    return rejected(reason::kTdxModule,
                    "no identity is known of TDX modules of version " + std::to_string(version));
  }
  if (const Status status = check_module(report, *module); !status) return status;
  const SvnLevel* level = level_of(module->levels, report.tee_tcb_svn[0]);
  if (level == nullptr) return no_level("the TDX module");
  found.module = level->status;
  take(*level, found);
  return ok();
}

Status check_platform(const PckExtension& pck, const TcbInfo& info) {
  if (pck.fmspc != info.fmspc) {
    return rejected(reason::kFmspc, "fmspc mismatch: the TCB info is for " + to_hex(info.fmspc) +
                                        ", the platform is a " + to_hex(pck.fmspc));
  }
  if (pck.pce_id != info.pce_id) {
    return rejected(reason::kFmspc, "pceId mismatch: the TCB info is for " + to_hex(info.pce_id) +
                                        ", the platform has " + to_hex(pck.pce_id));
  }
  return ok();
}

}  // namespace

Status check_qe_identity(const QeReport& report, const QeIdentity& identity) {
  const auto differs = [](const std::string& what) {
    return rejected(reason::kQeIdentity, "the quoting enclave is not Intel's: " + what);
  };
  if (!is_under_mask(report.misc_select, identity.misc_select_mask, identity.misc_select)) {
    return differs("miscselect differs");
  }
  if (!is_under_mask(report.attributes, identity.attributes_mask, identity.attributes)) {
    return differs("its attributes differ");
  }
  if (report.mr_signer != identity.mr_signer) return differs("another signer");
  if (report.isv_prod_id != identity.isv_prod_id) return differs("another product");
  return ok();
}

Result<TcbEvaluation> evaluate_tcb(const Quote& quote, const PckExtension& pck, const TcbInfo& info,
                                   const QeIdentity& identity) {
  if (const Status status = check_platform(pck, info); !status) return status.error();
  TcbEvaluation found;
  const TcbLevel* platform = platform_level(info, pck, quote.report);
  if (platform == nullptr) return no_level("the platform");
  found.platform = platform->status;
  take(*platform, found);
  const Status module = evaluate_module(quote.report, info, found);
  if (!module) return module.error();
  const SvnLevel* qe = level_of(identity.levels, quote.qe_report.isv_svn);
  if (qe == nullptr) return no_level("the quoting enclave");
  found.qe = qe->status;
  take(*qe, found);
  found.status = converged(found.platform, found.module.value_or(TcbStatus::kUpToDate));
  found.status = converged(found.status, found.qe);
  advise_relaunch(quote.report, pck, info, found);
  return found;
}

}  // namespace backplane::attestation
