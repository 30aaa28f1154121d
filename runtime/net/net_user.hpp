// SPDX-License-Identifier: Apache-2.0
// One user of the network, such as a transport: a table of its own for bp.net/1, so that what it
// accepts is counted, and can be ended, apart from what others accept.
#pragma once

#include <backplane/net.h>

#include <atomic>
#include <cstddef>

namespace backplane {

class Net;

// The connections that one user accepted.
struct ConnectionGroup {
  std::atomic<std::size_t> count{0};
};

class NetUser {
 public:
  // `net` must outlive this object, and this object its connections. [control]
  explicit NetUser(Net& net);
  NetUser(const NetUser&) = delete;
  NetUser& operator=(const NetUser&) = delete;

  // Lives as long as this object. [any-thread]
  const bp_net* table() const { return &table_; }
  // Open connections, those included that are being set up or taken down. [any-thread]
  std::size_t connection_count() const { return group_.count.load(); }
  // Resets every connection; all have been told `closed` when it returns. Close the listeners
  // first. [control] not from a loop's thread
  void abort_all();

 private:
  Net& net_;
  ConnectionGroup group_;
  bp_net table_;
};

}  // namespace backplane
