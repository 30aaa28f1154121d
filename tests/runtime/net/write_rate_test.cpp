// SPDX-License-Identifier: Apache-2.0
// A peer that reads, but too slowly.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"

namespace backplane {
namespace {

using testing::RawSocket;
using testing::World;

constexpr std::size_t kAnswerBytes = 24 * 1024 * 1024;
constexpr std::uint64_t kTimeoutMs = 600;
constexpr std::uint64_t kStepMs = 50;

class WriteRate : public ::testing::Test {
 protected:
  // A connection that has an answer of kAnswerBytes before it.
  void begin(std::uint32_t bytes_per_second_min, bool closes) {
    bp_listen_options options{};
    options.struct_size = sizeof(options);
    options.address = {"127.0.0.1:0", 11};
    options.write_bytes_per_second_min = bytes_per_second_min;
    transport_.on_timeout = [&](auto* late) { net_.abort(late); };
    transport_.on_drained = [&](auto* done) { net_.close(done); };
    bp_listener* listener = transport_.listen_with(options);
    const int accepted = transport_.happened.get().accepted + 1;
    client_.emplace(RawSocket::connect_to(net_.port(listener), 4096));
    ASSERT_TRUE(transport_.happened.wait([&](const auto& h) { return h.accepted == accepted; }));
    world_.run([&] {
      bp_connection* connection = transport_.happened.get().connection;
      transport_.write(connection, std::string(kAnswerBytes, 'x'));
      net_.set_timeout(connection, kTimeoutMs);
      if (closes) net_.close(connection);
    });
  }
  // Takes `step_bytes` again and again until it has all, or was cut off.
  std::size_t read(std::size_t step_bytes) {
    std::size_t received = 0;
    while (received < kAnswerBytes) {
      const std::size_t step = client_->receive(step_bytes).size();
      received += step;
      if (step < step_bytes) break;
      world_.pass(kStepMs);
    }
    return received;
  }

  World world_;
  testing::RecordingTransport& transport_ = world_.transport;
  const bp_net& net_ = *world_.net->table();
  std::optional<RawSocket> client_;
};

TEST_F(WriteRate, APeerThatTricklesIsCutOff) {
  for (const bool closes : {true, false}) {
    const int closed = transport_.happened.get().closed + 1;
    begin(8 * 1024 * 1024, closes);
    // What the kernel holds it may still get.
    EXPECT_LT(read(64 * 1024), kAnswerBytes);
    EXPECT_TRUE(client_->was_reset());
    ASSERT_TRUE(transport_.happened.wait([&](const auto& h) { return h.closed == closed; }));
    EXPECT_EQ(transport_.happened.get().timeouts, closes ? 0 : 1);
  }
}

TEST_F(WriteRate, APeerThatKeepsUpIsServedHoweverLongItTakes) {
  for (const bool closes : {true, false}) {
    begin(64 * 1024, closes);
    EXPECT_EQ(read(kAnswerBytes / 24), kAnswerBytes);
    EXPECT_FALSE(client_->was_reset());
    EXPECT_EQ(transport_.happened.get().timeouts, 0);
  }
}

// The socket's buffer is as good as full: it becomes writable long after the peer has begun to
// take from it, which counts nevertheless.
TEST_F(WriteRate, WhatThePeerTakesOfTheKernelsBufferCounts) {
  begin(8 * 1024, false);
  std::size_t received = 0;
  for (std::uint64_t passed_ms = 0; passed_ms < 3 * kTimeoutMs; passed_ms += kStepMs) {
    received += client_->receive(2 * 1024).size();
    world_.pass(kStepMs);
  }
  EXPECT_EQ(transport_.happened.get().timeouts, 0);
  EXPECT_EQ(received, 3 * kTimeoutMs / kStepMs * 2 * 1024);
  client_->reset();
}

}  // namespace
}  // namespace backplane
