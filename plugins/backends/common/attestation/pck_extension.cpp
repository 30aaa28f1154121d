// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/pck_extension.hpp"

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <charconv>

#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

constexpr std::string_view kSgx = "1.2.840.113741.1.13.1";
constexpr unsigned kTcb = 2, kPceId = 3, kFmspc = 4;
constexpr unsigned kPceSvn = 17;
constexpr int kItemsMax = 32;

void free_items(ASN1_SEQUENCE_ANY* items) {
  sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free);
}
using Items = std::unique_ptr<ASN1_SEQUENCE_ANY, FreeWith<&free_items>>;

Error broken(const std::string& what) {
  return rejected(reason::kPckCertificate, "the PCK certificate's SGX extension " + what);
}

Items items_of(const ASN1_STRING* der) {
  if (der == nullptr) return nullptr;
  const unsigned char* at = ASN1_STRING_get0_data(der);
  const long size = ASN1_STRING_length(der);
  const unsigned char* end = at + size;
  Items items(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, size));
  if (!items || at != end || sk_ASN1_TYPE_num(items.get()) > kItemsMax) return nullptr;
  return items;
}

// The last number of an identifier right below `parent`; 0 for any other.
unsigned last_number(const ASN1_TYPE* type, const std::string& parent) {
  if (ASN1_TYPE_get(type) != V_ASN1_OBJECT) return 0;
  std::array<char, 80> text{};
  const int size = OBJ_obj2txt(text.data(), text.size(), type->value.object, 1);
  if (size <= 0 || static_cast<std::size_t>(size) >= text.size()) return 0;
  const std::string_view name(text.data(), static_cast<std::size_t>(size));
  if (!name.starts_with(parent + '.')) return 0;
  unsigned number = 0;
  const char* begin = name.data() + parent.size() + 1;
  const auto [stop, error] = std::from_chars(begin, name.data() + name.size(), number);
  return error == std::errc() && stop == name.data() + name.size() ? number : 0;
}

// Calls `take(number, value)` for each pair of the sequence; false when one is broken or taken
// badly.
template <class Take>
bool each_pair(const Items& items, const std::string& parent, Take take) {
  if (!items) return false;
  for (int at = 0; at < sk_ASN1_TYPE_num(items.get()); ++at) {
    const ASN1_TYPE* item = sk_ASN1_TYPE_value(items.get(), at);
    if (ASN1_TYPE_get(item) != V_ASN1_SEQUENCE) return false;
    const Items pair = items_of(item->value.sequence);
    if (!pair || sk_ASN1_TYPE_num(pair.get()) != 2) return false;
    const unsigned number = last_number(sk_ASN1_TYPE_value(pair.get(), 0), parent);
    if (!take(number, *sk_ASN1_TYPE_value(pair.get(), 1))) return false;
  }
  return true;
}

bool read_number(const ASN1_TYPE& value, std::int64_t max, std::int64_t& out) {
  return ASN1_TYPE_get(&value) == V_ASN1_INTEGER &&
         ASN1_INTEGER_get_int64(&out, value.value.integer) == 1 && out >= 0 && out <= max;
}

template <std::size_t kSize>
bool read_field(const ASN1_TYPE& value, Field<kSize>& out) {
  if (ASN1_TYPE_get(&value) != V_ASN1_OCTET_STRING) return false;
  const ASN1_STRING* text = value.value.octet_string;
  if (static_cast<std::size_t>(ASN1_STRING_length(text)) != kSize) return false;
  std::copy_n(ASN1_STRING_get0_data(text), kSize, out.begin());
  return true;
}

bool read_tcb(const ASN1_TYPE& value, PckExtension& out) {
  if (ASN1_TYPE_get(&value) != V_ASN1_SEQUENCE) return false;
  unsigned seen = 0;
  const auto take = [&](unsigned number, const ASN1_TYPE& item) {
    if (number < 1 || number > kPceSvn) return true;  // the CPUSVN, which says nothing more
    if ((seen & 1U << number) != 0) return false;
    seen |= 1U << number;
    std::int64_t svn = 0;
    if (!read_number(item, number == kPceSvn ? 0xffff : 0xff, svn)) return false;
    if (number == kPceSvn) out.pce_svn = static_cast<std::uint16_t>(svn);
    if (number != kPceSvn) out.sgx_svn[number - 1] = static_cast<std::uint8_t>(svn);
    return true;
  };
  constexpr unsigned kAll = (1U << (kPceSvn + 1)) - 2;
  return each_pair(items_of(value.value.sequence), std::string(kSgx) + ".2", take) && seen == kAll;
}

const ASN1_STRING* find_extension(const X509& certificate) {
  const ASN1_STRING* found = nullptr;
  for (int at = 0; at < X509_get_ext_count(&certificate); ++at) {
    X509_EXTENSION* extension = X509_get_ext(&certificate, at);
    std::array<char, 80> name{};
    OBJ_obj2txt(name.data(), name.size(), X509_EXTENSION_get_object(extension), 1);
    if (kSgx != name.data()) continue;
    if (found != nullptr) return nullptr;
    found = X509_EXTENSION_get_data(extension);
  }
  return found;
}

}  // namespace

Result<PckExtension> read_pck_extension(const X509& certificate) {
  const ASN1_STRING* data = find_extension(certificate);
  if (data == nullptr) return broken("is missing, or there are two");
  PckExtension found;
  unsigned seen = 0;
  const auto take = [&](unsigned number, const ASN1_TYPE& value) {
    if (number < kTcb || number > kFmspc) return true;
    if ((seen & 1U << number) != 0) return false;
    seen |= 1U << number;
    if (number == kPceId) return read_field(value, found.pce_id);
    if (number == kFmspc) return read_field(value, found.fmspc);
    return read_tcb(value, found);
  };
  if (!each_pair(items_of(data), std::string(kSgx), take)) return broken("cannot be read");
  if (seen != (1U << kTcb | 1U << kPceId | 1U << kFmspc)) return broken("is not whole");
  return found;
}

}  // namespace backplane::attestation
