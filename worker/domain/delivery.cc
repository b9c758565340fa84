#include "worker/domain/delivery.h"

#include "worker/domain/ensure.h"

namespace helsekontakter {

void Texts::skip_to(Field field) {
  const auto at = static_cast<std::uint8_t>(field);
  ensure(at >= next_);
  for (; next_ < at; ++next_) ends_[next_] = static_cast<std::uint32_t>(bytes_.size());
}

}  // namespace helsekontakter
