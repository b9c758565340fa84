// Writes Bundles of every combination of settings that changes their shape, sorted into folders by
// what the validator is expected to say: must-pass, may-fail (is_valid_r4 says no), must-fail.

#include "tests/fhir/broken_bundles.h"
#include "tests/unit/fhir/samples.h"
#include "worker/fhir/bundle.h"

#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::fhir {
namespace {

/// Draws one value after the other out of the digits of a number: counting it up from 0 gives
/// every combination.
class Choices {
 public:
  explicit Choices(unsigned number) : left_(number) {}

  template <class T, std::size_t n>
  const T& of(const std::array<T, n>& values) {
    const T& chosen = values[left_ % n];
    left_ /= static_cast<unsigned>(n);
    return chosen;
  }

  /// More than every combination has been drawn.
  [[nodiscard]] bool exhausted() const { return left_ > 0; }

 private:
  unsigned left_;
};

constexpr std::array bundle_types{BundleType::transaction, BundleType::batch,
                                  BundleType::collection};
constexpr std::array entry_requests{EntryRequest::automatic, EntryRequest::always,
                                    EntryRequest::never};
constexpr std::array reference_forms{ReferenceForm::urn_uuid, ReferenceForm::logical_identifier};
constexpr std::array endpoint_forms{OrganizationEndpointForm::both,
                                    OrganizationEndpointForm::element_id,
                                    OrganizationEndpointForm::identifier};
constexpr std::array end_forms{MembershipEndForm::period_end, MembershipEndForm::omit};
constexpr std::array either{false, true};
const std::array<std::optional<std::string>, 3> url_prefixes{"", "https://helse.no/fhir/",
                                                             std::nullopt};
const std::array<std::string, 2> areas{"", "3"};

void use_naming_systems(BundleForm& form) {
  form.system_fnr = "http://hl7.no/fhir/NamingSystem/FNR";
  form.system_dnr = "urn:oid:2.16.578.1.12.4.1.4.2";
  form.system_orgnr = "http://data.brreg.no/begrep/28155";
  form.system_her = "http://hl7.no/fhir/NamingSystem/HERid";
  form.system_service_id = "https://sender.no/services";
}

void leave_out_systems(BundleForm& form) {
  form.system_fnr.clear();
  form.system_dnr.clear();
  form.system_orgnr.clear();
  form.system_her.clear();
  form.system_service_id.clear();
}

using ChangeSystems = void (*)(BundleForm&);
constexpr std::array<ChangeSystems, 3> systems{[](BundleForm&) {}, use_naming_systems,
                                               leave_out_systems};

class Folder {
 public:
  explicit Folder(std::filesystem::path root) : root_(std::move(root)) {
    for (const char* part : {"must-pass", "may-fail", "must-fail"}) {
      std::filesystem::create_directories(root_ / part);
    }
  }

  void write(std::string_view part, const std::string& name, const std::string& body) const {
    std::ofstream file(root_ / part / (name + ".json"), std::ios::binary);
    file << body;
    if (!file.flush()) throw std::runtime_error("cannot write below " + root_.string());
  }

  /// Settings often give the same Bundle; each is written once. Of those that are known to be
  /// invalid a sample is enough.
  void write_by_form(const BundleForm& form, const std::string& name, const std::string& body) {
    if (!written_.insert(body).second) return;
    if (is_valid_r4(form)) {
      write("must-pass", name, body);
    } else if (invalid_++ % 20 == 0) {
      write("may-fail", name, body);
    }
  }

 private:
  std::set<std::string> written_;
  unsigned invalid_ = 0;
  std::filesystem::path root_;
};

std::string member_bundle(const BundleForm& form, bool open_end) {
  Membership second = samples::membership();
  second.full_url = samples::uuid(0xbb);
  second.member = "55507608360";
  second.is_d_number = true;
  if (open_end) second.end = "";
  return bundle_prefix(form, Lane::members) + samples::member_entry(form, samples::membership()) +
         "," + samples::member_entry(form, second) + std::string(bundle_suffix());
}

void write_members(Folder& folder) {
  for (unsigned number = 0;; ++number) {
    Choices choose(number);
    BundleForm form;
    form.bundle_type_offerings = BundleType::collection;  // judged with its own Bundles
    form.bundle_type_members = choose.of(bundle_types);
    form.entry_request = choose.of(entry_requests);
    if (form.entry_request != EntryRequest::automatic) {
      form.bundle_type_offerings = form.bundle_type_members;
      form.reference_form = ReferenceForm::logical_identifier;
    }
    form.entry_request_url_prefix = choose.of(url_prefixes);
    form.meta_security_area = choose.of(areas);
    form.member_end_form = choose.of(end_forms);
    choose.of(systems)(form);
    const bool open_end = choose.of(either);
    if (choose.exhausted()) return;
    folder.write_by_form(form, "members-" + std::to_string(number), member_bundle(form, open_end));
  }
}

std::string offering_bundle(const BundleForm& form, bool sparse) {
  Organization organization = samples::organization();
  Location second = samples::location(0x11);
  Service service = samples::service();
  if (sparse) {
    organization.business_id = "47 11";
    second.line.clear();
    second.telecom = {{"", "22853200"}};
    service.active = false;
    service.comment = "";
    service.her_id = "";
    service.name = "Lege \"på\" \\ Blindern\n– 🩺";
  }
  Service other = service;
  other.full_url = samples::uuid(0x5f);
  return bundle_prefix(form, Lane::offerings) + samples::organization_entry(form, organization) +
         "," + samples::offering_entries(form, {samples::location(), second}, service) + "," +
         samples::offering_entries(form, {}, other) + std::string(bundle_suffix());
}

void write_offerings(Folder& folder) {
  for (unsigned number = 0;; ++number) {
    Choices choose(number);
    BundleForm form;
    form.bundle_type_offerings = choose.of(bundle_types);
    form.entry_request = choose.of(entry_requests);
    form.bundle_type_members = form.entry_request == EntryRequest::automatic
                                   ? BundleType::collection
                                   : form.bundle_type_offerings;
    form.reference_form = choose.of(reference_forms);
    form.organization_endpoint_form = choose.of(endpoint_forms);
    form.service_id_bare = choose.of(either);
    form.entry_request_url_prefix = choose.of(url_prefixes);
    form.meta_security_area = choose.of(areas);
    choose.of(systems)(form);
    const bool sparse = choose.of(either);
    if (choose.exhausted()) return;
    folder.write_by_form(form, "offerings-" + std::to_string(number),
                         offering_bundle(form, sparse));
  }
}

void write_all(const std::filesystem::path& root) {
  Folder folder(root);
  write_members(folder);
  write_offerings(folder);
  for (const BrokenBundle& broken : broken_bundles()) {
    folder.write("must-fail", broken.name, broken.body);
  }
}

}  // namespace
}  // namespace helsekontakter::fhir

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fhir_write_bundles FOLDER\n", stderr);
    return 2;
  }
  try {
    helsekontakter::fhir::write_all(argv[1]);
    return 0;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
