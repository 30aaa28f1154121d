// SPDX-License-Identifier: Apache-2.0
#include "loop_shared.hpp"

#include "http1_request.hpp"
#include "http2_stream.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kSparesMax = 32;

template <class Thing>
std::unique_ptr<Thing> take_spare(std::vector<std::unique_ptr<Thing>>& spares, Server& server,
                                  LoopShared& shared) {
  if (spares.empty()) return std::make_unique<Thing>(server, shared);
  std::unique_ptr<Thing> taken = std::move(spares.back());
  spares.pop_back();
  return taken;
}

template <class Thing>
void keep_spare(std::vector<std::unique_ptr<Thing>>& spares, std::unique_ptr<Thing> thing) {
  thing->reset();
  if (spares.size() < kSparesMax) spares.push_back(std::move(thing));
}

}  // namespace

LoopShared::LoopShared() = default;
LoopShared::~LoopShared() = default;

void LoopShared::add(Connection& connection) {
  connection.set_place(connections_.size());
  connections_.push_back(&connection);
}

void LoopShared::remove(Connection& connection) {
  Connection* last = connections_.back();
  connections_[connection.place()] = last;
  last->set_place(connection.place());
  connections_.pop_back();
}

void LoopShared::drain_all() {
  for (Connection* connection : connections_) connection->drain();
}

std::string& LoopShared::scratch() {
  scratch_.clear();
  return scratch_;
}

std::vector<nghttp2_nv>& LoopShared::fields() {
  fields_.clear();
  return fields_;
}

std::unique_ptr<Http1Request> LoopShared::take_request(Server& server) {
  return take_spare(spare_requests_, server, *this);
}

void LoopShared::give_back(std::unique_ptr<Http1Request> request) {
  keep_spare(spare_requests_, std::move(request));
}

std::unique_ptr<Http2Stream> LoopShared::take_stream(Server& server) {
  return take_spare(spare_streams_, server, *this);
}

void LoopShared::give_back(std::unique_ptr<Http2Stream> stream) {
  keep_spare(spare_streams_, std::move(stream));
}

}  // namespace backplane::http
