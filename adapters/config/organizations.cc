#include "adapters/config/nearest.h"
#include "adapters/config/sections.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace helsekontakter::config {
namespace {

constexpr std::string_view organizations_path = "organizations";
constexpr std::array<std::string_view, 4> settings{"client_id", "jwk_file", "parent", "paused"};

ConfigurationError fault(const std::string& key, std::string message, const Value& at) {
  return {.key = scrub_national_ids(key), .message = std::move(message), .origin = at.origin};
}

std::string nearest_setting(std::string_view unknown) {
  const auto nearest = std::min_element(
      settings.begin(), settings.end(), [&](std::string_view one, std::string_view other) {
        return edit_distance(unknown, one) < edit_distance(unknown, other);
      });
  return edit_distance(unknown, *nearest) <= 4 ? std::string(*nearest) : std::string();
}

/// One organisation's own settings.
class OrganizationReading {
 public:
  OrganizationReading(OrganizationNumber number, std::string key, Errors& errors)
      : number_(number), key_(std::move(key)), errors_(errors) {}

  void read(const Value& value) {
    if (value.kind == Value::Kind::null) return;
    if (value.kind != Value::Kind::map) {
      errors_.push_back(
          fault(key_, "{} or {client_id, jwk_file, parent, paused} is expected", value));
      return;
    }
    for (const auto& [name, setting] : value.members) read_setting(name, setting);
    if (auth.jwk_file && !auth.client_id) {
      errors_.push_back(
          fault(key_ + ".jwk_file", "belongs to a client of its own; add client_id", value));
    }
  }

  helseid::Settings::Organization auth;
  WorkerSettings::OrganizationSettings worker;

 private:
  void read_setting(const std::string& name, const Value& value) {
    const std::string key = key_ + "." + name;
    if (std::find(settings.begin(), settings.end(), name) == settings.end()) {
      ConfigurationError unknown = fault(key, "is no known key", value);
      if (const std::string near = nearest_setting(name); !near.empty()) {
        unknown.nearest = key_ + "." + near;
      }
      errors_.push_back(std::move(unknown));
      return;
    }
    const bool is_text = value.kind == Value::Kind::scalar && !value.text.empty();
    if (!is_text) {
      errors_.push_back(fault(key, "a text is expected", value));
    } else if (name == "client_id") {
      auth.client_id = value.text;
    } else if (name == "jwk_file") {
      auth.jwk_file = value.text;
    } else if (name == "parent") {
      read_parent(key, value);
    } else if (value.text == "true" || value.text == "false") {
      worker.paused = value.text == "true";
    } else {
      errors_.push_back(fault(key, "true or false is expected", value));
    }
  }

  void read_parent(const std::string& key, const Value& value) {
    auth.parent = OrganizationNumber::parse(value.text);
    if (!auth.parent) {
      errors_.push_back(
          fault(key, "is no organisation number; nine digits, the last a check digit", value));
    } else if (*auth.parent == number_) {
      errors_.push_back(fault(key, "names the organisation itself; leave it out", value));
    }
  }

  OrganizationNumber number_;
  std::string key_;
  Errors& errors_;
};

}  // namespace

void read_organizations(const Values& values, Configuration& out, Errors& errors) {
  const Value& map = values.value(organizations_path);
  if (values.given(organizations_path) && map.members.empty()) {
    errors.push_back(values.error(organizations_path, "at least one organisation is needed"));
  }
  for (const auto& [name, value] : map.members) {
    const std::string key = std::string(organizations_path) + "." + name.substr(0, 100);
    const std::optional<OrganizationNumber> number = OrganizationNumber::parse(name);
    if (!number) {
      errors.push_back(fault(
          key, "is no organisation number; nine digits in quotes, the last a check digit", value));
      continue;
    }
    OrganizationReading reading(*number, key, errors);
    reading.read(value);
    if (!out.worker.organizations.emplace(*number, reading.worker).second) {
      errors.push_back(fault(key, "is written twice; keep one of them", value));
      continue;
    }
    out.helseid.organizations.emplace(*number, std::move(reading.auth));
  }
}

}  // namespace helsekontakter::config
