// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <ctime>
#include <iostream>

#include "plugins/backends/local/commands/model_commands.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

std::string when_text(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string type_text(const StoredModel& model) {
  return model.is_whole ? model.type : model.type + ", parts are missing";
}

void print_json(const std::vector<StoredModel>& models) {
  json::array list;
  for (const StoredModel& model : models) {
    json::array files;
    for (const StoredFile& file : model.files) {
      files.push_back(
          json::object{{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    }
    list.push_back(json::object{{"name", model.name},
                                {"path", model.path},
                                {"bytes", model.bytes()},
                                {"type", model.type},
                                {"whole", model.is_whole},
                                {"pulled", when_text(model.pulled_unix_s())},
                                {"files", std::move(files)}});
  }
  std::cout << json::serialize(list) << '\n';
}

void print_table(const std::vector<StoredModel>& models) {
  std::size_t width = 4;
  for (const StoredModel& model : models) width = std::max(width, model.name.size());
  const auto row = [&](std::string name, std::string size, const std::string& when,
                       const std::string& type) {
    name.resize(width, ' ');
    size.insert(0, size.size() < 10 ? 10 - size.size() : 0, ' ');
    std::cout << name << "  " << size << "  " << when << "  " << type << '\n';
  };
  row("NAME", "SIZE", "PULLED              ", "TYPE");
  for (const StoredModel& model : models) {
    row(model.name, bytes_text(model.bytes()), when_text(model.pulled_unix_s()), type_text(model));
  }
}

bool asks_and_hears_yes(const StoredModel& model) {
  std::cerr << "remove " << model.name << ", " << bytes_text(model.bytes()) << "? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

std::uint32_t model_list(const ListArguments& arguments) {
  const auto store = store_at(arguments.store);
  if (!store) return command_failed(store.error());
  const std::vector<StoredModel> models = store->list();
  if (arguments.is_json) {
    print_json(models);
  } else if (models.empty()) {
    std::cerr << "no models in " << store->root() << "; backplane model pull brings one\n";
  } else {
    print_table(models);
  }
  return 0;
}

std::uint32_t model_remove(const RemoveArguments& arguments) {
  const auto store = store_at(arguments.store);
  if (!store) return command_failed(store.error());
  const auto source = parse_model_source(arguments.name);
  if (!source) return command_failed(source.error());
  const auto model = store->find_any(*source);
  if (!model) return command_failed(model.error());
  if (!arguments.is_sure && !asks_and_hears_yes(*model)) {
    std::cerr << "nothing removed\n";
    return 1;
  }
  if (auto status = store->remove(*source, *model); !status) return command_failed(status.error());
  std::cout << "removed " << model->name << ", " << bytes_text(model->bytes()) << " are free\n";
  return 0;
}

}  // namespace backplane::local
