#include "tests/feed/event_text.h"

#include "tests/feed/padded.h"

namespace helsekontakter::feed {
namespace {

void append_date(std::string& out, std::chrono::sys_days time) {
  const std::chrono::year_month_day date{time};
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 1'000);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 10);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 10);
}

}  // namespace

EventText::EventText(std::chrono::system_clock::time_point now)
    : start_(std::chrono::floor<std::chrono::days>(now)) {
  append_date(time_, start_);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(now - start_));
  time_ += 'T';
  append_padded(time_, static_cast<unsigned>(clock.hours().count()), 10);
  time_ += ':';
  append_padded(time_, static_cast<unsigned>(clock.minutes().count()), 10);
  time_ += ':';
  append_padded(time_, static_cast<unsigned>(clock.seconds().count()), 10);
  time_ += 'Z';
}

void EventText::write_head(std::string_view id, std::string_view type, std::string_view subject,
                           std::string& out) const {
  out = R"({"specversion":"1.0","id":")";
  out += id;
  out += R"(","source":"/feed","type":"no.helsekontakter.)";
  out += type;
  out += R"(.changed.v1","subject":")";
  out += subject;
  out += R"(","time":")";
  out += time_;
  out += R"(","datacontenttype":"application/json","data":{"organization":)";
}

void EventText::write(const MembershipEvent& event, std::string& out) const {
  write_head(event.id, "membership", event.subject, out);
  out += '"';
  out += event.organization;
  out += R"(","member":")";
  out += event.member;
  out += R"(","period":{"start":")";
  append_date(out, start_);
  out += R"(","end":")";
  append_date(out, start_ + std::chrono::days(event.version));
  out += R"("},"version":)";
  out += std::to_string(event.version);
  out += "}}";
}

void EventText::write(const OfferingEvent& event, std::string& out) const {
  write_head(event.id, "offering", event.service, out);
  out += R"({"number":")";
  out += event.organization;
  out += R"(","name":"Organisation )";
  out += event.organization;
  out += R"(","businessId":"8094866"},"service":{"id":")";
  out += event.service;
  out += R"(","active":true,"name":"Helsetjeneste","herId":"129688"},)"
         R"("locations":[{"id":"1","line":["Storgata 1"],"city":"Oslo","postalCode":"0155",)"
         R"("telecom":[{"system":"phone","value":"22 00 00 00"}]}],"version":)";
  out += std::to_string(event.version);
  out += "}}";
}

}  // namespace helsekontakter::feed
