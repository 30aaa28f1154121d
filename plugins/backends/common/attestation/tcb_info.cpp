// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/tcb_info.hpp"

#include <algorithm>

#include "common/attestation/json_fields.hpp"
#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

Error malformed(std::string_view what, const std::string& fault) {
  return rejected(reason::kCollateralMalformed, std::string(what) + ": " + fault);
}

std::uint16_t svn16(JsonFields& fields, std::string_view name) {
  return static_cast<std::uint16_t>(fields.number(name, 0xffff));
}

Field<16> read_components(JsonFields& tcb, std::string_view name, std::string& fault) {
  const json::array& components = tcb.array(name, 16);
  Field<16> svns{};
  if (components.size() != svns.size()) {
    if (fault.empty()) fault = '"' + std::string(name) + "\" must have 16 components";
    return svns;
  }
  for (std::size_t at = 0; at < svns.size(); ++at) {
    svns[at] = static_cast<std::uint8_t>(JsonFields(components[at], fault).number("svn", 0xff));
  }
  return svns;
}

TcbLevel read_level(const json::value& value, std::string& fault) {
  JsonFields fields(value, fault);
  JsonFields tcb(fields.object("tcb"), fault);
  TcbLevel level;
  level.sgx_svn = read_components(tcb, "sgxtcbcomponents", fault);
  level.tdx_svn = read_components(tcb, "tdxtcbcomponents", fault);
  level.pce_svn = svn16(tcb, "pcesvn");
  level.status = fields.status("tcbStatus");
  level.date = fields.text("tcbDate");
  level.advisories = fields.texts("advisoryIDs", kAdvisoriesMax);
  return level;
}

std::vector<SvnLevel> read_svn_levels(JsonFields& parent, std::string& fault) {
  std::vector<SvnLevel> levels;
  for (const json::value& value : parent.array("tcbLevels", kTcbLevelsMax)) {
    JsonFields fields(value, fault);
    JsonFields tcb(fields.object("tcb"), fault);
    SvnLevel level;
    level.isv_svn = svn16(tcb, "isvsvn");
    level.status = fields.status("tcbStatus");
    level.date = fields.text("tcbDate");
    level.advisories = fields.texts("advisoryIDs", kAdvisoriesMax);
    levels.push_back(std::move(level));
  }
  return levels;
}

TdxModule read_module(const json::value& value, std::string& fault) {
  JsonFields fields(value, fault);
  TdxModule module;
  if (fields.has("id")) module.id = fields.text("id");
  module.mr_signer = fields.hex<48>("mrsigner");
  module.attributes = fields.hex<8>("attributes");
  module.attributes_mask = fields.hex<8>("attributesMask");
  module.levels = read_svn_levels(fields, fault);
  return module;
}

void expect(JsonFields& fields, std::string_view id, std::uint64_t version, std::string& fault) {
  const std::string found = fields.text("id");
  if (fault.empty() && found != id) fault = "it is of \"" + found + "\", not " + std::string(id);
  const std::uint64_t number = fields.number("version", 0xffff);
  if (fault.empty() && number != version) {
    fault = "it has version " + std::to_string(number) + ", not " + std::to_string(version);
  }
}

Field<4> reversed(Field<4> field) {
  std::reverse(field.begin(), field.end());
  return field;
}

}  // namespace

Result<TcbInfo> parse_tcb_info(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value) return malformed("TCB info", value.error().message);
  std::string fault;
  JsonFields fields(*value, fault);
  expect(fields, "TDX", 3, fault);
  TcbInfo info;
  info.issue_date = fields.time("issueDate");
  info.next_update = fields.time("nextUpdate");
  info.fmspc = fields.hex<6>("fmspc");
  info.pce_id = fields.hex<2>("pceId");
  info.evaluation_number = fields.number("tcbEvaluationDataNumber", 0xffffffff);
  if (fields.number("tcbType", 0xffff) != 0 && fault.empty()) fault = "its TCB type is unknown";
  info.module = read_module(fields.object("tdxModule"), fault);
  for (const json::value& identity : fields.array("tdxModuleIdentities", kTcbLevelsMax)) {
    info.module_identities.push_back(read_module(identity, fault));
  }
  for (const json::value& level : fields.array("tcbLevels", kTcbLevelsMax)) {
    info.levels.push_back(read_level(level, fault));
  }
  if (!fault.empty()) return malformed("TCB info", fault);
  return info;
}

Result<QeIdentity> parse_qe_identity(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value) return malformed("QE identity", value.error().message);
  std::string fault;
  JsonFields fields(*value, fault);
  expect(fields, "TD_QE", 2, fault);
  QeIdentity identity;
  identity.issue_date = fields.time("issueDate");
  identity.next_update = fields.time("nextUpdate");
  identity.evaluation_number = fields.number("tcbEvaluationDataNumber", 0xffffffff);
  identity.misc_select = reversed(fields.hex<4>("miscselect"));
  identity.misc_select_mask = reversed(fields.hex<4>("miscselectMask"));
  identity.attributes = fields.hex<16>("attributes");
  identity.attributes_mask = fields.hex<16>("attributesMask");
  identity.mr_signer = fields.hex<32>("mrsigner");
  identity.isv_prod_id = svn16(fields, "isvprodid");
  identity.levels = read_svn_levels(fields, fault);
  if (!fault.empty()) return malformed("QE identity", fault);
  return identity;
}

}  // namespace backplane::attestation
