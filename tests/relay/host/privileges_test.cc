#include "relay/host/privileges.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace relay {
namespace {

// In a process of its own, for what it gives up cannot be taken back. True: `holds` did.
bool in_a_child(const std::function<bool()>& holds) {
  const pid_t child = fork();
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool forbidden() {
  rlimit cores{};
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && getrlimit(RLIMIT_CORE, &cores) == 0 &&
         cores.rlim_cur == 0 && cores.rlim_max == 0;
}

TEST(Privileges, NobodyMayLookIntoAProcessThatHoldsKeys) {
  EXPECT_TRUE(in_a_child([] {
    forbid_dumps();
    return forbidden();
  }));
}

TEST(Privileges, ThatHoldsAfterRootIsGivenUp) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give root up";
  EXPECT_TRUE(in_a_child([] {
    if (!drop_privileges("nobody").ok() || geteuid() == 0) return false;
    // Files that only root could read are in memory: the system forbids it by itself.
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1) return false;
    forbid_dumps();
    return forbidden();
  }));
}

TEST(Privileges, AnUnknownUserIsNamed) {
  const conf::Status status = drop_privileges("no-such-user-of-ours");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().detail.find("no-such-user-of-ours"), std::string::npos);
}

}  // namespace
}  // namespace relay
