// SPDX-License-Identifier: Apache-2.0
// Values that are never shown. The tree and the JSON handed to plugins hold only their names,
// "secret:backends.groq.settings.api_key".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::config {

inline constexpr std::string_view kMask = "***";

// Masks what in a URL may be a credential that no schema marks: what stands before the @, and what
// follows the ?. Any other text is given back as it is.
std::string masked_url(std::string text);

// Overwrites and empties `text`.
void wipe(std::string& text);

// Owns its values and overwrites them when it goes. Not thread-safe while it changes.
class Secrets {
 public:
  Secrets() = default;
  Secrets(Secrets&&) noexcept = default;
  Secrets& operator=(Secrets&& other) noexcept;
  ~Secrets();

  void put(std::string name, std::string_view value);
  // Null when there is none; borrowed until the table changes or goes.
  const std::string* find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  void wipe_all();
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace backplane::config
