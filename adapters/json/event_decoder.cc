#include "adapters/json/event_decoder.h"

#include "adapters/json/calendar.h"
#include "adapters/json/event_data.h"
#include "adapters/json/event_envelope.h"
#include "adapters/json/event_fields.h"
#include "adapters/json/event_identity.h"
#include "adapters/json/event_rules.h"
#include "adapters/json/json_text.h"
#include "adapters/json/packed_headers.h"
#include "adapters/json/plain_text.h"

#include <charconv>
#include <optional>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view membership_type = "no.helsekontakter.membership.changed.v1";
constexpr std::string_view offering_type = "no.helsekontakter.offering.changed.v1";

std::size_t bytes_of_metadata(const RawEvent& raw) {
  std::size_t bytes = raw.key.size();
  for (const auto& [name, value] : raw.headers) bytes += name.size() + value.size();
  return bytes;
}

std::optional<std::int64_t> parse_version(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > version_max) return std::nullopt;
  return value;
}

Check parse_fault(std::string_view payload, simdjson::error_code error) {
  if (!simdjson::validate_utf8(payload.data(), payload.size())) {
    return Fault{Reason::invalid_utf8, "payload"};
  }
  if (payload.substr(0, 3) == "\xEF\xBB\xBF") {
    return Fault{Reason::not_json, "payload: byte order mark at its start"};
  }
  if (error == simdjson::DEPTH_ERROR) {
    return Fault{Reason::not_json, "payload: nested deeper than 128 levels"};
  }
  return Fault{Reason::not_json, "payload"};
}

std::optional<Lane> lane_of(std::string_view type) {
  if (type == membership_type) return Lane::members;
  if (type == offering_type) return Lane::offerings;
  return std::nullopt;
}

/// True when a name that stands twice leaves open which organisation the event is about.
bool hides_organization(const Fault& fault) {
  if (fault.reason != Reason::duplicate_name) return false;
  const std::string_view detail = fault.detail;
  for (const std::string_view end : {"/data", "/organization", "/number"}) {
    if (detail.size() >= end.size() && detail.substr(detail.size() - end.size()) == end) {
      return true;
    }
  }
  return false;
}

}  // namespace

/// One event at a time: what is known of it so far, and the buffers that are kept between events.
class EventDecoder::Reading {
 public:
  Reading(DecoderSettings settings, crypto::KeyedHash hash)
      : settings_(std::move(settings)), hash_(hash), rules_(settings_, hash_) {}

  Delivery decode(const RawEvent& raw);
  std::uint64_t unknown_fields() const { return unknown_fields_; }

 private:
  void start(const RawEvent& raw);
  Check read(const RawEvent& raw);
  Check read_event(const RawEvent& raw, const dom::element& document, const dom::object& object);
  Check read_plain(const dom::object& object);
  Check check_envelope() const;
  Check check_metadata(const RawEvent& raw) const;
  Check read_time(const RawEvent& raw);
  Check read_data(const RawEvent& raw, const Place& place);
  Check decide_version(const RawEvent& raw, const DataVersion& in_data, const Place& place);
  Check check_version_ahead(const RawEvent& raw) const;
  EventFacts facts(const RawEvent& raw) const;

  Finding finding(const RawEvent& raw, const Fault& fault) const;
  /// (source, id) as the event has them; ours, topic and position, where one is missing.
  struct Identity {
    std::string_view source;
    std::string_view id;
    bool ours;
  };
  Identity identity(const RawEvent& raw) const;
  bool is_too_large(const RawEvent& raw) const;
  std::string_view metadata(std::string_view text, std::string& buffer) const;
  Texts texts(const RawEvent& raw, std::string_view detail);

  const DecoderSettings settings_;
  const crypto::KeyedHash hash_;
  EventRules rules_;
  JsonText json_;
  StructuredAttributes attributes_;
  std::uint64_t unknown_fields_ = 0;

  Mode mode_ = Mode::plain;
  Envelope envelope_;
  std::string own_id_;  ///< the broker's id, or partition and offset, where the event has none
  std::optional<dom::element> data_;
  std::optional<Lane> lane_;
  std::optional<Microseconds> time_;
  std::optional<std::int64_t> version_;
  std::optional<Change> change_;
  ChangeTexts change_texts_;
  bool metadata_checked_ = false;       ///< id, source, subject and key hold no identity number
  std::array<std::string, 8> buffers_;  ///< what is shown in place of texts that do
};

void EventDecoder::Reading::start(const RawEvent& raw) {
  mode_ = Mode::plain;
  envelope_ = {};
  own_id_ = metadata(raw.plain_id, own_id_);
  if (own_id_.empty()) {
    own_id_ = std::to_string(static_cast<std::int32_t>(raw.position.partition));
    own_id_ += '/';
    own_id_ += std::to_string(raw.position.offset);
  }
  data_.reset();
  lane_.reset();
  time_.reset();
  version_.reset();
  change_.reset();
  change_texts_ = {};
}

Delivery EventDecoder::Reading::decode(const RawEvent& raw) {
  start(raw);
  metadata_checked_ = false;
  Delivery delivery{raw.position, raw.epoch, {}, Tombstone{}};
  if (raw.is_null) return delivery;
  const Check fault = read(raw);
  if (fault) {
    delivery.content = finding(raw, *fault);
  } else {
    delivery.content = *change_;
  }
  delivery.texts = texts(raw, fault ? std::string_view(fault->detail) : std::string_view{});
  return delivery;
}

bool EventDecoder::Reading::is_too_large(const RawEvent& raw) const {
  return raw.payload.size() > settings_.event_bytes_max ||
         bytes_of_metadata(raw) > settings_.event_bytes_max;
}

Check EventDecoder::Reading::read(const RawEvent& raw) {
  if (bytes_of_metadata(raw) > settings_.event_bytes_max) {
    return Fault{Reason::event_too_large, "headers"};
  }
  Packing packing = packing_of(raw);
  envelope_ = packing.attributes;
  if (packing.mode) mode_ = *packing.mode;
  if (!raw.unreadable.empty()) {
    return Fault{Reason::unsupported_content, std::string(raw.unreadable)};
  }
  if (packing.fault) return std::move(packing.fault);
  if (raw.payload.size() > settings_.event_bytes_max) {
    return Fault{Reason::event_too_large, "payload"};
  }
  dom::element document;
  if (const auto error = json_.parse(raw.payload).get(document)) {
    return parse_fault(raw.payload, error);
  }
  dom::object object;
  if (document.get(object) != simdjson::SUCCESS) {
    return Fault{mode_ == Mode::binary ? Reason::wrong_type : Reason::not_an_event, "payload"};
  }
  if (!packing.mode && object["specversion"].error() == simdjson::SUCCESS) {
    mode_ = Mode::structured;
  }
  return read_event(raw, document, object);
}

Check EventDecoder::Reading::read_event(const RawEvent& raw, const dom::element& document,
                                        const dom::object& object) {
  const Place root;
  if (mode_ == Mode::structured) {
    Check fault = attributes_.read(object, envelope_, unknown_fields_);
    if (attributes_.data() != nullptr) data_ = *attributes_.data();
    if (fault) return fault;
  } else {
    data_ = document;
  }
  if (Check fault = mode_ == Mode::plain ? read_plain(object) : check_envelope()) return fault;
  if (Check fault = check_metadata(raw)) return fault;
  metadata_checked_ = true;
  if (Check fault = read_time(raw)) return fault;
  if (mode_ != Mode::structured) return read_data(raw, root);
  if (Check fault = attributes_.check_data(envelope_)) return fault;
  return read_data(raw, Place(root, "data"));
}

Check EventDecoder::Reading::read_plain(const dom::object& object) {
  const bool member = object["member"].error() == simdjson::SUCCESS;
  const bool service = object["service"].error() == simdjson::SUCCESS;
  if (member == service) return Fault{Reason::not_an_event, "payload"};
  lane_ = member ? Lane::members : Lane::offerings;
  return std::nullopt;
}

Check EventDecoder::Reading::check_envelope() const {
  const auto fault = [this](Reason reason, std::string_view name) {
    return attribute_fault(mode_, reason, name);
  };
  if (envelope_.specversion.empty()) return fault(Reason::field_missing, "specversion");
  if (envelope_.specversion != "1.0") return fault(Reason::unknown_type, "specversion");
  if (envelope_.id.empty()) return fault(Reason::field_missing, "id");
  if (envelope_.source.empty()) return fault(Reason::field_missing, "source");
  if (envelope_.type.empty()) return fault(Reason::field_missing, "type");
  return std::nullopt;
}

Check EventDecoder::Reading::check_metadata(const RawEvent& raw) const {
  const auto fault = [this](std::string_view name) {
    return attribute_fault(mode_, Reason::identity_in_metadata, name);
  };
  if (contains_national_id(raw.key)) return Fault{Reason::identity_in_metadata, "key"};
  if (contains_national_id(envelope_.id)) return fault("id");
  if (contains_national_id(envelope_.source)) return fault("source");
  if (contains_national_id(envelope_.subject)) return fault("subject");
  return std::nullopt;
}

Check EventDecoder::Reading::read_time(const RawEvent& raw) {
  if (mode_ == Mode::plain) {
    if (raw.broker_time != WallTime{}) time_ = raw.broker_time;
    return std::nullopt;
  }
  if (envelope_.time.empty()) return std::nullopt;
  time_ = parse_time(envelope_.time);
  if (time_) return std::nullopt;
  return attribute_fault(mode_, Reason::version_invalid, "time");
}

EventDecoder::Reading::Identity EventDecoder::Reading::identity(const RawEvent& raw) const {
  if (envelope_.id.empty() || envelope_.source.empty()) return {raw.plain_source, own_id_, true};
  return {envelope_.source, envelope_.id, false};
}

EventFacts EventDecoder::Reading::facts(const RawEvent& raw) const {
  const Identity known = identity(raw);
  EventFacts facts{.id = known.id,
                   .source = known.source,
                   .resend = envelope_.resend,
                   .version = *version_,
                   .date = {}};
  if (time_) facts.date = std::chrono::floor<std::chrono::days>(*time_);
  return facts;
}

Check EventDecoder::Reading::read_data(const RawEvent& raw, const Place& place) {
  if (!lane_) lane_ = lane_of(envelope_.type);
  if (!lane_) return attribute_fault(mode_, Reason::unknown_type, "type");
  dom::object object;
  if (data_->get(object) != simdjson::SUCCESS) return place.fault(Reason::wrong_type);
  MembershipFields membership;
  OfferingFields offering;
  const bool is_membership = *lane_ == Lane::members;
  if (Check fault = is_membership ? read_membership(object, place, unknown_fields_, membership)
                                  : read_offering(object, place, unknown_fields_, offering)) {
    return fault;
  }
  const DataVersion& in_data = is_membership ? membership.version : offering.version;
  if (Check fault = decide_version(raw, in_data, place)) return fault;
  if (Check fault = check_version_ahead(raw)) return fault;
  const EventFacts known = facts(raw);
  return is_membership ? rules_.apply(membership, known, place, change_, change_texts_)
                       : rules_.apply(offering, known, place, change_, change_texts_);
}

Check EventDecoder::Reading::decide_version(const RawEvent& raw, const DataVersion& in_data,
                                            const Place& place) {
  std::optional<std::int64_t> resent;
  if (!envelope_.resend.empty() && !envelope_.resend_version.empty()) {
    resent = parse_version(envelope_.resend_version);
    if (!resent) return attribute_fault(mode_, Reason::version_invalid, "resendversion");
  }
  switch (settings_.version_from) {
    case VersionFrom::data:
      if (in_data.state == DataVersion::State::missing) {
        return Place(place, "version").fault(Reason::version_missing);
      }
      if (in_data.state == DataVersion::State::invalid) {
        return Place(place, "version").fault(Reason::version_invalid);
      }
      version_ = in_data.value;
      break;
    case VersionFrom::time:
      if (time_) {
        version_ = time_->time_since_epoch().count();
      } else {
        version_ = resent;
      }
      if (!version_) return attribute_fault(mode_, Reason::version_missing, "time");
      if (*version_ < 0) {
        version_.reset();
        return attribute_fault(mode_, Reason::version_invalid, "time");
      }
      break;
    case VersionFrom::broker:
      version_ = resent ? *resent : raw.position.offset;
      break;
  }
  return std::nullopt;
}

Check EventDecoder::Reading::check_version_ahead(const RawEvent& raw) const {
  if (settings_.version_from != VersionFrom::time || !time_) return std::nullopt;
  if (*time_ <= raw.now + std::chrono::hours{24}) return std::nullopt;
  return attribute_fault(mode_, Reason::version_ahead, "time");
}

Finding EventDecoder::Reading::finding(const RawEvent& raw, const Fault& fault) const {
  const Identity known = identity(raw);
  Finding finding{.reason = fault.reason,
                  .organization = {},
                  .version = version_,
                  .event = event_digest(hash_, known.source, known.id, envelope_.resend)};
  if (data_ && !hides_organization(fault)) {
    const Glimpse seen = glimpse(*data_);
    finding.organization = OrganizationNumber::parse(seen.organization);
    if (!version_ && settings_.version_from == VersionFrom::data &&
        seen.version.state == DataVersion::State::valid) {
      finding.version = seen.version.value;
    }
  }
  return finding;
}

/// A text of the event that will be shown: its HMAC where it holds an identity number, or is
/// larger than any event.
std::string_view EventDecoder::Reading::metadata(std::string_view text, std::string& buffer) const {
  if (text.empty()) return text;
  if (text.size() <= settings_.event_bytes_max && !contains_national_id(text)) return text;
  buffer = hash_.digest<struct MetadataTag>({"metadata", text}).hex();
  return buffer;
}

Texts EventDecoder::Reading::texts(const RawEvent& raw, std::string_view detail) {
  using Field = Texts::Field;
  const bool keep = settings_.keep_payload && !is_too_large(raw);
  const std::string packed = keep ? pack_headers(raw.headers) : std::string{};
  const Identity known = identity(raw);
  std::string_view type_shown = envelope_.type;
  if (mode_ == Mode::plain && lane_) {
    type_shown = *lane_ == Lane::members ? membership_type : offering_type;
  }
  const bool checked = metadata_checked_;
  const std::array<std::pair<Field, std::string_view>, Texts::fields> all{
      {{Field::id, checked || known.ours ? known.id : metadata(known.id, buffers_[0])},
       {Field::source, checked || known.ours ? known.source : metadata(known.source, buffers_[1])},
       {Field::type, lane_ ? type_shown : metadata(type_shown, buffers_[2])},
       {Field::subject, checked ? envelope_.subject : metadata(envelope_.subject, buffers_[3])},
       {Field::key, checked ? raw.key : metadata(raw.key, buffers_[4])},
       {Field::traceparent, metadata(envelope_.traceparent, buffers_[5])},
       {Field::tracestate, metadata(envelope_.tracestate, buffers_[6])},
       {Field::resend, metadata(envelope_.resend, buffers_[7])},
       {Field::detail, detail},
       {Field::identifier, change_texts_.identifier},
       {Field::entry, change_texts_.entry},
       {Field::head, change_texts_.head},
       {Field::payload, keep ? raw.payload : std::string_view{}},
       {Field::headers, packed}}};
  std::size_t bytes = 0;
  for (const auto& [field, text] : all) bytes += text.size();
  Texts texts;
  texts.reserve(bytes);
  for (const auto& [field, text] : all) {
    if (!text.empty()) texts.append(field, text);
  }
  return texts;
}

EventDecoder::EventDecoder(DecoderSettings settings, crypto::KeyedHash hash)
    : reading_(std::make_unique<Reading>(std::move(settings), hash)) {}
EventDecoder::~EventDecoder() = default;
EventDecoder::EventDecoder(EventDecoder&&) noexcept = default;
EventDecoder& EventDecoder::operator=(EventDecoder&&) noexcept = default;

Delivery EventDecoder::decode(const RawEvent& raw) {
  return reading_->decode(raw);
}

std::uint64_t EventDecoder::unknown_fields() const {
  return reading_->unknown_fields();
}

}  // namespace helsekontakter::json
