#include "adapters/config/secrets.h"

#include "adapters/config/option.h"
#include "adapters/crypto/secret_file.h"
#include "adapters/ledger/sealing_keys.h"

#include <fstream>
#include <functional>
#include <string_view>

namespace helsekontakter::config {
namespace {

constexpr std::string_view hmac_option = "ledger.hmac_key_file";

/// Reads a secret's file. What cannot be read and does not look like a file's name may be the
/// secret itself, so then it is not named.
Result<std::string> read_secret(const std::string& path, crypto::ModeCheck mode_check,
                                const std::function<void(const std::string&)>& warn) {
  auto text = crypto::read_secret_file(path, mode_check, warn);
  if (text || looks_like_a_file_name(path)) return text;
  return fail(Remedy::stop,
              "cannot read the file; its name is not shown, since it does not begin with / or ./ "
              "and may be the secret itself");
}

class Checking {
 public:
  Checking(crypto::ModeCheck mode_check, std::vector<std::string>& warnings)
      : mode_check_(mode_check), warnings_(warnings) {}

  void secret(const std::string& key, const std::string& path) {
    if (path.empty()) return;
    const auto text = read_secret(
        path, mode_check_, [&](const std::string& warning) { warnings_.push_back(warning); });
    if (!text) errors.push_back({.key = key, .message = text.error().message});
  }

  /// Certificates are no secrets; anybody may read them.
  void plain(const std::string& key, const std::string& path) {
    if (path.empty()) return;
    const std::ifstream in(path);
    if (!in) errors.push_back({.key = key, .message = "cannot read the file " + path});
  }

  template <class Connection>
  void connection(const std::string& section, const Connection& connection) {
    secret(section + ".password_file", connection.password_file);
    secret(section + ".tls_key_file", connection.tls_key_file);
    plain(section + ".tls_certificate_file", connection.tls_certificate_file);
    plain(section + ".tls_ca_file", connection.tls_ca_file);
  }

  std::vector<ConfigurationError> errors;

 private:
  crypto::ModeCheck mode_check_;
  std::vector<std::string>& warnings_;
};

template <class Connection>
bool is_same(const Connection& one, const Connection& other) {
  return one.password_file == other.password_file && one.tls_key_file == other.tls_key_file &&
         one.tls_certificate_file == other.tls_certificate_file &&
         one.tls_ca_file == other.tls_ca_file;
}

/// The keys as such; the files' modes are told while each file is read.
void check_sealing_keys(const Configuration& configuration, Checking& checking) {
  constexpr std::string_view option = "ledger.sealing_key_files";
  const std::size_t before = checking.errors.size();
  for (const std::string& file : configuration.ledger.sealing_key_files) {
    checking.secret(std::string(option), file);
  }
  if (checking.errors.size() > before) return;
  const auto keys =
      ledger::SealingKeys::read(configuration.ledger.sealing_key_files, crypto::ModeCheck::off, {});
  if (!keys)
    checking.errors.push_back({.key = std::string(option), .message = keys.error().message});
}

}  // namespace

Result<crypto::KeyedHash::Key> read_hmac_key(const Configuration& configuration) {
  const auto text = read_secret(configuration.hmac_key_file, configuration.mode_check, nullptr);
  if (!text) return tl::unexpected(text.error());
  return crypto::parse_key(*text);
}

std::vector<ConfigurationError> check_secrets(const Configuration& configuration,
                                              std::vector<std::string>& warnings) {
  Checking checking(configuration.mode_check, warnings);
  checking.connection("source.kafka", configuration.source.connection);
  if (!is_same(configuration.source.connection, configuration.record.connection)) {
    checking.connection("results.kafka", configuration.record.connection);
  }
  checking.connection("source.amqp", configuration.amqp_source.connection);
  if (!is_same(configuration.amqp_source.connection, configuration.amqp_results.connection)) {
    checking.connection("results.amqp", configuration.amqp_results.connection);
  }
  checking.secret(std::string(hmac_option), configuration.hmac_key_file);
  if (checking.errors.empty() || checking.errors.back().key != hmac_option) {
    if (const auto key = read_hmac_key(configuration); !key) {
      checking.errors.push_back({.key = std::string(hmac_option), .message = key.error().message});
    }
  }
  check_sealing_keys(configuration, checking);
  checking.plain("api.ca_file", configuration.https.ca_file);
  if (!configuration.helseid.none) {
    checking.plain("auth.ca_file", configuration.auth_https.ca_file);
    checking.secret("auth.jwk_file", configuration.helseid.jwk_file);
    for (const auto& [number, organization] : configuration.helseid.organizations) {
      checking.secret("organizations." + number.digits() + ".jwk_file",
                      organization.jwk_file.value_or(""));
    }
  }
  return std::move(checking.errors);
}

}  // namespace helsekontakter::config
