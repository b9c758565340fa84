#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::json {

/// A record's headers; a null value is a view whose data() is null.
using HeaderView = std::pair<std::string_view, std::string_view>;

/// The form of Texts::headers: for each header the length of the name (32 bits, little endian), the
/// name, the length of the value (0xffffffff: null), the value. Byte for byte, in order.
[[nodiscard]] std::string pack_headers(std::span<const HeaderView> headers);

/// The headers again, as views into `packed`; nothing when it was not made by pack_headers.
[[nodiscard]] std::optional<std::vector<HeaderView>> unpack_headers(std::string_view packed);

}  // namespace helsekontakter::json
