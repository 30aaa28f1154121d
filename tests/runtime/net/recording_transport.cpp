// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/net/recording_transport.hpp"

#include <gtest/gtest.h>

namespace backplane::testing {

namespace {

struct Session {
  RecordingTransport* transport;
  bp_connection* connection;
};

Session& session_of(void* context) {
  return *static_cast<Session*>(context);
}

template <class Hook, class... Rest>
void call(const Hook& hook, Rest... rest) {
  if (hook) hook(rest...);
}

constexpr bp_connection_handler make_handler() {
  bp_connection_handler handler{};
  handler.struct_size = sizeof(handler);
  handler.data = [](void* context, bp_str bytes) {
    const Session& session = session_of(context);
    session.transport->happened.update([&](auto& h) { h.received.append(bytes.data, bytes.size); });
    call(session.transport->on_data, session.connection, std::string_view(bytes.data, bytes.size));
  };
  handler.end = [](void* context) {
    const Session& session = session_of(context);
    session.transport->happened.update([](auto& h) { ++h.ended; });
    call(session.transport->on_end, session.connection);
  };
  handler.drained = [](void* context) {
    const Session& session = session_of(context);
    session.transport->happened.update([](auto& h) { ++h.drained; });
    call(session.transport->on_drained, session.connection);
  };
  handler.timeout = [](void* context) {
    const Session& session = session_of(context);
    session.transport->happened.update([](auto& h) { ++h.timeouts; });
    call(session.transport->on_timeout, session.connection);
  };
  handler.closed = [](void* context) {
    const Session session = session_of(context);
    delete &session_of(context);
    session.transport->happened.update([](auto& h) { ++h.closed; });
  };
  return handler;
}

const bp_connection_handler kHandler = make_handler();

void accepted(void* context, bp_connection* connection) {
  auto& transport = *static_cast<RecordingTransport*>(context);
  transport.net.set_handler(connection, &kHandler, new Session{&transport, connection});
  call(transport.on_accepted, connection);
  transport.happened.update([&](auto& h) {
    ++h.accepted;
    h.connection = connection;
  });
}

bp_str str(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

bp_listener* RecordingTransport::listen(std::uint32_t max_connections, std::string_view certificate,
                                        std::string_view key, std::string_view address) {
  return listen_with({sizeof(bp_listen_options), max_connections, str(address), str(certificate),
                      str(key), str({}), 0, 0});
}

bp_listener* RecordingTransport::listen_with(const bp_listen_options& options) {
  bp_listen_handler handler{sizeof(handler), 0, this, accepted};
  bp_listener* listener = nullptr;
  bp_error error{};
  EXPECT_EQ(net.listen(net.context, &options, &handler, &listener, &error), BP_CODE_OK)
      << error.message;
  return listener;
}

std::uint32_t RecordingTransport::write(bp_connection* connection, std::string_view bytes) const {
  const bp_str piece = str(bytes);
  return net.write(connection, &piece, 1);
}

World::World(std::uint32_t loop_count)
    : loops(std::move(*Loops::start(loop_count))),
      net(std::make_unique<Net>(*loops)),
      transport(*net->table()) {}

World::~World() {
  net.reset();
}

bp_loop* World::loop(std::uint32_t index) const {
  return loops->table()->at(loops->table()->context, index);
}

void World::run(const std::function<void()>& work) const {
  run_on(*loops->table(), loop(), work);
}

void World::pass(std::uint64_t time_ms) const {
  Watched<bool> passed;
  run([&] {
    loops->table()->post_after(
        loop(), time_ms,
        [](void* done) {
          static_cast<Watched<bool>*>(done)->update([](bool& over) { over = true; });
        },
        &passed);
  });
  EXPECT_TRUE(passed.wait([](bool over) { return over; }));
}

}  // namespace backplane::testing
