#include "adapters/config/value.h"

#include <stdexcept>

#include <yaml-cpp/yaml.h>

namespace helsekontakter::config {
namespace {

constexpr std::size_t bytes_max = 1024 * 1024;
constexpr std::size_t nodes_max = 100'000;
constexpr int depth_max = 32;

std::string place(const YAML::Mark& mark) {
  return mark.is_null() ? std::string("unknown line") : "line " + std::to_string(mark.line + 1);
}

/// Copies the nodes, counting them: aliases make a short text stand for very many.
class Copying {
 public:
  Value copy(const YAML::Node& node, int depth) {
    if (++nodes_ > nodes_max) throw std::length_error("more than 100000 values");
    if (depth > depth_max) throw std::length_error("nested more than 32 levels deep");
    Value value;
    value.origin = place(node.Mark());
    if (node.IsScalar()) {
      value.kind = Value::Kind::scalar;
      value.text = node.Scalar();
    } else if (node.IsSequence()) {
      value.kind = Value::Kind::list;
      for (const YAML::Node& item : node) value.items.push_back(copy(item, depth + 1));
    } else if (node.IsMap()) {
      value.kind = Value::Kind::map;
      for (const auto& member : node) {
        if (!member.first.IsScalar()) {
          throw std::invalid_argument("a key that is no text at " + place(member.first.Mark()));
        }
        Value below = copy(member.second, depth + 1);
        below.origin = place(member.first.Mark());
        value.members.emplace_back(member.first.Scalar(), std::move(below));
      }
    }
    return value;
  }

 private:
  std::size_t nodes_ = 0;
};

}  // namespace

tl::expected<Value, YamlFault> parse_yaml(std::string_view text) {
  const auto fault = [](std::string message) {
    return tl::unexpected<YamlFault>(YamlFault{std::move(message)});
  };
  if (text.size() > bytes_max) return fault("larger than 1 MiB");
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) return fault("holds more than one YAML document");
    if (documents.empty()) return Value{};
    return Copying{}.copy(documents.front(), 0);
  } catch (const YAML::Exception& e) {
    // What yaml-cpp says of a fault names the kind of it, not the text around it.
    return fault("is not valid YAML at " + place(e.mark));
  } catch (const std::exception& e) {
    return fault(std::string("cannot be read: ") + e.what());
  }
}

}  // namespace helsekontakter::config
