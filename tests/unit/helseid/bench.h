#pragma once

#include "adapters/helseid/helseid_token_source.h"
#include "adapters/https/http.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::helseid::test {

inline constexpr std::string_view issuer = "https://helseid.example";

https::Response json_answer(int status, std::string body);
https::Response granted(std::string token, int expires_in, std::string type = "Bearer");
https::Response refused(std::string error, std::string description = "");

/// Plays HelseID by a script. Answers at once on the asking thread, unless corked: then requests
/// pile up until uncork(). Without a line in the script, a token request gets a fresh token that
/// lives for 60 s, and a metadata request the usual document.
class FakeHelseId : public https::Client {
 public:
  using Reply = std::function<https::Answer(const https::Request&)>;

  void send(https::Request request, std::function<void(https::Answer)> done) override;

  /// The next token request gets this.
  void next(https::Answer answer);
  void next(Reply reply);
  /// Every metadata request from now on gets this.
  void metadata(https::Answer answer);
  void cork() { corked_ = true; }
  void uncork();

  std::vector<https::Request> token_requests() const;
  std::size_t metadata_requests() const;
  https::Request last() const { return token_requests().back(); }
  std::size_t corked_requests() const;

 private:
  https::Answer reply_to(const https::Request& request);

  mutable std::mutex mutex_;
  bool corked_ = false;
  std::deque<Reply> script_;
  std::optional<https::Answer> metadata_;
  std::vector<https::Request> token_requests_;
  std::size_t metadata_requests_ = 0;
  int tokens_given_ = 0;
  std::vector<std::pair<https::Request, std::function<void(https::Answer)>>> piled_up_;
};

/// The decoded value of one form field, or "-".
std::string field(const https::Request& request, std::string_view name);
std::string assertion_of(const https::Request& request);

/// A file of this test's own, removed at the end.
class KeyPath {
 public:
  KeyPath();
  ~KeyPath();
  KeyPath(const KeyPath&) = delete;
  KeyPath& operator=(const KeyPath&) = delete;
  void write(const std::string& text) const;
  void mode(unsigned bits) const;
  [[nodiscard]] const std::string& str() const { return path_; }

 private:
  std::string path_;
};

OrganizationNumber organization(std::string_view digits);
inline const OrganizationNumber org_a = organization("948554062");
inline const OrganizationNumber org_b = organization("974760673");
inline const OrganizationNumber org_c = organization("923609016");

/// A token source with everything around it in the test's hand.
class Bench {
 public:
  Bench();

  /// Makes the source from `settings`; called by the first ask() otherwise.
  void start();
  Authorized ask(OrganizationNumber organization = org_a,
                 Milliseconds needed_life = Milliseconds(15'000));
  /// Asks without waiting for the answer, which goes into `answers`.
  void ask_later(OrganizationNumber organization = org_a,
                 Milliseconds needed_life = Milliseconds(15'000));
  void pass(Milliseconds time);

  Settings settings;
  FakeHelseId helseid;
  KeyPath key_path;
  std::unique_ptr<HelseIdTokenSource> source;
  std::vector<Authorized> answers;

  TimePoint now{Milliseconds(1'000'000)};
  WallTime wall{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12)};
  std::vector<std::string> warnings;
  std::vector<std::string> failures;  ///< codes
  std::vector<Milliseconds> lives;
  std::vector<std::string> reloaded;
  std::vector<Milliseconds> skews;

  Surroundings surroundings();
  Observer observer();

 private:
  std::mutex told_mutex_;
};

/// The token of an Authorization header, or the cause of the refusal: what a test compares.
std::string shown(const Authorized& answer);
std::string_view name(NotSentCause cause);

inline const https::Url api_url =
    https::Url::parse("https://api.example/helsekontakter/api/v1?x=1").value();

}  // namespace helsekontakter::helseid::test
