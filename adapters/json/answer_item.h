#pragma once

#include "worker/submission/outcome.h"

#include <optional>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::json {

/// What one piece of an answer says, whoever it is about: a Bundle entry, an OperationOutcome or
/// another resource, or an object of the endpoint's own making ({"code", "message"}, {"returKode"},
/// {"status"}, …). Nothing when it says neither success nor fault in any form we know.
/// Source of the forms: contract/medlemstjenester 9. Texts are scrubbed and shortened.
[[nodiscard]] std::optional<EntryAnswer> read_item(const simdjson::dom::element& item);

/// What the body of a refusal says; fields stay empty where it says nothing that we know.
[[nodiscard]] EntryAnswer read_refusal(const simdjson::dom::element& body);

/// The text of obj[name], or empty where there is none.
[[nodiscard]] std::string_view text_at(const simdjson::dom::object& object, std::string_view name);

}  // namespace helsekontakter::json
