#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/surroundings.h"

#include <iosfwd>
#include <string>

namespace helsekontakter::tools {

struct ShowOptions {
  std::string organization;
  std::string event_id;  ///< exactly one of the three
  std::string subject;
  bool member_stdin = false;
};

/// `show`: what the ledger and the results say of one member. An identity number is read from `in`
/// alone, and never written. Returns the exit status: 1 when nothing is known.
int show(const config::Configuration& configuration, const ShowOptions& options, std::istream& in,
         const Streams& streams);

}  // namespace helsekontakter::tools
