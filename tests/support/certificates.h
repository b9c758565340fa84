#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace helsekontakter::testing {

/// A certificate with its key, made in this process.
struct Certificate {
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> key;

  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string key_pem() const;
};

struct CertificateWish {
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> addresses = {"127.0.0.1"};
  std::chrono::hours begins{-1};  ///< from now
  std::chrono::hours ends{24};    ///< from now
};

/// A certificate authority of its own, P-256.
[[nodiscard]] Certificate make_authority(const std::string& name);
[[nodiscard]] Certificate issue(const Certificate& authority, const CertificateWish& wish);

/// A file with this content, removed at the end of its life.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace helsekontakter::testing
