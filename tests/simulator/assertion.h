#pragma once

#include "tests/simulator/config.h"
#include "tests/simulator/jose.h"
#include "tests/simulator/tokens.h"

#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::simulator {

/// What a client assertion is judged by.
struct AssertionDemand {
  const HelseIdBehaviour& behaviour;
  std::string_view client_id;
  std::string_view issuer;
  const std::vector<Jwk>& keys;
  Time now;
};

/// Checks header, signature and times of a client assertion; not whether its jti is new. Reasons
/// start with "assertion_". Source: contract/helseid 3.
[[nodiscard]] Checked<Jws> check_assertion(std::string_view compact, const AssertionDemand& demand);

/// The organisations named in an assertion; both empty when it names none.
struct Represented {
  std::string parent;
  std::string child;
};

/// Reads assertion_details for the client's tenancy. Reasons start with "details_". Source:
/// contract/helseid 4.
[[nodiscard]] Checked<Represented> read_represented(const Jws& assertion,
                                                    const std::vector<std::string>& claims,
                                                    bool multi_tenant);

/// Nine digits whose check digit is right.
[[nodiscard]] bool is_organization_number(std::string_view text);

}  // namespace helsekontakter::simulator
