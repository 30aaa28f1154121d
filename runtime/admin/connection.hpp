// SPDX-License-Identifier: Apache-2.0
// One connection of the admin server: a request at a time, each answered before the next is read.
// All [loop].
#pragma once

#include "runtime/admin/server.hpp"

#include <memory>
#include <string>

namespace backplane {

class AdminConnection : public std::enable_shared_from_this<AdminConnection> {
 public:
  // It lives until the socket has closed; an answer that comes later is dropped.
  static void open(AdminServer& server, bp_connection* connection);
  ~AdminConnection();
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;

 private:
  struct Parser;
  AdminConnection(AdminServer& server, bp_connection* connection);

  static const bp_connection_handler kHandler;
  template <class Body>
  static void guarded(void* context, Body&& body) noexcept;
  void on_data(std::string_view bytes);
  void on_end();
  void on_closed();

  void read_request();
  void serve();
  void refuse_token();
  void answer(const AdminAnswer& answer);
  void close();

  AdminServer& server_;
  bp_connection* const connection_;
  bp_loop* const loop_;
  std::shared_ptr<AdminConnection> self_;  // owners: the socket, by this, and a task on its way
  std::unique_ptr<Parser> parser_;
  std::string input_;
  std::uint64_t timer_ = 0;
  bool busy_ = false;  // a request is being answered
  bool reading_ = false;
  bool keep_alive_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace backplane
