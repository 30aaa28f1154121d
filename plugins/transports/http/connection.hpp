// SPDX-License-Identifier: Apache-2.0
// One connection: reads requests, one at a time, and answers them. Lives on one loop; deletes
// itself when the host says that the connection is closed.
#pragma once

#include "reply.hpp"
#include "request_parser.hpp"
#include "routes.hpp"
#include "server.hpp"

#include <optional>

namespace backplane::http {

class Connection {
 public:
  static void open(Server& server, std::shared_ptr<LoopConnections> siblings,
                   bp_connection* connection);

  // Closes it if it is idle; else after its response.
  void drain();

  std::size_t place() const { return place_; }
  void set_place(std::size_t place) { place_ = place; }

 private:
  enum class State {
    kReading,  // a request, or waiting for one; also while its response is being made
    kClosing,  // what is left of the input does not matter
  };
  enum class Timer { kNone, kNew, kIdle, kHead, kBody };

  Connection(Server& server, std::shared_ptr<LoopConnections> siblings, bp_connection* connection);
  ~Connection();
  static const bp_connection_handler kHandler;
  template <class Body>
  static void guarded(void* context, Body&& body) noexcept;

  void on_data(std::string_view bytes);
  void on_end();
  void on_drained();
  void on_timeout();

  bool busy() const { return call_ != nullptr || blocked_; }
  bool keep_alive() const;
  void process(std::string_view input);
  bool advance(std::string_view& input);
  void go_on();
  void arm_timer();

  void on_request_head();
  std::optional<Error> check(const RouteMatch& match) const;
  void choose_request_id();
  void on_request();
  void answer(const RouteMatch& match);
  void answer_model(std::string_view encoded_id);
  void answer_metrics();
  void answer_models();
  void begin_call(std::string_view operation);
  std::uint32_t on_event(const bp_event& event);
  void end_response();

  void respond(std::uint32_t status, std::string_view content_type, std::string_view body,
               std::string_view extra = {});
  void respond_error(const Error& error);
  void next_request();
  void refuse(const Error& error);  // and close: the input cannot be followed any more
  std::uint32_t send(std::string_view head, std::string_view body);
  std::string_view date_line();
  void release_call();
  void close();
  void cut();

  Server& server_;
  std::shared_ptr<LoopConnections> siblings_;
  const bp_net& net_;
  bp_connection* connection_;
  std::size_t place_ = 0;

  State state_ = State::kReading;
  Timer timer_ = Timer::kNone;
  bool blocked_ = false;       // the client does not read
  bool paused_ = false;        // the host delivers nothing
  bool peer_ended_ = false;    // the client sends no more
  bool closes_after_ = false;  // the response at hand is the last
  bool served_ = false;        // at least one response
  std::string pending_;        // input that came while busy
  RequestParser parser_;
  RouteMatch route_;
  std::optional<Error> refusal_;  // the answer to the request being read
  std::string request_id_;

  std::vector<bp_pair> metadata_;
  bp_sink sink_;
  bp_call* call_ = nullptr;
  Reply reply_;
  std::string head_;
};

}  // namespace backplane::http
