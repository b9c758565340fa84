#include "tests/simulator/yaml_section.h"

#include <charconv>
#include <cmath>

namespace helsekontakter::simulator {

YamlSection::YamlSection(YAML::Node node, std::string path, std::vector<std::string>& mistakes)
    : node_(std::move(node)), path_(std::move(path)), mistakes_(mistakes) {
  if (node_ && !node_.IsNull() && !node_.IsMap()) {
    mistakes_.push_back((path_.empty() ? "the file" : path_) + ": must be a mapping");
    node_.reset(YAML::Node());
  }
}

YAML::Node YamlSection::find(const std::string& key) {
  known_.insert(key);
  const YAML::Node& node = node_;  // a look-up through a const node inserts nothing
  return node && node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined);
}

std::string YamlSection::scalar(const std::string& key) {
  const YAML::Node node = find(key);
  if (!node || node.IsNull()) return {};
  if (!node.IsScalar()) {
    complain(key, "must be a single value");
    return {};
  }
  return node.Scalar();
}

void YamlSection::complain(const std::string& key, const std::string& text) {
  mistakes_.push_back((path_.empty() ? "" : path_ + ".") + key + ": " + text);
}

void YamlSection::take(const std::string& key, std::string& target) {
  if (const YAML::Node node = find(key); node && !node.IsNull()) target = scalar(key);
}

void YamlSection::take(const std::string& key, bool& target) {
  const std::string text = scalar(key);
  if (text == "true" || text == "false") {
    target = text == "true";
  } else if (!text.empty()) {
    complain(key, "must be true or false");
  }
}

void YamlSection::take(const std::string& key, double& target, double least, double most) {
  const std::string text = scalar(key);
  if (text.empty()) return;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least) ||
      value > most) {
    complain(key, "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  } else {
    target = value;
  }
}

void YamlSection::take(const std::string& key, std::size_t& target) {
  const std::string text = scalar(key);
  if (text.empty()) return;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    complain(key, "must be a whole number, not negative");
  } else {
    target = value;
  }
}

void YamlSection::take(const std::string& key, std::vector<std::string>& target) {
  const YAML::Node node = find(key);
  if (!node || node.IsNull()) return;
  std::vector<std::string> values;
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (item.IsScalar()) values.push_back(item.Scalar());
    }
  }
  if (!node.IsSequence() || values.size() != node.size()) {
    complain(key, "must be a list of texts");
  } else {
    target = std::move(values);
  }
}

void YamlSection::take(const std::string& key, std::set<std::string>& target) {
  const YAML::Node node = find(key);
  if (!node || node.IsNull()) return;
  std::vector<std::string> values;
  take(key, values);
  target = {values.begin(), values.end()};
}

void YamlSection::take_seconds(const std::string& key, Millis& target) {
  double seconds = -1;
  take(key, seconds, 0, 86'400);
  if (seconds >= 0) target = Millis(std::llround(seconds * 1'000));
}

YamlSection YamlSection::section(const std::string& key) {
  return {find(key), path_.empty() ? key : path_ + "." + key, mistakes_};
}

std::vector<YamlSection> YamlSection::list(const std::string& key) {
  std::vector<YamlSection> out;
  const YAML::Node node = find(key);
  if (!node || node.IsNull()) return out;
  if (!node.IsSequence()) {
    complain(key, "must be a list");
    return out;
  }
  for (std::size_t i = 0; i < node.size(); ++i) {
    out.emplace_back(node[i], (path_.empty() ? key : path_ + "." + key) + std::to_string(i),
                     mistakes_);
  }
  return out;
}

void YamlSection::done() {
  if (!node_ || !node_.IsMap()) return;
  for (const auto& pair : node_) {
    const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "?";
    if (!known_.contains(key)) complain(key, "unknown key");
  }
}

}  // namespace helsekontakter::simulator
