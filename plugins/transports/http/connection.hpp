// SPDX-License-Identifier: Apache-2.0
// A connection as its loop knows it, whatever it speaks. Lives on one loop; deletes itself when the
// host says that it is closed.
#pragma once

#include <cstddef>

namespace backplane::http {

class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // [loop] Closes it if it is idle; else after what it is answering.
  virtual void drain() = 0;

  std::size_t place() const { return place_; }
  void set_place(std::size_t place) { place_ = place; }

 protected:
  Connection() = default;
  virtual ~Connection() = default;

 private:
  std::size_t place_ = 0;  // in LoopShared
};

}  // namespace backplane::http
