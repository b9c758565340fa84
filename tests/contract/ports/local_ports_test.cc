#include "tests/contract/ports/fake_ports.h"
#include "tests/contract/ports/real_ports.h"
#include "tests/unit/file/folder.h"

#include <sstream>

// The contract for the fake and for files; that for the brokers is in tests/integration/ports.

namespace helsekontakter {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class FilePorts : public RealPorts {
 public:
  FilePorts() { folder_.write("in", ""); }
  ~FilePorts() override { die(); }

  void put(const std::vector<std::string>& names) override {
    std::string text;
    for (const std::string& name : names) text += name + "\n";
    folder_.append("in", text);
  }
  std::vector<SeenResult> results() override { return read_results(lines_of(folder_.read("out"))); }
  std::vector<std::string> dead_letters() override { return lines_of(folder_.read("letters")); }

 private:
  [[nodiscard]] Result<cli::Parts> make_parts(cli::Decode decode, Inbox& inbox) override {
    config::Configuration configuration;
    configuration.file_source = {.path = folder_.path("in"), .checkpoint = folder_.path("at")};
    configuration.file_results = {.path = folder_.path("out"),
                                  .dead_letter_path = folder_.path("letters"),
                                  .source = "/helsekontakter/test",
                                  .environment = "TEST1"};
    file::Observer observer;
    observer.trouble = [this](const Error& error) { note_trouble(error); };
    return cli::make_file_parts(configuration, {}, false, file::test_hash(), std::move(decode),
                                inbox, observer);
  }

  file::Folder folder_;
};

const KindOfPorts fake{.name = "Fake", .make = make_fake_ports};
const KindOfPorts files{.name = "File", .make = [] { return std::make_unique<FilePorts>(); }};

std::string name_of_kind(const ::testing::TestParamInfo<KindOfPorts>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Local, PortsContract, ::testing::Values(fake, files), name_of_kind);
INSTANTIATE_TEST_SUITE_P(Local, DeadLetterContract, ::testing::Values(files), name_of_kind);

}  // namespace
}  // namespace helsekontakter
