// What `penstock check` finds.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

// On the machine where the file is checked, which need not be the one that it is for.
TEST_F(CliTest, CheckWarnsOfASourceOfAnotherMachine) {
  const fs::path file = folder_ / "sources.toml";
  std::ofstream(file) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                         "[[source]]\nname = \"here\"\naddress = \"127.0.0.1\"\n"
                         "[[source]]\nname = \"tx\"\naddress = \"203.0.113.9\"\n";
  const Outcome outcome = command({"-c", file.string(), "check"});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(outcome.err,
            file.string() +
                ":9:1: warning: [[source]] \"tx\" address: 203.0.113.9 is not an address of this "
                "machine: nothing can be sent from it\n");
  EXPECT_NE(
      outcome.out.find("good (1 listener, 2 sources, 0 destinations, 0 users, 0 DKIM keys, 0 rules and "),
      std::string::npos)
      << outcome.out;
}

TEST_F(CliTest, CheckLooksForWhatTheFileNames) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config)
      << "hostname = \"relay.example.com\"\nrun_as = \"nobody-of-that-name\"\n[[listener]]\n"
      << "address = \"127.0.0.1:25\"\n[tls]\ncertificate = \"/nope\"\nkey = \"/nope2\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_NE(outcome.err.find(":6:1: [tls] certificate: cannot read /nope: No such file"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find(":2:1: run_as: there is no user nobody-of-that-name"), std::string::npos)
      << outcome.err;
}

// A start would be refused, or wait, for each of these.
TEST_F(CliTest, CheckLooksAtWhatStandsWhereTheRelayWrites) {
  const std::string config = (folder_ / "penstock.toml").string(), here = folder_.string();
  const auto check = [&](const std::string& log, const std::string& spool, const std::string& socket) {
    std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                          << "[log]\npath = \"" << here << log << "\"\n[spool]\npath = \"" << here << spool
                          << "\"\n[admin]\nsocket = \"" << here << socket << "\"\n";
    return command({"check", "-c", config});
  };
  std::ofstream(folder_ / "file") << "x";
  fs::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const Outcome good = check("/log/a.jsonl", "/spool", "/run/admin.sock");
  EXPECT_EQ(good.exit_code, kDone) << good.err;
  EXPECT_EQ(good.err, "");
  EXPECT_FALSE(fs::exists(folder_ / "log")) << "nothing is made";
  const Outcome pipe = check("/pipe", "/spool", "/a.sock");
  EXPECT_EQ(pipe.exit_code, kDone);
  EXPECT_EQ(pipe.err, config + ":5:1: warning: [log] path: " + here +
                          "/pipe is a named pipe: a start is refused while nobody reads it\n");
  const Outcome kinds = check("/folder", "/file", "/file");
  EXPECT_EQ(kinds.exit_code, kUsage);
  EXPECT_EQ(kinds.err, config + ":5:1: [log] path: " + here +
                           "/folder is a folder; a file is wanted there\n" + config +
                           ":7:1: [spool] path: " + here + "/file is a file; a folder is wanted there\n" +
                           config + ":9:1: [admin] socket: " + here +
                           "/file is a file; the relay makes a socket there: move it away\n");
  const Outcome below = check("/file/a/b.jsonl", "/spool", "/a.sock");
  EXPECT_EQ(below.exit_code, kUsage);
  EXPECT_NE(below.err.find("[log] path: " + here + "/file is no folder, so " + here + "/file/a/b.jsonl"),
            std::string::npos)
      << below.err;
}

TEST_F(CliTest, CheckAsksAsTheUserThatTheRelayBecomes) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const std::string config = (folder_ / "penstock.toml").string(), here = folder_.string();
  fs::permissions(folder_, fs::perms(0755));
  fs::create_directory(folder_ / "log");
  fs::permissions(folder_ / "log", fs::perms(0755));
  std::ofstream(config) << "hostname = \"relay.example.com\"\nrun_as = \"nobody\"\n[[listener]]\n"
                        << "address = \"127.0.0.1:25\"\n[log]\npath = \"" << here << "/log/a.jsonl\"\n"
                        << "[spool]\npath = \"" << here << "/spool\"\n[admin]\nsocket = \"" << here
                        << "/run/a.sock\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kUsage) << outcome.err;
  EXPECT_NE(
      outcome.err.find(":6:1: [log] path: " + here + "/log cannot be written by nobody: Permission denied\n"),
      std::string::npos)
      << outcome.err;
  EXPECT_EQ(::geteuid(), 0U) << "and is root again";
  ASSERT_EQ(::chown((folder_ / "log").c_str(), 65534, 65534), 0);
  EXPECT_EQ(command({"check", "-c", config}).exit_code, kDone);
  // Standard output is this program's own: a start has another.
  const int saved = ::dup(STDOUT_FILENO), closed = ::open("/", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(::dup2(closed, STDOUT_FILENO), 0);
  std::ofstream(config) << "hostname = \"relay.example.com\"\nrun_as = \"nobody\"\n[[listener]]\n"
                        << "address = \"127.0.0.1:25\"\n[log]\npath = \"/dev/stdout\"\n"
                        << "[spool]\npath = \"" << here << "/spool\"\n";
  const Outcome to_stdout = command({"check", "-c", config});
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(closed);
  EXPECT_EQ(to_stdout.exit_code, kDone) << to_stdout.err;
}

TEST_F(CliTest, CheckWarnsOfAListenerOfAnotherMachine) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\nname = \"in\"\n"
                        << "address = \"203.0.113.9:25\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(outcome.err, config +
                             ":4:1: warning: [[listener]] \"in\" address: 203.0.113.9 is not an address "
                             "of this machine\n");
}

}  // namespace
}  // namespace relay::cli
