#pragma once

#include "tests/contract/ports/ports_contract.h"

namespace helsekontakter {

/// The broker of the simulation, with one partition.
[[nodiscard]] std::unique_ptr<PortsUnderTest> make_fake_ports();

}  // namespace helsekontakter
