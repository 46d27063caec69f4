#include "relay/cli/operator_name.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace relay::cli {

std::string operator_name() {
  const char* sudo = std::getenv("SUDO_USER");
  if (sudo != nullptr && *sudo != '\0') return sudo;
  const passwd* user = getpwuid(getuid());
  return user == nullptr ? "operator" : user->pw_name;
}

}  // namespace relay::cli
