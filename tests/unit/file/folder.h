#pragma once

#include "adapters/crypto/keyed_hash.h"

#include <string>
#include <string_view>

namespace helsekontakter::file {

/// A folder of one test, removed with all that is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(std::string_view name) const;
  void write(std::string_view name, std::string_view text) const;
  void append(std::string_view name, std::string_view text) const;
  [[nodiscard]] std::string read(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;

 private:
  std::string path_;
};

[[nodiscard]] crypto::KeyedHash test_hash();

}  // namespace helsekontakter::file
