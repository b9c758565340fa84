#include "tests/unit/file/folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace helsekontakter::file {

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "file_test_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
  path_ = name + "/";
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::path(std::string_view name) const {
  return path_ + std::string(name);
}

void Folder::write(std::string_view name, std::string_view text) const {
  std::ofstream(path(name), std::ios::binary) << text;
}

void Folder::append(std::string_view name, std::string_view text) const {
  std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
}

std::string Folder::read(std::string_view name) const {
  std::ifstream stream(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool Folder::has(std::string_view name) const {
  return std::filesystem::exists(path(name));
}

crypto::KeyedHash test_hash() {
  crypto::KeyedHash::Key key{};
  key.fill(7);
  return crypto::KeyedHash(key);
}

}  // namespace helsekontakter::file
