#pragma once

#include "tests/simulator/config.h"

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace helsekontakter::simulator {

/// One mapping of the configuration: takes the keys it knows, then complains of the others. A key
/// that is absent leaves its target as it is, which makes the same code serve the file and the
/// changes at run time.
class YamlSection {
 public:
  YamlSection(YAML::Node node, std::string path, std::vector<std::string>& mistakes);

  void take(const std::string& key, std::string& target);
  void take(const std::string& key, bool& target);
  void take(const std::string& key, double& target, double least, double most);
  void take(const std::string& key, std::size_t& target);
  void take(const std::string& key, std::vector<std::string>& target);
  void take(const std::string& key, std::set<std::string>& target);
  void take_seconds(const std::string& key, Millis& target);

  template <class T>
  void take(const std::string& key, T& target,
            std::initializer_list<std::pair<std::string_view, T>> choices) {
    std::string text;
    take(key, text);
    if (text.empty()) return;
    std::string names;
    for (const auto& [name, value] : choices) {
      if (name == text) {
        target = value;
        return;
      }
      names.append(names.empty() ? "" : ", ").append(name);
    }
    complain(key, "must be one of " + names);
  }

  /// The mapping under the key; empty when absent.
  [[nodiscard]] YamlSection section(const std::string& key);
  /// The mappings listed under the key.
  [[nodiscard]] std::vector<YamlSection> list(const std::string& key);

  void complain(const std::string& key, const std::string& text);
  /// Names every key that was not taken.
  void done();

 private:
  [[nodiscard]] YAML::Node find(const std::string& key);
  [[nodiscard]] std::string scalar(const std::string& key);

  YAML::Node node_;
  std::string path_;
  std::vector<std::string>& mistakes_;
  std::set<std::string> known_;
};

}  // namespace helsekontakter::simulator
