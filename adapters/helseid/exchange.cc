#include "adapters/helseid/exchange.h"

#include "adapters/https/date.h"

#include <utility>
#include <variant>

namespace helsekontakter::helseid {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr std::string_view assertion_type =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

Fault key_fault(const Error& error) {
  return {Blame::client, "key_unusable", error.message, std::nullopt};
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Issuer> issuer, std::shared_ptr<TokenEndpoint> endpoint,
                   std::shared_ptr<ClientIdentity> client, Represented organization, Done done)
    : issuer_(std::move(issuer)),
      endpoint_(std::move(endpoint)),
      client_(std::move(client)),
      organization_(std::move(organization)),
      done_(std::move(done)) {}

void Exchange::start() {
  endpoint_->find([self = shared_from_this()](TokenEndpoint::Found found) {
    if (!found) {
      self->done_(tl::unexpected(std::move(found.error())));
      return;
    }
    self->url_ = std::move(*found);
    self->ask();
  });
}

Result<https::Request> Exchange::request() const {
  const Settings& settings = issuer_->settings;
  const WallTime now = issuer_->corrected_time();
  const auto assertion = client_assertion(settings, client_->client_id, organization_, *key_, now,
                                          unique_id(issuer_->surroundings));
  if (!assertion) return tl::unexpected(assertion.error());
  https::Request request;
  request.url = url_;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  if (settings.token_mode == TokenMode::dpop) {
    auto proof = dpop_proof({.method = "POST", .url = url_, .nonce = nonce_, .access_token = ""},
                            *key_, now, unique_id(issuer_->surroundings));
    if (!proof) return tl::unexpected(proof.error());
    request.headers.push_back({"DPoP", std::move(*proof)});
  }
  request.body = form({{"grant_type", "client_credentials"},
                       {"client_id", client_->client_id},
                       {"scope", settings.scope},
                       {"resource", settings.resource},
                       {"client_assertion_type", assertion_type},
                       {"client_assertion", *assertion}});
  return request;
}

void Exchange::ask() {
  auto key = client_->key_file.read();
  if (!key) {
    done_(tl::unexpected(key_fault(key.error())));
    return;
  }
  key_ = std::move(*key);
  auto made = request();
  if (!made) {
    done_(tl::unexpected(key_fault(made.error())));
    return;
  }
  asked_at_ = issuer_->surroundings.now();
  issuer_->send(std::move(*made),
                [self = shared_from_this()](tl::expected<https::Response, Fault> answer) {
                  if (!answer) {
                    self->done_(tl::unexpected(std::move(answer.error())));
                    return;
                  }
                  self->read(*answer);
                });
}

void Exchange::read(const https::Response& response) {
  TokenAnswer understood = read_token_answer(response, issuer_->settings);
  std::visit(Overloaded{[&](TokenGranted& granted) {
                          done_(FreshToken{std::move(granted), asked_at_, key_});
                        },
                        [&](NonceWanted& wanted) {
                          nonce_ = std::move(wanted.nonce);
                          again(nonce_tried_,
                                {Blame::helseid, "use_dpop_nonce",
                                 "HelseID asks for a DPoP nonce again, although it was given the "
                                 "one it asked for; it is tried again",
                                 std::nullopt});
                        },
                        [&](ClientInvalid& invalid) {
                          nonce_tried_ = false;  // the next try may need a nonce of its own
                          again(client_tried_, std::move(invalid.fault));
                        },
                        [&](ProofInvalid& invalid) {
                          nonce_tried_ = false;
                          again(proof_tried_, std::move(invalid.fault));
                        },
                        [&](Fault& fault) {
                          if (fault.blame == Blame::helseid) {
                            fault.retry_after = https::parse_retry_after(
                                response.header("Retry-After"), issuer_->surroundings.wall());
                          }
                          done_(tl::unexpected(std::move(fault)));
                        }},
             understood);
}

void Exchange::again(bool& done_before, Fault fault) {
  if (std::exchange(done_before, true)) {
    done_(tl::unexpected(std::move(fault)));
    return;
  }
  ask();
}

}  // namespace helsekontakter::helseid
