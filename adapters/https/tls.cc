#include "adapters/https/tls.h"

#include <utility>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace helsekontakter::https {
namespace {

constexpr std::size_t sessions_max = 4;  ///< for each peer
constexpr std::size_t peers_max = 64;

/// The slot of an SSL in which the peer it talks to is noted.
int peer_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool is_address(const std::string& host) {
  unsigned char out[16];
  return inet_pton(AF_INET, host.c_str(), out) == 1 || inet_pton(AF_INET6, host.c_str(), out) == 1;
}

/// What to try when the certificate check ended like this.
std::string advice(long verdict, const std::string& option) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the peer must renew its certificate, or this machine's clock is wrong";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the certificate is for another name: check the URL";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another authority of the same name
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "set " + option + " to a PEM file with the certificate authority that issued it";
    default:
      return "the certificate is not acceptable; see " + option + " for the trusted authorities";
  }
}

}  // namespace

TlsContext::TlsContext(std::string option) : option_(std::move(option)) {
  SSL_CTX* const native = context_.native_handle();
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(native, keep_session);
}

Result<std::unique_ptr<TlsContext>> TlsContext::create(const std::string& ca_file,
                                                       const std::string& section) {
  std::unique_ptr<TlsContext> tls(new TlsContext(section + ".ca_file"));
  SSL_CTX* const native = tls->context_.native_handle();
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) {
    return fail(Remedy::stop, "this OpenSSL offers no TLS 1.2");
  }
  const bool trusted = ca_file.empty() ? SSL_CTX_set_default_verify_paths(native) == 1
                                       : SSL_CTX_load_verify_file(native, ca_file.c_str()) == 1;
  ERR_clear_error();
  if (!trusted) {
    return fail(Remedy::stop, tls->option_ + ": " +
                                  (ca_file.empty() ? "the system's store" : ca_file) +
                                  " cannot be read as PEM certificates; check path, mode and "
                                  "content");
  }
  return tls;
}

Result<void> TlsContext::prepare(SSL* ssl, const std::string& host, std::uint16_t port) {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  bool ready = false;
  if (is_address(host)) {
    ready = X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ready =
        SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (!ready) return fail(Remedy::stop, "OpenSSL takes no server name \"" + host + "\"");
  if (peers_.size() >= peers_max && !peers_.contains({host, port})) return {};
  Peer& peer = peers_[{host, port}];
  SSL_set_ex_data(ssl, peer_index(), &peer);
  offer_session(ssl, peer);
  return {};
}

/// A TLS 1.3 ticket is used once (RFC 8446 C.4); an older session again and again.
void TlsContext::offer_session(SSL* ssl, Peer& peer) {
  if (peer.sessions.empty()) return;
  SSL_set_session(ssl, peer.sessions.back().get());
  if (SSL_SESSION_get_protocol_version(peer.sessions.back().get()) >= TLS1_3_VERSION) {
    peer.sessions.pop_back();
  }
}

int TlsContext::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* const peer = static_cast<Peer*>(SSL_get_ex_data(ssl, peer_index()));
  if (peer == nullptr) return 0;
  if (peer->sessions.size() >= sessions_max) peer->sessions.erase(peer->sessions.begin());
  peer->sessions.emplace_back(session, SSL_SESSION_free);
  return 1;  // the reference is ours now
}

std::string TlsContext::explain(SSL* ssl, const std::string& peer, const std::string& error) const {
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
    return peer + " failed the TLS check: " + X509_verify_cert_error_string(verdict) + "; " +
           advice(verdict, option_);
  }
  return peer + " failed the TLS handshake: " + error +
         "; TLS 1.2 or later must be offered there, and the port must speak TLS";
}

}  // namespace helsekontakter::https
