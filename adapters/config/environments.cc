#include "adapters/config/environments.h"

#include <algorithm>
#include <array>

namespace helsekontakter::config {
namespace {

constexpr std::string_view test_issuer = "https://helseid-sts.test.nhn.no";

constexpr std::array environments{
    NamedEnvironment{"MAS-01", "https://eksternapi-hn-mas-01.int-hn.nhn.no", test_issuer, true},
    NamedEnvironment{"MAS-02", "https://eksternapi-hn-mas-02.int-hn.nhn.no", test_issuer, true},
    NamedEnvironment{"TEST1", "https://eksternapi.hn.test.nhn.no", test_issuer, true},
    NamedEnvironment{"TEST2", "https://eksternapi.hn2.test.nhn.no", test_issuer, true},
    NamedEnvironment{"PROD", "https://eksternapi.helsenorge.no", "https://helseid-sts.nhn.no",
                     false},
};

}  // namespace

std::span<const NamedEnvironment> named_environments() {
  return environments;
}

const NamedEnvironment* find_environment(std::string_view name) {
  const auto found =
      std::find_if(environments.begin(), environments.end(),
                   [&](const NamedEnvironment& environment) { return environment.name == name; });
  return found == environments.end() ? nullptr : &*found;
}

HostKind kind_of_host(std::string_view host) {
  for (const std::string_view domain : {".test.nhn.no", ".qa.nhn.no", ".int-hn.nhn.no"}) {
    if (host.ends_with(domain)) return HostKind::test;
  }
  if (host == "helsenorge.no" || host.ends_with(".helsenorge.no") || host == "helseid-sts.nhn.no") {
    return HostKind::production;
  }
  return HostKind::other;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace helsekontakter::config
