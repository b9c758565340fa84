#include "adapters/ledger/sealing_keys.h"

#include "worker/domain/ensure.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace helsekontakter::ledger {
namespace {

constexpr std::size_t id_size = 4;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex(std::string_view id) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : id) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0xf];
  }
  return text;
}

tl::unexpected<Error> damaged() {
  return fail(Remedy::stop,
              "a parked change in the ledger is damaged: its seal does not fit; restore the "
              "ledger from a backup, or replay the input into an empty one");
}

}  // namespace

/// Looked up once: OpenSSL 3 would do it for each text.
struct SealingKeys::Cipher {
  Cipher() : handle(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)) {
    ensure(handle != nullptr);
  }
  ~Cipher() { EVP_CIPHER_free(handle); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  EVP_CIPHER* handle;
};

SealingKeys::SealingKeys(std::vector<Named> keys)
    : keys_(std::move(keys)), cipher_(std::make_shared<const Cipher>()) {}

Result<SealingKeys> SealingKeys::make(std::span<const Key> newest_first) {
  std::vector<Named> keys;
  for (const Key& key : newest_first) {
    const auto name = crypto::KeyedHash(key).digest<struct SealingKeyTag>({"sealing key"});
    Named named{.id = {}, .key = key};
    std::copy_n(name.bytes.begin(), named.id.size(), named.id.begin());
    const auto same_id = [&](const Named& other) { return other.id == named.id; };
    const auto known = std::find_if(keys.begin(), keys.end(), same_id);
    if (known == keys.end()) {
      keys.push_back(named);
    } else if (known->key != key) {
      return fail(Remedy::stop,
                  "ledger.sealing_key_files: two of the keys have the same name by chance; "
                  "make the newest one anew (openssl rand -base64 32)");
    }
  }
  if (keys.empty()) {
    return fail(Remedy::stop,
                "ledger.sealing_key_files: at least one is needed; make one with: openssl rand "
                "-base64 32");
  }
  return SealingKeys(std::move(keys));
}

Result<SealingKeys> SealingKeys::read(std::span<const std::string> files,
                                      crypto::ModeCheck mode_check,
                                      const std::function<void(const std::string&)>& warn) {
  std::vector<Key> keys;
  for (const std::string& file : files) {
    const auto text = crypto::read_secret_file(file, mode_check, warn);
    if (!text) return tl::unexpected(text.error());
    const auto key = crypto::parse_key(*text);
    if (!key) {
      return fail(Remedy::stop, "ledger.sealing_key_files: " + file +
                                    " does not hold 32 bytes in base64 (44 characters); make one "
                                    "with: openssl rand -base64 32");
    }
    keys.push_back(*key);
  }
  return make(keys);
}

void SealingKeys::seal(std::string_view text, std::string_view bound, std::string& out) const {
  const Named& newest = keys_.front();
  const std::size_t begin = out.size();
  out.resize(begin + overhead + text.size());
  auto* id = reinterpret_cast<unsigned char*>(out.data() + begin);
  auto* nonce = id + id_size;
  auto* sealed = nonce + nonce_size;
  std::copy(newest.id.begin(), newest.id.end(), id);
  // Fails only when the operating system has no randomness to give; nothing can go on then.
  ensure(RAND_bytes(nonce, nonce_size) == 1);
  const Context context(EVP_CIPHER_CTX_new());
  ensure(context != nullptr);
  int written = 0;
  int last = 0;
  bool well =
      EVP_EncryptInit_ex2(context.get(), cipher_->handle, newest.key.data(), nonce, nullptr) == 1;
  well = well && EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(bound),
                                   static_cast<int>(bound.size())) == 1;
  well = well && EVP_EncryptUpdate(context.get(), sealed, &written, bytes_of(text),
                                   static_cast<int>(text.size())) == 1;
  well = well && EVP_EncryptFinal_ex(context.get(), sealed + written, &last) == 1;
  well = well && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                                     sealed + text.size()) == 1;
  ensure(well && static_cast<std::size_t>(written + last) == text.size());
}

Result<std::string> SealingKeys::open(std::string_view sealed, std::string_view bound) const {
  if (sealed.size() < overhead) return damaged();
  const std::string_view id = sealed.substr(0, id_size);
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Named& named) {
    return std::memcmp(named.id.data(), id.data(), id_size) == 0;
  });
  if (key == keys_.end()) {
    return fail(Remedy::stop,
                "a parked change in the ledger is sealed with key " + hex(id) +
                    ", which is not among ledger.sealing_key_files; add the file of that key at "
                    "the end of the list and keep it there while changes sealed with it wait");
  }
  const std::string_view nonce = sealed.substr(id_size, nonce_size);
  const std::string_view body = sealed.substr(id_size + nonce_size, sealed.size() - overhead);
  std::array<char, tag_size> tag;
  std::copy_n(sealed.end() - tag_size, tag_size, tag.begin());
  const Context context(EVP_CIPHER_CTX_new());
  ensure(context != nullptr);
  std::string text(body.size(), '\0');
  auto* out = reinterpret_cast<unsigned char*>(text.data());
  int written = 0;
  int last = 0;
  bool well = EVP_DecryptInit_ex2(context.get(), cipher_->handle, key->key.data(), bytes_of(nonce),
                                  nullptr) == 1;
  well = well && EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(bound),
                                   static_cast<int>(bound.size())) == 1;
  well = well && EVP_DecryptUpdate(context.get(), out, &written, bytes_of(body),
                                   static_cast<int>(body.size())) == 1;
  well =
      well && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1;
  well = well && EVP_DecryptFinal_ex(context.get(), out + written, &last) == 1;
  if (!well) return damaged();
  return text;
}

}  // namespace helsekontakter::ledger
