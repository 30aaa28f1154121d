// SPDX-License-Identifier: Apache-2.0
// Listening on the path of a Unix socket.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <fstream>

#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/temporary_folder.hpp"

namespace backplane {
namespace {

namespace fs = std::filesystem;
using testing::RawSocket;
using testing::TemporaryFolder;
using testing::World;

bp_error refused(World& world, const std::string& address) {
  const bp_net& net = *world.net->table();
  bp_listen_options options{};
  options.struct_size = sizeof(options);
  options.address = {address.data(), address.size()};
  bp_listen_handler handler{sizeof(handler), 0, nullptr, nullptr};
  bp_listener* listener = nullptr;
  bp_error error{};
  EXPECT_NE(net.listen(net.context, &options, &handler, &listener, &error), BP_CODE_OK) << address;
  return error;
}

TEST(UnixListen, ServesOnEveryLoopAndRemovesItsFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  World world(2);
  const bp_net& net = *world.net->table();
  testing::Watched<std::array<int, 2>> per_loop;
  world.transport.on_accepted = [&](bp_connection* connection) {
    const bp_str peer = net.peer(connection);
    EXPECT_EQ(std::string(peer.data, peer.size), "unix:");
    per_loop.update([&](auto& counts) { ++counts[net.loop(connection) == world.loop(1) ? 1 : 0]; });
  };
  world.transport.on_data = [&](auto* connection, auto bytes) {
    world.transport.write(connection, bytes);
    net.close(connection);
  };
  bp_listener* listener = world.transport.listen(0, {}, {}, "unix:" + path);
  EXPECT_EQ(net.port(listener), 0u);
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660u);
  const auto both = [](const auto& counts) { return counts[0] > 0 && counts[1] > 0; };
  for (int count = 0; count < 2'000 && !both(per_loop.get()); ++count) {
    auto client = RawSocket::connect_to_path(path);
    client.send("hello");
    EXPECT_EQ(client.receive_all(), "hello");
  }
  EXPECT_TRUE(both(per_loop.get()));
  net.close_listener(listener);
  EXPECT_FALSE(fs::exists(path));
}

TEST(UnixListen, ReplacesASocketThatNothingListensOn) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  {
    World gone;
    gone.transport.listen(0, {}, {}, "unix:" + path);
    fs::create_hard_link(path, path + ".left");
  }
  fs::rename(path + ".left", path);
  World world;
  world.transport.listen(0, {}, {}, "unix:" + path);
  const auto client = RawSocket::connect_to_path(path);
  EXPECT_TRUE(world.transport.happened.wait([](const auto& h) { return h.accepted == 1; }));
}

TEST(UnixListen, RefusesASocketThatIsAlive) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  World one, other;
  one.transport.listen(0, {}, {}, "unix:" + path);
  const bp_error error = refused(other, "unix:" + path);
  EXPECT_EQ(error.code, BP_CODE_ALREADY_EXISTS);
  EXPECT_NE(std::strstr(error.message, (path + ": another program listens there").c_str()), nullptr)
      << error.message;
  const auto client = RawSocket::connect_to_path(path);
}

TEST(UnixListen, NeverRemovesAFileOfAnotherKind) {
  const TemporaryFolder folder;
  const std::string file = folder.file("file"), link = folder.file("link");
  std::ofstream(file) << "precious";
  fs::create_symlink(folder.file("nowhere"), link);
  World world;
  for (const std::string& path : {file, link, folder.file(".")}) {
    const bp_error error = refused(world, "unix:" + path);
    EXPECT_EQ(error.code, BP_CODE_ALREADY_EXISTS) << path;
    EXPECT_NE(std::strstr(error.message, "no socket"), nullptr) << error.message;
  }
  EXPECT_EQ(fs::file_size(file), 8u);
  EXPECT_TRUE(fs::is_symlink(link));
}

TEST(UnixListen, NamesWhatIsWrongWithAPath) {
  const TemporaryFolder folder;
  World world;
  const std::string longest = folder.file("").append(107 - folder.file("").size(), 'x');
  EXPECT_NE(world.transport.listen(0, {}, {}, "unix:" + longest), nullptr);
  const struct {
    std::string path;
    const char* says;
  } cases[] = {{"", "such as unix:/run/backplane"},
               {std::string("/tmp/a\0b", 8), "such as unix:/run/backplane"},
               {longest + "x", "at most 107 bytes"},
               {folder.file("none/socket"), "folder does not exist"}};
  for (const auto& each : cases) {
    const bp_error error = refused(world, "unix:" + each.path);
    EXPECT_NE(std::strstr(error.message, each.says), nullptr) << error.message;
  }
}

}  // namespace
}  // namespace backplane
