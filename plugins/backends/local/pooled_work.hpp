// SPDX-License-Identifier: Apache-2.0
// What a call for vectors has the engine compute, and what it makes of them.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/embeddings/pooling.hpp"
#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/rerank/rank_head.hpp"

namespace backplane::local {

// Of the loaded model and its settings; one for all calls.
struct PooledSettings {
  Pooling pooling = Pooling::kLast;
  std::optional<RankHead> rank_head;  // without one a ranking compares embeddings
  std::string rank_template;          // see rank_prompt.hpp
};

class PooledWork {
 public:
  virtual ~PooledWork() = default;
  // Each is one text for the engine.
  virtual std::size_t size() const = 0;
  virtual const std::vector<Token>& tokens(std::size_t index) const = 0;
  virtual Pooling pooling() const = 0;
  // On the engine's thread, once for each text. An error when the model's numbers are none.
  virtual Status take(std::size_t index, std::span<const float> state) = 0;
  // After all of them. `model` is a JSON string, quotes included.
  virtual std::string document(std::string_view model, std::string_view id,
                               std::uint64_t prompt_tokens) = 0;
};

// What these make outlives neither the engine nor the settings.
Result<std::unique_ptr<PooledWork>> make_embedding_work(const boost::json::object& body,
                                                        const Engine& engine,
                                                        const PooledSettings& settings);
Result<std::unique_ptr<PooledWork>> make_rerank_work(const boost::json::object& body,
                                                     const Engine& engine,
                                                     const PooledSettings& settings);

// kInternal unless all are finite: JSON has no other numbers.
Status check_finite(std::span<const float> numbers);

}  // namespace backplane::local
