// SPDX-License-Identifier: Apache-2.0
// Calls with forms: whole, or read while they come.
#include <gtest/gtest.h>

#include "tests/runtime/pipeline/form_text.hpp"
#include "tests/runtime/pipeline/uploads.hpp"

namespace backplane::test {
namespace {

const std::string kModel = field("model", "m");
const std::string kFile = file("file", "RIFF....");

// One model "m" on two backends that read.
class FormCallTest : public ::testing::Test {
 protected:
  FormCallTest() : first(world), second(world), stream(world), client(world) {
    world.add_instance("first", ReadingBackend::table(), &first);
    world.add_instance("second", ReadingBackend::table(), &second);
    world.add_model("m", {"first", "second"});
    world.options.body_bytes_max = 4096;
    client.operation = "audio.transcriptions";
    client.content_type = kFormType;
  }
  // Begins with this much; the rest comes through the stream.
  std::uint32_t begin(const std::string& beginning) {
    world.open();
    client.body_stream = stream.table();
    const std::uint32_t code = client.begin(beginning);
    world.run();
    return code;
  }
  void send(const std::string& bytes) {
    stream.send(bytes);
    world.run();
  }
  void end() {
    stream.end();
    world.run();
  }
  ReadingBackend::Seen& seen() { return *first.calls.at(0); }

  World world;
  ReadingBackend first;
  ReadingBackend second;
  UploadStream stream;
  Client client;
};

TEST_F(FormCallTest, AWholeFormIsABodyWithoutAStream) {
  world.open();
  const std::string form = kFile + kModel + kFormEnd;
  ASSERT_EQ(client.begin(form), BP_CODE_OK) << client.begin_error.message;
  world.run();
  EXPECT_EQ(client.log(), "head body end");
  EXPECT_EQ(seen().body, form);
  EXPECT_EQ(seen().model, "first-m");
  EXPECT_EQ(form.substr(seen().model_offset, 1), "m");
  EXPECT_FALSE(seen().has_stream);
}

TEST_F(FormCallTest, AModelInTheBeginningIsRoutedAtOnce) {
  ASSERT_EQ(begin(kModel + kFile.substr(0, 20)), BP_CODE_OK);
  ASSERT_EQ(first.calls.size(), 1U);
  EXPECT_EQ(seen().body, kModel + kFile.substr(0, 20));
  send(kFile.substr(20));
  EXPECT_FALSE(client.ended());
  send(kFormEnd);
  end();
  EXPECT_EQ(seen().read, kFile.substr(20) + kFormEnd);
  EXPECT_EQ(client.log(), "head body end");
}

TEST_F(FormCallTest, ReadsOnUntilItHasMetTheModel) {
  const std::string form = kFile + kModel + field("language", "en") + kFormEnd;
  ASSERT_EQ(begin(""), BP_CODE_OK);
  for (const char byte : form) send(std::string(1, byte));
  end();
  ASSERT_EQ(first.calls.size(), 1U);
  // Nothing is held beyond the boundary that ends the field.
  EXPECT_EQ(seen().body, kFile + kModel + "--XX\r\n");
  EXPECT_EQ(seen().body + seen().read, form);
  EXPECT_EQ(client.log(), "head body end");
}

TEST_F(FormCallTest, EverySplitGivesTheSameForm) {
  const std::string form = kFile + kModel + field("stream", "false") + kFormEnd;
  for (std::size_t at = 0; at <= form.size(); ++at) {
    World other;
    ReadingBackend backend(other);
    other.add_instance("first", ReadingBackend::table(), &backend);
    other.add_model("m", {"first"});
    other.open();
    UploadStream upload(other);
    Client caller(other);
    caller.content_type = kFormType;
    caller.body_stream = upload.table();
    ASSERT_EQ(caller.begin(form.substr(0, at)), BP_CODE_OK) << at;
    upload.send(form.substr(at));
    upload.end();
    other.run();
    ASSERT_EQ(caller.log(), "head body end") << at;
    EXPECT_EQ(backend.calls[0]->body + backend.calls[0]->read, form) << at;
  }
}

TEST_F(FormCallTest, TellsTheSizeOfWhatIsLeft) {
  UploadStream sized(world, kModel.size() + kFile.size() + kFormEnd.size());
  world.open();
  client.body_stream = sized.table();
  ASSERT_EQ(client.begin(""), BP_CODE_OK);
  sized.send(kModel + kFile);
  world.run();
  EXPECT_EQ(seen().size, kFormEnd.size());
  sized.send(kFormEnd);
  sized.end();
  world.run();
  EXPECT_EQ(client.log(), "head body end");
}

struct RefusedBegin {
  std::string beginning;
  std::string fault;
};

TEST_F(FormCallTest, WhatIsWrongInTheBeginningFailsBegin) {
  for (const RefusedBegin& given : std::vector<RefusedBegin>{
           {field("model", "n"), "the model \"n\" does not exist"},
           {kModel + kModel, "model: given twice"},
           {"--XX\r\nX\r\n\r\n", "the form: a header"},
       }) {
    Client other(world);
    if (world.gateway == nullptr) world.open();
    other.content_type = kFormType;
    other.body_stream = stream.table();
    EXPECT_EQ(other.begin(given.beginning + "--XX\r\n"), other.begin_error.code);
    EXPECT_NE(std::string_view(other.begin_error.message).find(given.fault), std::string_view::npos)
        << other.begin_error.message;
  }
  Client without(world);
  without.content_type = "multipart/form-data";
  EXPECT_EQ(without.begin(kModel + kFormEnd), BP_CODE_INVALID_ARGUMENT);
  Client cut(world);
  cut.content_type = kFormType;
  EXPECT_EQ(cut.begin(kModel), BP_CODE_INVALID_ARGUMENT);
  Client nameless(world);
  nameless.content_type = kFormType;
  EXPECT_EQ(nameless.begin(kFile + kFormEnd), BP_CODE_INVALID_ARGUMENT);
  EXPECT_STREQ(nameless.begin_error.type, "MISSING_REQUIRED_PARAMETER");
  Client json(world);
  json.body_stream = stream.table();
  EXPECT_EQ(json.begin(), BP_CODE_INTERNAL);
}

struct RefusedLater {
  std::string rest;
  std::string log;
};

TEST_F(FormCallTest, WhatIsWrongLaterIsAnErrorEvent) {
  for (const RefusedLater& given : std::vector<RefusedLater>{
           {field("model", "n") + kFormEnd, "error:MODEL_NOT_FOUND/404"},
           {field("stream", "x") + kFormEnd, "error:INVALID_REQUEST/400"},
           {"--XX\r\nX\r\n\r\n", "error:INVALID_REQUEST/400"},
           {kFile + kFormEnd, "error:MISSING_REQUIRED_PARAMETER/400"},
           {kFile, "error:INVALID_REQUEST/400"},
           {file("file", std::string(4096, 'x')), "error:BODY_TOO_LARGE/413"},
       }) {
    if (world.gateway == nullptr) world.open();
    UploadStream upload(world);
    Client caller(world);
    caller.content_type = kFormType;
    caller.body_stream = upload.table();
    ASSERT_EQ(caller.begin(given.rest.substr(0, 4)), BP_CODE_OK);
    upload.send(given.rest.substr(4));
    upload.end();
    world.run();
    EXPECT_EQ(caller.log(), given.log) << given.rest.substr(0, 80);
  }
  EXPECT_TRUE(first.calls.empty());
}

TEST_F(FormCallTest, AFaultBehindTheModelEndsTheCall) {
  ASSERT_EQ(begin(kModel), BP_CODE_OK);
  send("--XX\r\n");
  ASSERT_EQ(first.calls.size(), 1U);
  send(field("model", "n").substr(6) + kFormEnd);
  EXPECT_TRUE(seen().failed);
  EXPECT_EQ(client.log(), "error:INVALID_REQUEST/400");
  EXPECT_EQ(client.last().error.message, "model: given twice");
  EXPECT_TRUE(second.calls.empty());
}

TEST_F(FormCallTest, AFormThatEndsTooEarlyIsNotWhole) {
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  end();
  EXPECT_TRUE(seen().failed);
  EXPECT_EQ(client.log(), "error:INVALID_REQUEST/400");
}

// A reader that knows the size asks for no end.
TEST_F(FormCallTest, TheLastBytesOfAFormThatIsNotWholeAreNotGiven) {
  UploadStream sized(world, kFile.size() + 1);
  world.open();
  client.body_stream = sized.table();
  ASSERT_EQ(client.begin(kModel + "--XX\r\n"), BP_CODE_OK);
  sized.send(kFile.substr(6));
  sized.send("\r\n--XX\r");
  world.run();
  EXPECT_EQ(seen().read, kFile.substr(6));
  EXPECT_EQ(client.log(), "error:INVALID_REQUEST/400");
}

TEST_F(FormCallTest, ASenderThatBreaksOffIsNoFaultOfTheBackends) {
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  stream.break_off();
  world.run();
  EXPECT_EQ(client.log(), "error:CANCELLED/499");
  EXPECT_TRUE(second.calls.empty());
  EXPECT_EQ(world.metric(R"(backplane_calls_total{model="m",outcome="client_gone"})"), 1);
}

TEST_F(FormCallTest, ASenderThatBreaksOffBeforeTheModel) {
  ASSERT_EQ(begin("--XX\r\n"), BP_CODE_OK);
  stream.break_off();
  world.run();
  EXPECT_EQ(client.log(), "error:CANCELLED/499");
}

TEST_F(FormCallTest, AnotherRouteIsTriedWhileNothingWasRead) {
  first.refuses = true;
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  ASSERT_EQ(second.calls.size(), 1U);
  send(kFile.substr(6) + kFormEnd);
  end();
  EXPECT_EQ(second.calls[0]->read, kFile.substr(6) + kFormEnd);
  EXPECT_EQ(client.log(), "head body end");
}

TEST_F(FormCallTest, NoOtherRouteIsTriedOnceSomethingWasRead) {
  first.breaks = true;
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  send(kFile.substr(6));
  EXPECT_EQ(client.log(), "error:/0");
  EXPECT_TRUE(second.calls.empty());
}

TEST_F(FormCallTest, ABackendWhoseTimeIsOverReadsNothingMore) {
  world.instance("first").timeout_ms = 50;
  first.reads_later = true;
  first.ends_on_cancel = false;
  second.reads_later = true;
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  world.loops.advance(60);
  ASSERT_EQ(second.calls.size(), 1U);
  stream.send(kFile.substr(6) + kFormEnd);
  stream.end();
  first.ends_on_cancel = true;
  first.read_now();
  EXPECT_TRUE(seen().failed);
  EXPECT_EQ(seen().read, "");
  second.read_now();
  world.run();
  EXPECT_EQ(second.calls[0]->read, kFile.substr(6) + kFormEnd);
  EXPECT_EQ(client.log(), "head body end");
}

TEST_F(FormCallTest, AClientThatLeavesStopsItsBackend) {
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  send(kFile.substr(6, 10));
  client.leave();
  stream.take_away();
  world.run();
  EXPECT_TRUE(seen().cancelled);
  EXPECT_EQ(world.metric(R"(backplane_calls_total{model="m",outcome="client_gone"})"), 1);
}

TEST_F(FormCallTest, ABackendThatReadsOnAfterTheClientLeftIsTold) {
  first.reads_later = true;
  first.ends_on_cancel = false;
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  client.leave();
  stream.take_away();
  world.run();
  EXPECT_TRUE(seen().cancelled);
  first.read_now();
  world.run();
  EXPECT_TRUE(seen().failed);
}

TEST_F(FormCallTest, AClientMayLeaveBeforeTheModel) {
  ASSERT_EQ(begin("--XX\r\n"), BP_CODE_OK);
  EXPECT_TRUE(stream.waiting());
  client.leave();
  EXPECT_FALSE(stream.waiting());
  stream.take_away();
  world.run();
  EXPECT_EQ(world.gateway->live_calls(), 0U);
}

TEST_F(FormCallTest, AClientMayLeaveOrCancelAtEveryByte) {
  const std::string form = field("language", "en") + kModel + kFile + kFormEnd;
  for (std::size_t at = 0; at <= form.size(); ++at) {
    for (const bool leaves : {false, true}) {
      if (world.gateway == nullptr) world.open();
      UploadStream upload(world);
      Client caller(world);
      caller.content_type = kFormType;
      caller.body_stream = upload.table();
      ASSERT_EQ(caller.begin(""), BP_CODE_OK);
      world.run();
      upload.send(form.substr(0, at));
      if (at % 2 == 0) world.run();
      if (leaves) {
        caller.leave();
        upload.take_away();
      } else {
        caller.cancel();
      }
      world.run();
      EXPECT_EQ(caller.log(), leaves ? "" : "error:CANCELLED/499") << at;
    }
  }
}

TEST_F(FormCallTest, TheDeadlineCountsFromBegin) {
  world.options.call.call_timeout_ms = 1000;
  ASSERT_EQ(begin("--XX\r\n"), BP_CODE_OK);
  const std::int64_t begun_ns = world.loops.now_ns();
  world.loops.advance(600);
  send(kModel.substr(6) + "--XX\r\n");
  ASSERT_EQ(first.calls.size(), 1U);
  EXPECT_EQ(seen().deadline_ns, begun_ns + 1'000'000'000);
  world.loops.advance(399);
  EXPECT_FALSE(client.ended());
  world.loops.advance(2);
  EXPECT_EQ(client.log(), "error:TIMEOUT/504");
}

TEST_F(FormCallTest, TheDeadlineHoldsBeforeTheModel) {
  world.options.call.call_timeout_ms = 1000;
  ASSERT_EQ(begin("--XX\r\n"), BP_CODE_OK);
  world.loops.advance(1001);
  EXPECT_EQ(client.log(), "error:TIMEOUT/504");
  EXPECT_FALSE(stream.waiting());
}

TEST_F(FormCallTest, AShutdownEndsAFormThatIsRead) {
  ASSERT_EQ(begin("--XX\r\n"), BP_CODE_OK);
  world.gateway->shut_down_calls();
  world.run();
  EXPECT_EQ(client.log(), "error:SHUTTING_DOWN/503");
}

TEST_F(FormCallTest, AStreamFieldBehindTheModelMakesAStream) {
  ASSERT_EQ(begin(kModel + "--XX\r\n"), BP_CODE_OK);
  EXPECT_EQ(seen().flags & BP_REQUEST_STREAM, 0U);
  send(field("stream", "true").substr(6) + kFormEnd);
  end();
  EXPECT_EQ(client.events()[0].flags & BP_REQUEST_STREAM, BP_REQUEST_STREAM);
}

TEST_F(FormCallTest, AllBytesOfABodyAreOnePieceToPay) {
  ScriptedBackend& speaker = world.add_backend("speaker");
  Step bytes;
  bytes.type = BP_EVENT_BODY;
  bytes.data = "x";
  speaker.scripts = {{{bytes, bytes, bytes, backplane::test::end()}}};
  world.add_model("speech", {"speaker"});
  world.open();
  client.content_type = "application/json";
  ASSERT_EQ(client.begin(R"({"model":"speech"})"), BP_CODE_OK);
  world.run();
  EXPECT_EQ(client.log(), "head body body body end");
  EXPECT_EQ(world.metric(R"(backplane_tokens_total{kind="completion",model="speech"})"), 1);
}

TEST_F(FormCallTest, AStreamThatWasNotAskedForIsStillOne) {
  ScriptedBackend& speaker = world.add_backend("speaker");
  Step chunk;
  chunk.type = BP_EVENT_CHUNK;
  chunk.data = "{}";
  Step closing = backplane::test::end();
  closing.data = "[DONE]";
  speaker.scripts = {{{chunk, closing}}};
  world.add_model("speech", {"speaker"});
  world.open();
  client.content_type = "application/json";
  ASSERT_EQ(client.begin(R"({"model":"speech"})"), BP_CODE_OK);
  world.run();
  EXPECT_EQ(client.events()[0].flags, BP_REQUEST_STREAM);
  EXPECT_EQ(client.last().data, "[DONE]");
}

}  // namespace
}  // namespace backplane::test
