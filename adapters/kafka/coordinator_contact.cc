#include "adapters/kafka/coordinator_contact.h"

namespace helsekontakter::kafka {

void CoordinatorContact::turned(Clocks now) {
  // After a freeze, what was heard before it proves nothing: wait for a new word.
  if (turned_ && !within(*turned_, now)) heard_.reset();
  turned_ = now;
}

void CoordinatorContact::heard(Clocks now, Duration silence) {
  heard_ = Clocks{.boot = now.boot - silence, .real = now.real - silence};
}

bool CoordinatorContact::is_recent(Clocks now) const {
  return turned_ && heard_ && within(*turned_, now) && within(*heard_, now);
}

bool CoordinatorContact::within(Clocks from, Clocks now) const {
  // Civil time may be set back; only its leaps ahead are a sign of a freeze.
  return now.boot - from.boot <= silence_max_ && now.real - from.real <= silence_max_;
}

}  // namespace helsekontakter::kafka
