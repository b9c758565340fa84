#include "adapters/helseid/key_file.h"

#include <utility>

#include <openssl/crypto.h>

namespace helsekontakter::helseid {

KeyFile::KeyFile(std::string path, std::string alg, ModeCheck mode_check, const Observer& observer)
    : path_(std::move(path)), alg_(std::move(alg)), mode_check_(mode_check), observer_(observer) {}

Result<SigningKey> KeyFile::import(const std::string& text) const {
  auto jwk = PrivateJwk::parse(text);
  if (jwk && jwk->kid().empty()) {
    jwk = fail(Remedy::stop, "the JWK lacks \"kid\"; take it from Selvbetjening");
  }
  auto key = jwk ? choose_algorithm(std::move(*jwk), alg_)
                 : Result<SigningKey>(tl::unexpected(std::move(jwk.error())));
  if (!key) key.error().message = "key file " + path_ + ": " + key.error().message;
  return key;
}

Result<KeyFile::Key> KeyFile::read() {
  std::vector<std::string> warnings;
  bool reloaded = false;
  Result<Key> result;
  {
    const std::lock_guard lock(mutex_);
    auto text = crypto::read_secret_file(path_, mode_check_, [&](const std::string& warning) {
      if (std::exchange(mode_told_, warning) != warning) warnings.push_back(warning);
    });
    result = adopt(std::move(text), reloaded, warnings);
  }
  for (const std::string& warning : warnings) {
    if (observer_.warning) observer_.warning(warning);
  }
  if (reloaded && observer_.key_reloaded) observer_.key_reloaded((*result)->jwk.kid());
  return result;
}

Result<KeyFile::Key> KeyFile::adopt(Result<std::string> text, bool& reloaded,
                                    std::vector<std::string>& warnings) {
  const std::string content = text ? sha256_base64url(*text) : std::string();
  if (key_ && text && content == content_) return key_;
  auto imported = text ? import(*text) : Result<SigningKey>(tl::unexpected(text.error()));
  if (text) OPENSSL_cleanse(text->data(), text->size());
  if (imported) {
    reloaded = key_ != nullptr;
    key_ = std::make_shared<const SigningKey>(std::move(*imported));
    content_ = content;
    fault_told_.clear();
    return key_;
  }
  if (!key_) return tl::unexpected(std::move(imported.error()));
  const std::string warning = imported.error().message + "; the key read before stays in use";
  if (std::exchange(fault_told_, warning) != warning) warnings.push_back(warning);
  return key_;
}

KeyFile::Key KeyFile::current() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

}  // namespace helsekontakter::helseid
