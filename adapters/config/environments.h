#pragma once

#include <span>
#include <string_view>

namespace helsekontakter::config {

/// What a named environment settles. Sources: contract/medlemstjenester 2, contract/helseid 1;
/// that MAS-01 and MAS-02 use the test issuer is an inference.
struct NamedEnvironment {
  std::string_view name;
  std::string_view base_url;
  std::string_view issuer;
  bool synthetic = true;  ///< synthetic identity numbers only; else real ones only
};

[[nodiscard]] std::span<const NamedEnvironment> named_environments();

/// nullptr for custom and for unknown names.
[[nodiscard]] const NamedEnvironment* find_environment(std::string_view name);

/// Whom a host belongs to, as far as its name tells.
enum class HostKind { production, test, other };
[[nodiscard]] HostKind kind_of_host(std::string_view host);

[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace helsekontakter::config
