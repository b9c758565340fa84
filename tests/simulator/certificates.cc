#include "tests/simulator/certificates.h"

#include "tests/simulator/jose.h"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace helsekontakter::simulator {
namespace {

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, CertificateDeleter>;
struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Memory = std::unique_ptr<BIO, BioDeleter>;

constexpr long day = 24L * 60 * 60;

void demand(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("OpenSSL: ") + what + " failed");
}

struct Wish {
  const char* name;
  long first_day;
  long last_day;
  std::vector<std::pair<int, std::string>> extensions;
};

Certificate make(const Wish& wish, EVP_PKEY* subject_key, X509* issuer, EVP_PKEY* issuer_key) {
  Certificate out(X509_new());
  demand(out != nullptr && X509_set_version(out.get(), 2) == 1, "X509_new");
  const Octets serial = random_octets(8);
  std::uint64_t number = 0;
  for (const char octet : serial) number = number << 8 | static_cast<std::uint8_t>(octet);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), number >> 1);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), wish.first_day * day);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), wish.last_day * day);
  X509_NAME* name = X509_get_subject_name(out.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const std::uint8_t*>(wish.name), -1, -1, 0);
  X509* signer = issuer == nullptr ? out.get() : issuer;
  X509_set_issuer_name(out.get(), X509_get_subject_name(signer));
  demand(X509_set_pubkey(out.get(), subject_key) == 1, "X509_set_pubkey");
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, out.get(), nullptr, nullptr, 0);
  for (const auto& [id, value] : wish.extensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    demand(extension != nullptr && X509_add_ext(out.get(), extension, -1) == 1, "X509_add_ext");
    X509_EXTENSION_free(extension);
  }
  demand(X509_sign(out.get(), issuer_key, EVP_sha256()) > 0, "X509_sign");
  return out;
}

std::string text_of_memory(BIO* memory) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  demand(PEM_write_bio_X509(memory.get(), certificate) == 1, "PEM_write_bio_X509");
  return text_of_memory(memory.get());
}

std::string pem(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()));
  demand(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "PEM_write_bio_PrivateKey");
  return text_of_memory(memory.get());
}

bool is_address(const std::string& name) {
  return name.find(':') != std::string::npos ||
         name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

Certificates make_certificates(const std::vector<std::string>& host_names) {
  const Key authority_key(EVP_EC_gen("P-256"));
  const Key server_key(EVP_EC_gen("P-256"));
  demand(authority_key && server_key, "EVP_EC_gen");
  std::string names;
  for (const std::string& name : host_names) {
    names.append(names.empty() ? "" : ",").append(is_address(name) ? "IP:" : "DNS:").append(name);
  }
  const Certificate authority = make({"Helsekontakter simulator CA",
                                      -1,
                                      3'650,
                                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                       {NID_subject_key_identifier, "hash"}}},
                                     authority_key.get(), nullptr, authority_key.get());
  Wish server{"Helsekontakter simulator",
              -1,
              3'650,
              {{NID_basic_constraints, "critical,CA:FALSE"},
               {NID_key_usage, "critical,digitalSignature"},
               {NID_ext_key_usage, "serverAuth"},
               {NID_subject_alt_name, names}}};
  const Certificate valid = make(server, server_key.get(), authority.get(), authority_key.get());
  server.first_day = -30;
  server.last_day = -1;
  const Certificate expired = make(server, server_key.get(), authority.get(), authority_key.get());
  return {pem(authority.get()), pem(valid.get()), pem(expired.get()), pem(server_key.get())};
}

}  // namespace helsekontakter::simulator
