#pragma once

#include "worker/domain/result.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace helsekontakter::simulator {

/// Whether a list of the settings has it.
[[nodiscard]] inline bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

using Millis = std::chrono::milliseconds;

enum class HelseIdFault : std::uint8_t { none, invalid_client, server_error, slow, garbage, down };
enum class DpopRule : std::uint8_t { as_asked, required, ignored };
enum class TokenScheme : std::uint8_t { any, bearer, dpop };
enum class StatusSpelling : std::uint8_t {
  present,
  earlier
};  ///< erDigitaltAktivSelv, erAktivSelv
enum class AnswerShape : std::uint8_t {
  batch_response,  ///< one entry per request entry, in its order, nothing to match by but that
  batch_response_full_url,  ///< the same, each with the fullUrl of the request
  resources,                ///< Bundle of Patient and OperationOutcome
  list,                     ///< JSON list of {fnr, returKode, …}
  map,                      ///< JSON object by number
  empty                     ///< no body
};

/// What HelseID demands and how it misbehaves; may change while it runs. Defaults and sources:
/// contract/helseid 2 to 7.
struct HelseIdBehaviour {
  std::string issuer;  ///< empty: the address the client called
  Millis token_life{60'000};
  Millis assertion_life_max{60'000};
  Millis clock_skew{5'000};
  Millis proof_life_max{10'000};
  bool nonce = true;  ///< a proof without one is answered use_dpop_nonce
  DpopRule dpop = DpopRule::as_asked;
  std::vector<std::string> assertion_typ{"client-authentication+jwt"};
  std::vector<std::string> algorithms{"PS256", "PS384", "PS512", "ES256", "ES384",
                                      "ES512", "RS256", "RS384", "RS512"};
  std::vector<std::string> org_claims{"assertion_details"};
  std::set<std::string> rejected_scope_organizations;
  std::set<std::string> revoked_organizations;  ///< delegation withdrawn; also at the API
  HelseIdFault fault = HelseIdFault::none;
  double fault_probability = 1;
  Millis slow{5'000};
};

/// Probabilities that a well-formed request ends in one of these ways; their sum is at most 1.
struct ApiFaults {
  std::uint64_t seed = 1;
  double status_500 = 0;
  double status_502 = 0;
  double status_503 = 0;
  double status_504 = 0;
  double cut_before = 0;   ///< cut, never applied
  double cut_after = 0;    ///< applied, then cut
  double cut_late = 0;     ///< cut at once, applied up to settle_time later
  double slow_body = 0;    ///< half of the answer, a pause, the rest
  double wrong_count = 0;  ///< applied, but the answer lacks an entry
  double garbage = 0;      ///< applied, but the answer is not JSON
  Millis slow_body_pause{20'000};

  [[nodiscard]] double sum() const {
    return status_500 + status_502 + status_503 + status_504 + cut_before + cut_after + cut_late +
           slow_body + wrong_count + garbage;
  }
};

/// A rule that picks members: a share of all numbers (the same ones in every run), and a list.
struct MemberRule {
  double share = 0;
  std::string file;  ///< one number a line
  std::unordered_set<std::uint64_t> numbers;
};

struct Latency {
  double base_ms = 0;
  double per_entry_ms = 0;
  double sigma = 0;  ///< of the log-normal factor whose median is 1
  double max_ms = 15'000;
};

/// What Helsekontakter demands and how it misbehaves; may change while it runs. Defaults and
/// sources: contract/medlemstjenester 1, 5, 7, 8 and 9.
struct ApiBehaviour {
  std::string path = "/helsekontakter/api/v1";
  std::string status_path = "/digitaltaktiv/helsenorgeaktivsjekken/v1";
  std::string status_scope = "nhn:helsenorge.eksternapi/helsenorgeaktivsjekken";
  StatusSpelling status_spelling = StatusSpelling::present;
  double status_fault = 0;  ///< probability that a question to the status API ends with 500
  std::string scope = "nhn:helsenorge.eksternapi/helsekontakter";
  TokenScheme token_scheme = TokenScheme::any;
  bool token_required = true;
  std::vector<std::string> media_types{"application/fhir+json"};
  std::vector<std::string> bundle_types_members{"batch"};
  std::vector<std::string> bundle_types_offerings{"transaction"};
  std::vector<std::string> member_systems{"urn:oid:2.16.578.1.12.4.1.4.1"};
  std::vector<std::string> organization_systems{"urn:oid:2.16.578.1.12.4.1.4.101"};
  bool period_end_required = true;
  bool her_id_required = false;
  bool check_digits = true;
  std::size_t entries_max = 1'000;
  std::size_t bytes_max = 4 * 1024 * 1024;
  AnswerShape answer_members = AnswerShape::batch_response;
  AnswerShape answer_offerings = AnswerShape::batch_response;
  bool organization_must_be_known = false;
  MemberRule inactive;
  MemberRule invalid;
  Latency latency;
  std::size_t parallel_max = 0;  ///< requests beyond it wait their turn; 0: no limit
  double requests_per_second_max = 0;
  Millis retry_after{1'000};
  Millis settle_time{2'000};
  ApiFaults faults;
  bool down = false;
  bool expired_certificate = false;
};

struct Behaviour {
  HelseIdBehaviour helseid;
  ApiBehaviour api;
};

/// A client as it is registered in Selvbetjening.
struct Client {
  std::string client_id;
  bool multi_tenant = false;
  std::string organization;           ///< single-tenant: the organisation bound to the client
  std::set<std::string> delegations;  ///< multi-tenant: who has delegated; empty: everybody
  std::vector<std::string> scopes{"nhn:helsenorge.eksternapi/helsekontakter",
                                  "nhn:helsenorge.eksternapi/helsenorgeaktivsjekken"};
  std::vector<std::string> jwk_files;  ///< public keys
};

struct Config {
  std::string listen_helseid = "127.0.0.1:0";
  std::string listen_api = "127.0.0.1:0";
  std::string listen_control = "127.0.0.1:0";
  std::string listen_plain;  ///< http for both services, loopback only; empty: off
  std::vector<std::string> host_names{"localhost", "127.0.0.1"};
  std::string certificate_file;
  std::string key_file;
  std::string expired_certificate_file;
  std::string ca_file;           ///< only repeated in the ready file
  std::string journal_file;      ///< empty: no journal
  std::string journal_key_file;  ///< empty: <journal_file>.key
  bool log_refusals = true;
  std::vector<Client> clients;
  Behaviour behaviour;
};

/// Reads a YAML file; paths in it are relative to its directory. An error lists every mistake,
/// unknown keys among them.
[[nodiscard]] Result<Config> read_config(const std::string& file);

/// The same from text; `directory` is where relative paths start.
[[nodiscard]] Result<Config> parse_config(const std::string& text, const std::string& directory);

/// Changes what `text` (JSON or YAML) names: sections `api` and `helseid` as in the file. On an
/// error nothing has changed.
[[nodiscard]] Result<void> change(Behaviour& behaviour, const std::string& text);

/// Splits "host:port"; the port may be 0.
[[nodiscard]] Result<std::pair<std::string, std::uint16_t>> split_address(const std::string& text);

}  // namespace helsekontakter::simulator
