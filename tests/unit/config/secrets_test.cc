#include "adapters/config/secrets.h"

#include "tests/unit/config/sample.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace helsekontakter::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view key_text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A directory of files for one test.
class Secrets : public testing::Test {
 protected:
  Secrets() {
    std::string name = testing::TempDir() + "secretsXXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Secrets() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text, bool shared = false) {
    using std::filesystem::perms;
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(
        path, perms::owner_read | perms::owner_write | (shared ? perms::others_read : perms::none));
    return path.string();
  }

  [[nodiscard]] std::string missing() const { return (folder_ / "missing").string(); }

  Configuration configuration_ = loaded(least);
  std::vector<std::string> warnings_;

 private:
  std::filesystem::path folder_;
};

TEST_F(Secrets, AreWellWhenEveryFileIsThere) {
  configuration_.hmac_key_file = write("hmac", std::string(key_text) + "\n");
  configuration_.helseid.jwk_file = write("jwk", "{}");
  configuration_.ledger.sealing_key_files = {write("seal", key_text)};
  configuration_.source.connection.tls_ca_file = write("ca", "x", true);
  configuration_.record.connection = configuration_.source.connection;
  EXPECT_THAT(check_secrets(configuration_, warnings_), IsEmpty());
  EXPECT_THAT(warnings_, IsEmpty());
  const auto key = read_hmac_key(configuration_);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->front(), 0);
  EXPECT_EQ(key->back(), 31);
}

TEST_F(Secrets, ThatAreMissingAreAllNamed) {
  configuration_.hmac_key_file = missing();
  configuration_.ledger.sealing_key_files = {missing()};
  configuration_.helseid.jwk_file = missing();
  configuration_.source.connection.tls_ca_file = missing();
  configuration_.record.connection = configuration_.source.connection;
  const auto errors = check_secrets(configuration_, warnings_);
  ASSERT_THAT(errors, SizeIs(4));
  EXPECT_EQ(errors[0].key, "source.kafka.tls_ca_file");
  EXPECT_EQ(errors[1].key, "ledger.hmac_key_file");
  EXPECT_EQ(errors[2].key, "ledger.sealing_key_files");
  EXPECT_EQ(errors[3].key, "auth.jwk_file");
}

TEST_F(Secrets, ThatOthersMayReadAreWarnedOfOrRefused) {
  configuration_.hmac_key_file = write("hmac", key_text, true);
  configuration_.ledger.sealing_key_files = {write("seal", key_text)};
  configuration_.helseid.none = true;
  configuration_.source.connection = {};
  configuration_.record.connection = {};
  EXPECT_THAT(check_secrets(configuration_, warnings_), IsEmpty());
  EXPECT_THAT(warnings_, SizeIs(1));
  configuration_.mode_check = crypto::ModeCheck::fail;
  EXPECT_THAT(check_secrets(configuration_, warnings_), SizeIs(1));
}

TEST_F(Secrets, OfAnotherFormAreNoKeyAndAreNotShown) {
  for (const std::string& text : {std::string("c2hvcnQ="), std::string(44, '!'),
                                  std::string(key_text) + "AAAA", std::string(42, 'A') + "B="}) {
    configuration_.hmac_key_file = write("hmac", text);
    const auto key = read_hmac_key(configuration_);
    ASSERT_FALSE(key.has_value()) << text;
    EXPECT_THAT(key.error().message, HasSubstr("ledger.hmac_key_file"));
    EXPECT_THAT(key.error().message, HasSubstr("32 bytes in base64"));
    EXPECT_THAT(key.error().message, Not(HasSubstr(text)));
  }
}

TEST_F(Secrets, PastedWhereTheirFileBelongsAreNotShown) {
  configuration_.hmac_key_file = key_text;
  configuration_.ledger.sealing_key_files = {write("seal", key_text)};
  configuration_.helseid.jwk_file = "{\"kty\":\"oct\",\"k\":\"hunter2\"}";
  configuration_.source.connection = {};
  configuration_.source.connection.password_file = "hunter2";
  configuration_.record.connection = configuration_.source.connection;
  const auto errors = check_secrets(configuration_, warnings_);
  ASSERT_THAT(errors, SizeIs(3));
  for (const ConfigurationError& error : errors) {
    EXPECT_THAT(error.text(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(error.text(), Not(HasSubstr(std::string(key_text))));
    EXPECT_THAT(error.text(), HasSubstr("its name is not shown"));
  }
}

TEST_F(Secrets, DoNotMatterToLoading) {
  EXPECT_FALSE(std::filesystem::exists(configuration_.hmac_key_file));
  EXPECT_THAT(errors_of(least), IsEmpty());
}

TEST_F(Secrets, ConfigurationFilesAreReadFromDisk) {
  EXPECT_TRUE(load(write("worker.yaml", least), {}).has_value());
  const Loaded none = load(missing(), {});
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().front().text(), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace helsekontakter::config
