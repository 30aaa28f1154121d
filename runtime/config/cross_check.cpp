// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/cross_check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/config/price.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

const std::vector<Entry>& entries_of(const Node& root, std::string_view section) {
  static const std::vector<Entry> kNone;
  const Node* node = root.find(section);
  return node ? node->entries : kNone;
}

std::vector<std::string> keys_of(const std::vector<Entry>& entries) {
  std::vector<std::string> keys;
  for (const Entry& entry : entries) {
    keys.push_back(entry.key);
  }
  return keys;
}

class Checker {
 public:
  Checker(const Node& root, Diagnostics& diagnostics)
      : root_(root), diagnostics_(diagnostics), backends_(keys_of(entries_of(root, "backends"))) {}

  void run() {
    require_transport();
    for (const Entry& backend : entries_of(root_, "backends")) {
      check_concurrency(backend);
    }
    for (const Entry& model : entries_of(root_, "models")) {
      check_model(model);
    }
    warn_unused();
  }

 private:
  void require_transport() {
    const Node* transports = root_.find("transports");
    if (!transports || (transports->is_mapping() && transports->entries.empty())) {
      diagnostics_.error(transports ? transports->position : root_.position, "transports",
                         "expected at least one transport; write NAME: {uses: PLUGIN}");
    }
  }

  void check_concurrency(const Entry& backend) {
    const Node* adaptive = backend.value.find("adaptive_concurrency");
    const Node* least = adaptive ? adaptive->find("min") : nullptr;
    const Node* most = adaptive ? adaptive->find("max") : nullptr;
    const bool are_numbers =
        least && most && least->kind == NodeKind::kInteger && most->kind == NodeKind::kInteger;
    if (are_numbers && least->integer > most->integer) {
      const std::string path = path_of_key("backends", backend.key) + ".adaptive_concurrency.min";
      diagnostics_.error(least->position, path,
                         "expected at most max, which is " + std::to_string(most->integer) +
                             ", found " + std::to_string(least->integer));
    }
  }

  void check_model(const Entry& model) {
    const std::string path = path_of_key("models", model.key);
    claim(model.key, path, model.position);
    if (const Node* aliases = model.value.find("aliases")) {
      for (std::size_t i = 0; i < aliases->items.size(); ++i) {
        const Node& alias = aliases->items[i];
        if (alias.kind != NodeKind::kString) {
          continue;
        }
        claim(alias.text, path_of_item(path + ".aliases", i), alias.position);
      }
    }
    if (const Node* price = model.value.find("price")) {
      check_price(*price, path + ".price");
    }
    if (const Node* routes = model.value.find("routes")) {
      check_routes(*routes, path + ".routes");
      check_weights(model.value, *routes, path + ".routes");
    }
  }

  // One name leads to one model.
  void claim(const std::string& name, const std::string& path, const Position& position) {
    const auto [first, is_new] = names_.emplace(name, position);
    if (!is_new) {
      diagnostics_.error(position, path,
                         "the model name " + quote(name) + " is taken at " + format(first->second));
    }
  }

  void check_price(const Node& price, const std::string& path) {
    for (const Entry& entry : price.entries) {
      const bool is_amount = (entry.value.kind == NodeKind::kInteger && entry.value.integer >= 0) ||
                             (entry.value.kind == NodeKind::kReal && entry.value.real >= 0);
      if (!is_amount) {
        continue;
      }
      if (const auto amount = parse_nano_usd(entry.value.text); !amount) {
        diagnostics_.error(entry.value.position, path_of_key(path, entry.key),
                           amount.error().message);
      }
    }
  }

  void check_routes(const Node& routes, const std::string& path) {
    for (std::size_t i = 0; i < routes.items.size(); ++i) {
      const Node* backend = routes.items[i].find("backend");
      if (!backend || backend->kind != NodeKind::kString) {
        continue;
      }
      used_.insert(backend->text);
      if (const Node* cost = routes.items[i].find("cost")) {
        check_price(*cost, path_of_item(path, i) + ".cost");
      }
      if (std::find(backends_.begin(), backends_.end(), backend->text) == backends_.end()) {
        const std::string hint = did_you_mean(backend->text, backends_);
        diagnostics_.error(backend->position, path_of_item(path, i) + ".backend",
                           "no backend " + quote(backend->text) +
                               (hint.empty() ? "; defined are " + list_names(backends_) : hint));
      }
    }
  }

  void check_weights(const Node& model, const Node& routes, const std::string& path) {
    const Node* policy = model.find("policy");
    const bool is_weighted = policy && policy->text == "weighted" && !routes.items.empty();
    const bool has_share = std::any_of(routes.items.begin(), routes.items.end(), [](const Node& r) {
      const Node* weight = r.find("weight");
      return !weight || weight->kind != NodeKind::kInteger || weight->integer != 0;
    });
    if (is_weighted && !has_share) {
      diagnostics_.error(routes.position, path, "every weight is 0; give one route a share");
    }
  }

  void warn_unused() {
    for (const Entry& backend : entries_of(root_, "backends")) {
      if (used_.count(backend.key) == 0) {
        diagnostics_.warning(backend.position, path_of_key("backends", backend.key),
                             "defined, but no route leads to it");
      }
    }
    const Node* models = root_.find("models");
    if (!models || (models->is_mapping() && models->entries.empty())) {
      diagnostics_.warning(models ? models->position : root_.position, "models",
                           "none defined; every request will be refused");
    }
  }

  const Node& root_;
  Diagnostics& diagnostics_;
  std::vector<std::string> backends_;
  std::map<std::string, Position> names_;
  std::set<std::string> used_;
};

}  // namespace

void cross_check(const Node& root, Diagnostics& diagnostics) {
  Checker(root, diagnostics).run();
}

}  // namespace backplane::config
