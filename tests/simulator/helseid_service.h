#pragma once

#include "tests/simulator/config.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/http.h"
#include "tests/simulator/jose.h"
#include "tests/simulator/log.h"
#include "tests/simulator/statistics.h"
#include "tests/simulator/tokens.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace helsekontakter::simulator {

struct RegisteredClient {
  Client client;
  std::vector<Jwk> keys;
};
using ClientRegister = std::map<std::string, RegisteredClient, std::less<>>;

/// Reads the public keys of every client.
[[nodiscard]] Result<ClientRegister> register_clients(const std::vector<Client>& clients);

/// HelseID: metadata, jwks and the token endpoint, as strict as contract/helseid says. Every
/// refusal is counted under "helseid.refused.<reason>" and logged. Single thread; time is given.
class HelseIdService {
 public:
  HelseIdService(ClientRegister clients, const Behaviour& behaviour, Grants& grants, Dice& dice,
                 Statistics& statistics, Log log);

  [[nodiscard]] Reply answer(const HttpRequest& request, Time now);

 private:
  using Form = std::map<std::string, std::string, std::less<>>;
  struct Refusal {
    std::string error;  ///< of OAuth: invalid_client, ...
    Flaw flaw;
  };
  template <class T>
  using Judged = tl::expected<T, Refusal>;

  [[nodiscard]] Reply token(const HttpRequest& request, Time now);
  [[nodiscard]] Judged<Form> read_form(const HttpRequest& request) const;
  [[nodiscard]] Judged<const RegisteredClient*> find_client(const Form& form) const;
  [[nodiscard]] Judged<std::optional<Proof>> check_dpop(const HttpRequest& request, Time now);
  [[nodiscard]] Judged<void> remember_assertion(const Jws& assertion, Time now);
  [[nodiscard]] Judged<Grant> grant(const RegisteredClient& registered, const Form& form,
                                    const Jws& assertion, Time now) const;
  [[nodiscard]] Reply issue(const HttpRequest& request, const RegisteredClient& registered,
                            Grant grant, Time now);
  [[nodiscard]] std::optional<Reply> fault();
  [[nodiscard]] Reply refuse(const Refusal& refusal);
  [[nodiscard]] std::string issuer(const HttpRequest& request) const;
  [[nodiscard]] Reply metadata(const HttpRequest& request) const;
  [[nodiscard]] const std::string& nonce(Time now);

  ClientRegister clients_;
  const Behaviour& behaviour_;
  Grants& grants_;
  Dice& dice_;
  Statistics& statistics_;
  Log log_;
  TokenSigner signer_;
  ReplayCache assertions_;
  ReplayCache proofs_;
  std::string nonce_;
  std::string previous_nonce_;
  Time nonce_until_{};
};

}  // namespace helsekontakter::simulator
