// SPDX-License-Identifier: Apache-2.0
// What clients are told of models, and of who serves them.
#include "runtime/pipeline/model_list.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

class ModelListTest : public testing::Test {
 protected:
  ModelListTest() {
    a.name = "a";
    b.name = "b";
  }
  Route route(BackendInstance& backend) {
    Route made;
    made.backend = &backend;
    made.model = "far";
    made.state = std::make_shared<RouteState>(backend.name);
    return made;
  }
  std::string list(std::vector<Route> routes) {
    Model model;
    model.name = "m";
    model.price = {590'000'000, 1'000'000'000};
    model.routes = std::move(routes);
    return model_list(Router({model}), 7);
  }
  BackendInstance a;
  BackendInstance b;
};

TEST_F(ModelListTest, KeepsWhatOpenAiClientsRead) {
  EXPECT_EQ(list({route(a)}),
            R"([{"id":"m","object":"model","created":7,"owned_by":"backplane",)"
            R"("price":{"input":"0.59","output":"1"},"providers":[{"name":"a","model":"far"}]}])");
}

TEST_F(ModelListTest, OfAModelIsToldWhatAllItsProvidersHoldTo) {
  Route one = route(a);
  one.cost = Price{100'000'000, 200'000'000};
  one.state->facts = {8'192, {"text", "image"}, {"text"}};
  one.state->privacy = RoutePrivacy::kTee;
  Route two = route(b);
  two.state->input_price = 0;
  two.state->output_price = 5;
  two.state->facts = {4'096, {"text"}, {"text"}};
  two.privacy = RoutePrivacy::kPrivate;
  EXPECT_EQ(
      list({one, two}),
      R"([{"id":"m","object":"model","created":7,"owned_by":"backplane",)"
      R"("price":{"input":"0.59","output":"1"},"context_length":4096,)"
      R"("modalities":{"input":["text"],"output":["text"]},"privacy":"private","providers":[)"
      R"({"name":"a","model":"far","price":{"input":"0.1","output":"0.2"},"context_length":8192,)"
      R"("modalities":{"input":["text","image"],"output":["text"]},"privacy":"tee"},)"
      R"({"name":"b","model":"far","price":{"input":"0","output":"0.000000005"},)"
      R"("context_length":4096,"modalities":{"input":["text"],"output":["text"]},)"
      R"("privacy":"private"}]}])");
}

TEST_F(ModelListTest, WhatOneDoesNotSayIsNotSaidOfTheModel) {
  Route one = route(a);
  one.state->facts.context_length = 8'192;
  one.privacy = RoutePrivacy::kTee;
  const std::string text = list({one, route(b)});
  EXPECT_EQ(text.find("context_length"), text.rfind("context_length"));
  EXPECT_EQ(text.find("privacy"), text.rfind("privacy"));
}

}  // namespace
}  // namespace backplane::test
