#include "tests/support/certificates.h"

#include <atomic>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

namespace helsekontakter::testing {
namespace {

void must(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

template <class Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
  must(write(bio.get()) == 1, "no PEM could be written");
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void add_extension(X509& to, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &to, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  must(extension != nullptr && X509_add_ext(&to, extension.get(), -1) == 1, "no extension");
}

Certificate blank(const std::string& name, std::chrono::hours begins, std::chrono::hours ends) {
  static std::atomic<long> serial = 1;
  Certificate out{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  must(out.x509 != nullptr && out.key != nullptr, "no key could be made");
  X509_set_version(out.x509.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(out.x509.get()), ++serial);
  const auto seconds = [](std::chrono::hours h) { return std::chrono::seconds(h).count(); };
  X509_gmtime_adj(X509_getm_notBefore(out.x509.get()), seconds(begins));
  X509_gmtime_adj(X509_getm_notAfter(out.x509.get()), seconds(ends));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.x509.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(out.x509.get(), out.key.get());
  return out;
}

}  // namespace

std::string Certificate::pem() const {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, x509.get()); });
}

std::string Certificate::key_pem() const {
  return to_pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Certificate make_authority(const std::string& name) {
  Certificate out = blank(name, std::chrono::hours(-24 * 365), std::chrono::hours(24 * 365));
  X509_set_issuer_name(out.x509.get(), X509_get_subject_name(out.x509.get()));
  add_extension(*out.x509, *out.x509, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(*out.x509, *out.x509, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(*out.x509, *out.x509, NID_subject_key_identifier, "hash");
  must(X509_sign(out.x509.get(), out.key.get(), EVP_sha256()) > 0, "no signature");
  return out;
}

Certificate issue(const Certificate& authority, const CertificateWish& wish) {
  Certificate out = blank("a test server", wish.begins, wish.ends);
  X509_set_issuer_name(out.x509.get(), X509_get_subject_name(authority.x509.get()));
  std::string names;
  for (const std::string& name : wish.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& name : wish.addresses) names += (names.empty() ? "IP:" : ",IP:") + name;
  add_extension(*out.x509, *authority.x509, NID_subject_alt_name, names);
  add_extension(*out.x509, *authority.x509, NID_authority_key_identifier, "keyid");
  must(X509_sign(out.x509.get(), authority.key.get(), EVP_sha256()) > 0, "no signature");
  return out;
}

TemporaryFile::TemporaryFile(const std::string& content) {
  const char* const directory = getenv("TMPDIR");
  path_ = std::string(directory == nullptr ? "/tmp" : directory) + "/helsekontakter-XXXXXX";
  const int file = mkstemp(path_.data());
  must(file >= 0, "no temporary file");
  const bool written =
      write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  close(file);
  must(written, "no temporary file could be written");
}

TemporaryFile::~TemporaryFile() {
  unlink(path_.c_str());
}

}  // namespace helsekontakter::testing
