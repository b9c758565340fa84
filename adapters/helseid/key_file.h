#pragma once

#include "adapters/helseid/jws.h"
#include "adapters/helseid/observer.h"
#include "adapters/helseid/settings.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace helsekontakter::helseid {

/// A client's private JWK in its file. Any thread; reading blocks for a small local file.
class KeyFile {
 public:
  using Key = std::shared_ptr<const SigningKey>;

  KeyFile(std::string path, std::string alg, ModeCheck mode_check, const Observer& observer);

  /// Reads the file and imports the key anew if its content has changed; time stamps play no
  /// part. A file that has become unusable is told once, and the key in use stays: a rotation
  /// writes its file in steps. Without a key in use that is an error.
  [[nodiscard]] Result<Key> read();

  /// The key in use; empty before the first successful read.
  [[nodiscard]] Key current() const;

 private:
  [[nodiscard]] Result<SigningKey> import(const std::string& text) const;
  /// Decides which key is in use from now on. Called with the lock held.
  [[nodiscard]] Result<Key> adopt(Result<std::string> text, bool& reloaded,
                                  std::vector<std::string>& warnings);

  const std::string path_;
  const std::string alg_;
  const ModeCheck mode_check_;
  const Observer observer_;

  mutable std::mutex mutex_;
  Key key_;
  std::string content_;  ///< SHA-256 of what key_ came from
  std::string mode_told_;
  std::string fault_told_;
};

}  // namespace helsekontakter::helseid
