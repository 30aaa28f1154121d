// SPDX-License-Identifier: Apache-2.0
// What Intel says of a family of platforms and of its quoting enclaves, once its signature has been
// checked. Source: Intel PCS API, version 4, "Get TDX TCB Info" and "Get TDX QE Identity".
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/bytes.hpp"
#include "common/attestation/tcb_status.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kTcbLevelsMax = 256;
inline constexpr std::size_t kAdvisoriesMax = 256;

// What holds for components that are at least so new.
struct TcbLevel {
  Field<16> sgx_svn{};
  Field<16> tdx_svn{};
  std::uint16_t pce_svn = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::string date;
  std::vector<std::string> advisories;
};

// The same for an enclave or a module, which has one number.
struct SvnLevel {
  std::uint16_t isv_svn = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::string date;
  std::vector<std::string> advisories;
};

struct TdxModule {
  std::string id;  // "TDX_03"; empty for the one of platforms without module versions
  Field<48> mr_signer{};
  Field<8> attributes{};
  Field<8> attributes_mask{};
  std::vector<SvnLevel> levels;  // newest first
};

struct TcbInfo {
  std::int64_t issue_date = 0;  // unix time
  std::int64_t next_update = 0;
  Field<6> fmspc{};
  Field<2> pce_id{};
  std::uint64_t evaluation_number = 0;
  TdxModule module;
  std::vector<TdxModule> module_identities;
  std::vector<TcbLevel> levels;  // newest first
};

struct QeIdentity {
  std::int64_t issue_date = 0;
  std::int64_t next_update = 0;
  std::uint64_t evaluation_number = 0;
  Field<4> misc_select{};  // as the enclave's report has it: the JSON's is most significant first
  Field<4> misc_select_mask{};
  Field<16> attributes{};
  Field<16> attributes_mask{};
  Field<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::vector<SvnLevel> levels;
};

// Errors: reason::kCollateralMalformed.
Result<TcbInfo> parse_tcb_info(std::string_view json);
Result<QeIdentity> parse_qe_identity(std::string_view json);

}  // namespace backplane::attestation
