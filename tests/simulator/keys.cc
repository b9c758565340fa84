#include "tests/simulator/keys.h"

#include "tests/simulator/certificates.h"
#include "tests/simulator/jose.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::simulator {
namespace {

void write_file(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  const bool is_written =
      descriptor >= 0 && ::fchmod(descriptor, mode) == 0 &&
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (descriptor >= 0) ::close(descriptor);
  if (!is_written) throw std::runtime_error(file.string() + ": " + std::strerror(errno));
}

std::string member(const char* name, const std::string& value) {
  return std::string(",\"") + name + "\":\"" + value + "\"";
}

std::pair<std::string, std::string> rsa_members(const EVP_PKEY& key) {
  std::string open = member("n", key_number(key, OSSL_PKEY_PARAM_RSA_N, 0)) +
                     member("e", key_number(key, OSSL_PKEY_PARAM_RSA_E, 0));
  std::string secret;
  for (const auto& [name, parameter] : {std::pair{"d", OSSL_PKEY_PARAM_RSA_D},
                                        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                        {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}) {
    secret += member(name, key_number(key, parameter, 0));
  }
  return {std::move(open), std::move(secret)};
}

std::pair<std::string, std::string> ec_members(const EVP_PKEY& key, const char* curve,
                                               std::size_t width) {
  return {member("crv", curve) + member("x", key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, width)) +
              member("y", key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width)),
          member("d", key_number(key, OSSL_PKEY_PARAM_PRIV_KEY, width))};
}

ClientKey client_key(const std::string& alg) {
  static const std::map<std::string, std::pair<const char*, std::size_t>> named_curves{
      {"ES256", {"P-256", 32}}, {"ES384", {"P-384", 48}}, {"ES512", {"P-521", 66}}};
  const auto curve = named_curves.find(alg);
  const Key key(curve != named_curves.end() ? EVP_EC_gen(curve->second.first) : EVP_RSA_gen(2048));
  if (!key) throw std::runtime_error("OpenSSL made no key");
  const auto [open, secret] = curve != named_curves.end()
                                  ? ec_members(*key, curve->second.first, curve->second.second)
                                  : rsa_members(*key);
  const std::string head = std::string("{\"kty\":\"") +
                           (curve != named_curves.end() ? "EC" : "RSA") + "\",\"use\":\"sig\"" +
                           member("alg", alg) + member("kid", base64url(random_octets(15))) + open;
  return {head + secret + "}\n", head + "}\n"};
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    out.append(out.empty() ? "\"" : ", \"").append(name).append("\"");
  }
  return "[" + out + "]";
}

std::string example_config(const KeyWishes& wishes) {
  const bool is_single = wishes.tenancy == "single";
  return "# Paths are relative to this file. Every key: tests/simulator/README.md.\n"
         "listen:\n"
         "  helseid: 127.0.0.1:0      # 0: a free port; --ready-file says which\n"
         "  api: 127.0.0.1:0\n"
         "  control: 127.0.0.1:0\n"
         "  host_names: " +
         quoted_list(wishes.host_names) +
         "\n"
         "tls:\n"
         "  certificate_file: server.pem\n"
         "  key_file: server-key.pem\n"
         "  expired_certificate_file: server-expired.pem\n"
         "  ca_file: ca.pem\n"
         "journal:\n"
         "  file: journal.ndjson\n"
         "clients:\n"
         "  - client_id: " +
         wishes.client_id +
         "\n"
         "    tenancy: " +
         wishes.tenancy + "\n" +
         (is_single ? "    organization: \"" + wishes.organization + "\"\n" : "") +
         "    jwk_files: [client-public.jwk.json]\n"
         "helseid:\n"
         "  token_life_s: 60\n"
         "api:\n"
         "  latency: {base_ms: 20, per_entry_ms: 0.2, sigma: 0.3}\n";
}

}  // namespace

Result<ClientKey> make_client_key(const std::string& alg) {
  const bool is_known = alg.size() == 5 &&
                        (alg.starts_with("RS") || alg.starts_with("PS") || alg.starts_with("ES")) &&
                        (alg.ends_with("256") || alg.ends_with("384") || alg.ends_with("512"));
  if (!is_known) return fail(Remedy::stop, "--alg must be RS, PS or ES with 256, 384 or 512");
  try {
    return client_key(alg);
  } catch (const std::runtime_error& fault) {
    return fail(Remedy::stop, fault.what());
  }
}

Result<void> make_keys(const KeyWishes& wishes) {
  const auto client = make_client_key(wishes.alg);
  if (!client) return tl::unexpected<Error>(client.error());
  try {
    const std::filesystem::path directory(wishes.directory);
    std::filesystem::create_directories(directory);
    const Certificates made = make_certificates(wishes.host_names);
    write_file(directory / "ca.pem", made.authority, 0644);
    write_file(directory / "server.pem", made.server, 0644);
    write_file(directory / "server-expired.pem", made.expired_server, 0644);
    write_file(directory / "server-key.pem", made.server_key, 0600);
    write_file(directory / "client.jwk.json", client->private_jwk, 0600);
    write_file(directory / "client-public.jwk.json", client->public_jwk, 0644);
    write_file(directory / "simulator.yaml", example_config(wishes), 0644);
  } catch (const std::runtime_error& fault) {
    return fail(Remedy::stop, fault.what());
  }
  return {};
}

}  // namespace helsekontakter::simulator
