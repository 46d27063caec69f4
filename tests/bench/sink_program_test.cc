// penstock-sink as a program: what it says and with what status it ends when something is wrong.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "bench/personality/zone.h"
#include "tests/bench/sink_dialog.h"

namespace bench {
namespace {

std::filesystem::path place() {
  return std::filesystem::path(::testing::TempDir()) / std::to_string(::getpid());
}

std::string sink() {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename("penstock-sink");
}

// What a shell prints for `command`, errors too, and "status N" at the end.
std::string run(const std::string& command) {
  std::filesystem::create_directories(place());
  std::FILE* pipe = ::popen(("{ " + command + "; } 2>&1; echo status $?").c_str(), "r");
  std::string out;
  char bytes[4096];
  while (const size_t size = std::fread(bytes, 1, sizeof bytes, pipe)) out.append(bytes, size);
  ::pclose(pipe);
  return out;
}

std::string write(const char* name, const std::string& text) {
  std::filesystem::create_directories(place());
  const std::string path = place() / name;
  std::ofstream(path) << text;
  return path;
}

TEST(SinkProgram, NamesThePlaceOfAnErrorInAScenario) {
  const std::string path =
      write("wrong.toml", "name = \"x\"\n[[group]]\nname = \"a\"\n  weigth = 3\nwindow = \"1\"\n");
  const std::string said = run(sink() + " --scenario " + path);
  EXPECT_NE(said.find(path + ":4:3: [[group]] there is no key \"weigth\"; did you mean \"weight\"?\n"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find(path + ":5:10: "), std::string::npos) << said;
  EXPECT_NE(said.find("status 2\n"), std::string::npos) << said;
}

TEST(SinkProgram, NamesAScenarioThatIsNotThere) {
  const std::string said = run(sink() + " --scenario /nowhere/x.toml");
  EXPECT_NE(said.find("/nowhere/x.toml: cannot be read: "), std::string::npos) << said;
  EXPECT_NE(said.find("No such file"), std::string::npos) << said;
  EXPECT_NE(said.find("status 2\n"), std::string::npos) << said;
}

TEST(SinkProgram, SaysThatAPortIsInUse) {
  RunningSink other("[[group]]\nname = \"a\"\n");
  EXPECT_EQ(run(sink() + " --listen " + other.address()),
            "penstock-sink: cannot listen on " + other.address() + ": Address already in use\nstatus 1\n");
}

TEST(SinkProgram, SaysThatFileDescriptorsAreTooFew) {
  const std::string listen = " --listen 127.0.0.1:" + std::to_string(next_port());
  EXPECT_EQ(run("ulimit -n 60; " + sink() + listen),
            "penstock-sink: 65 file descriptors are needed but only 60 allowed (ulimit -n)\nstatus 1\n");
}

TEST(SinkProgram, EndsWhenFileDescriptorsRunOut) {
  const std::string address = "127.0.0.1:" + std::to_string(next_port());
  std::string said;
  std::thread program(
      [&] { said = run("ulimit -n 70; timeout 60 " + sink() + " --quiet --listen " + address); });
  std::vector<std::unique_ptr<Sender>> senders;
  for (int i = 0; i < 500 && Sender(address).reply().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 80; ++i) senders.push_back(std::make_unique<Sender>(address, 1000));
  program.join();
  EXPECT_NE(said.find("penstock-sink: no file descriptor is left for another connection, with "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("status 1\n"), std::string::npos) << said;
}

TEST(SinkProgram, FailsOnWhatItWasToldToFailOn) {
  const std::string address = "127.0.0.1:" + std::to_string(next_port());
  const std::string report = place() / "report.json", pid_file = place() / "pid";
  std::string said;
  std::thread program([&] {
    said = run("sh -c 'echo $$ >" + pid_file + "; exec timeout --preserve-status 60 " + sink() +
               " --quiet --expect 3 --fail-on lost,duplicated --report " + report + " --listen " + address +
               "'");
  });
  std::string greeting;
  for (int i = 0; i < 500 && greeting.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Sender sender(address);
    greeting = sender.reply();
    if (greeting.empty()) continue;
    EXPECT_EQ(sender.say("EHLO x").substr(0, 4), "250 ");
    for (const char* id : {"p-1", "p-3", "p-3"}) {
      sender.write("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n");
      for (int reply = 0; reply < 3; ++reply) (void)sender.reply();
      EXPECT_EQ(sender.say(std::string("X-Load-Id: ") + id + "\r\n\r\nx\r\n.").substr(0, 3), "250");
    }
  }
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 1);
  ::kill(pid, SIGTERM);  // timeout passes it on
  program.join();
  EXPECT_NE(said.find("penstock-sink: --fail-on: lost: 1\npenstock-sink: --fail-on: duplicated: 1\n"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("status 3\n"), std::string::npos) << said;
  std::string json;
  std::getline(std::ifstream(report), json);
  EXPECT_NE(json.find("\"messages\":3,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"ids\":{\"distinct\":2,\"lost\":1,\"duplicated\":1,"), std::string::npos) << json;
}

TEST(SinkProgram, WritesAZoneThatANameServerTakes) {
  if (!std::filesystem::exists("/usr/sbin/knotc")) GTEST_SKIP() << "knot is not installed";
  for (const char* name : {"internet", "campaign", "twenty-sites"}) {
    const std::string conf =
        write("knot.conf", "server:\n    rundir: \"" + place().string() + "\"\ndatabase:\n    storage: \"" +
                               place().string() + "\"\nzone:\n  - domain: test\n    storage: \"" +
                               place().string() + "\"\n    file: test.zone\n");
    const std::string said = run(sink() + " --zone " + (place() / "test.zone").string() +
                                 " --scenario " PENSTOCK_SOURCE_DIR "/bench/scenarios/" + name +
                                 ".toml && /usr/sbin/knotc -c " + conf + " zone-check test");
    EXPECT_EQ(said, "status 0\n");
    const std::string checked_nothing = run("echo x MX >>" + (place() / "test.zone").string() +
                                            "; /usr/sbin/knotc -c " + conf + " zone-check test");
    EXPECT_EQ(checked_nothing.find("status 0\n"), std::string::npos) << checked_nothing;
  }
}

}  // namespace
}  // namespace bench
