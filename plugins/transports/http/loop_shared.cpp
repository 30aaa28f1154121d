// SPDX-License-Identifier: Apache-2.0
#include "loop_shared.hpp"

#include "http1_request.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kSpareRequestsMax = 64;

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

std::unique_ptr<Http1Request> LoopShared::take_request(Server& server) {
  if (spare_requests_.empty()) return std::make_unique<Http1Request>(server, *this);
  std::unique_ptr<Http1Request> request = std::move(spare_requests_.back());
  spare_requests_.pop_back();
  return request;
}

void LoopShared::give_back(std::unique_ptr<Http1Request> request) {
  request->reset();
  if (spare_requests_.size() < kSpareRequestsMax) spare_requests_.push_back(std::move(request));
}

}  // namespace backplane::http
