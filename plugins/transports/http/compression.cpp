// SPDX-License-Identifier: Apache-2.0
#include "compression.hpp"

#include "token.hpp"

#include <zlib.h>

#include <optional>

namespace backplane::http {
namespace {

constexpr int kLevel = 1;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;
constexpr int kFull = 1000;  // a weight, in thousandths
constexpr std::size_t kKeptBytes = 64 * 1024;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// "0.5" in thousandths; what is no weight is none.
int weight_of(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = text[0] == '1' ? kFull : 0;
  int unit = kFull;
  for (std::size_t i = 2; i < text.size() && i < 5 && text[1] == '.'; ++i) {
    if (text[i] < '0' || text[i] > '9') return 0;
    unit /= 10;
    weight += (text[i] - '0') * unit;
  }
  return std::min(weight, kFull);
}

struct Weights {
  std::optional<int> gzip, identity, any;
};

void take(Weights& weights, std::string_view item) {
  const std::size_t semicolon = item.find(';');
  const std::string_view name = trim(item.substr(0, semicolon));
  int weight = kFull;
  if (semicolon != std::string_view::npos) {
    const std::string_view parameter = trim(item.substr(semicolon + 1));
    if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') return;
    weight = weight_of(parameter.substr(2));
  }
  if (same_token("gzip", name) || same_token("x-gzip", name)) weights.gzip = weight;
  if (same_token("identity", name)) weights.identity = weight;
  if (name == "*") weights.any = weight;
}

}  // namespace

Coding choose_coding(std::string_view accept_encoding) {
  Weights weights;
  while (!accept_encoding.empty()) {
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    take(weights, accept_encoding.substr(0, comma));
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
  }
  const int gzip = weights.gzip.value_or(weights.any.value_or(0));
  if (gzip == 0) return Coding::kIdentity;
  const int identity = weights.identity.value_or(weights.any.value_or(kFull));
  if (identity == 0) return Coding::kGzipOnly;
  return weights.identity && *weights.identity > gzip ? Coding::kIdentity : Coding::kGzip;
}

struct Compressor::State {
  State() {
    ready = deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (ready) deflateEnd(&stream);
  }
  z_stream stream{};
  bool ready;
};

Compressor::Compressor() = default;
Compressor::~Compressor() = default;

std::string_view Compressor::gzip(std::string_view plain) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  if (!state_->ready || plain.size() > kCompressedMaxBytes) return {};
  if (out_.capacity() > kKeptBytes) out_ = std::string();
  z_stream& stream = state_->stream;
  deflateReset(&stream);
  out_.resize(deflateBound(&stream, static_cast<uLong>(plain.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out_.data());
  stream.avail_out = static_cast<uInt>(out_.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return {};
  return std::string_view(out_).substr(0, out_.size() - stream.avail_out);
}

}  // namespace backplane::http
