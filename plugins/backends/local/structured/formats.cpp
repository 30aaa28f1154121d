// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/formats.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "plugins/backends/local/structured/regex.hpp"

namespace backplane::local {
namespace {

// RFC 3339; days by their month, February's 29th by the year.
const std::string kDate =
    "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))"
    "|(?:\\d{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
const std::string kTime =
    "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?"
    "(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
const std::string kDuration =
    "P(?:\\d{1,9}W|(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)"
    "(?:T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?"
    "|T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))";
const std::string kUuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

// Eight labels of thirty characters stay within the 253 that RFC 1123 gives a name.
const std::string kLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,28}[A-Za-z0-9])?";
const std::string kHostname = kLabel + "(?:\\." + kLabel + "){0,7}";
const std::string kAtom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
const std::string kEmail = kAtom + "+(?:\\." + kAtom + "+)*@" + kHostname;

const std::string kByte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const std::string kIpv4 = kByte + "(?:\\." + kByte + "){3}";

// RFC 4291: groups, one gap at most, the last two perhaps as an IPv4 address.
std::string ipv6() {
  const std::string group = "[0-9a-fA-F]{1,4}";
  const std::string last = "(?:" + group + ":" + group + "|" + kIpv4 + ")";
  std::string out = "(?:" + group + ":){6}" + last;
  for (int before = 0; before <= 7; ++before) {
    const int after = 7 - before;
    const std::string head =
        before == 0 ? "" : group + "(?::" + group + "){0," + std::to_string(before - 1) + "}";
    std::string tail = "(?:" + group + "(?::" + group + "){0," + std::to_string(after - 1) + "})?";
    if (after == 0) tail.clear();
    out += "|" + head + "::" + tail;
    if (after >= 2) {
      out += "|" + head + "::(?:" + group + ":){0," + std::to_string(after - 2) + "}" + kIpv4;
    }
  }
  return out;
}

// RFC 3986, but for hosts in brackets.
const std::string kEscaped = "%[0-9A-Fa-f]{2}";
const std::string kPathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|" + kEscaped + ")";
const std::string kHost = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|" + kEscaped + ")*";
const std::string kUser = "(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|" + kEscaped + ")*@)?";
const std::string kAuthority = "//" + kUser + kHost + "(?::\\d*)?(?:/" + kPathCharacter + "*)*";
const std::string kTail =
    "(?:\\?(?:" + kPathCharacter + "|[/?])*)?(?:#(?:" + kPathCharacter + "|[/?])*)?";
const std::string kRooted = "/(?:" + kPathCharacter + "+(?:/" + kPathCharacter + "*)*)?";
const std::string kRootless = kPathCharacter + "+(?:/" + kPathCharacter + "*)*";
const std::string kUri =
    "[A-Za-z][A-Za-z0-9+.-]*:(?:" + kAuthority + "|" + kRooted + "|" + kRootless + "|)" + kTail;
const std::string kSegmentNoColon = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|" + kEscaped + ")+";
const std::string kUriReference = "(?:" + kUri + "|(?:" + kAuthority + "|" + kRooted + "|" +
                                  kSegmentNoColon + "(?:/" + kPathCharacter + "*)*|)" + kTail + ")";
const std::string kPointer = "(?:/(?:[^~/]|\\n|\\r|\\u2028|\\u2029|~[01])*)*";

struct Format {
  std::string_view name;
  std::string pattern;
};
const Format kFormats[] = {
    {"date", kDate},
    {"date-time", kDate + "[Tt]" + kTime},
    {"duration", kDuration},
    {"email", kEmail},
    {"hostname", kHostname},
    {"ipv4", kIpv4},
    {"ipv6", ipv6()},
    {"json-pointer", kPointer},
    {"relative-json-pointer", "(?:0|[1-9]\\d{0,8})(?:#|" + kPointer + ")"},
    {"time", kTime},
    {"uri", kUri},
    {"uri-reference", kUriReference},
    {"uuid", kUuid},
};
constexpr std::string_view kRefused[] = {"idn-email",     "idn-hostname", "iri",
                                         "iri-reference", "regex",        "uri-template"};

}  // namespace

FormatKind kind_of_format(std::string_view name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return FormatKind::kEnforced;
  }
  const bool refused =
      std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused);
  return refused ? FormatKind::kRefused : FormatKind::kAnnotation;
}

Result<DfaPointer> dfa_of_format(std::string_view name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return dfa_of_match(format.pattern);
  }
  return invalid_argument("is not known");
}

}  // namespace backplane::local
