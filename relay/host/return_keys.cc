#include "relay/host/return_keys.h"

#include <sys/stat.h>

#include "conf/read_file.h"

namespace relay {

std::shared_ptr<const bounce::ReturnKeys> read_return_keys(const conf::Config& config,
                                                           std::vector<conf::Problem>* problems) {
  const std::string& path = config.returns.keys;
  if (path.empty()) return nullptr;
  const conf::Result<std::string> text = conf::read_regular_file(path);
  if (!text.ok()) {
    problems->push_back({config.file, 1, 1, "[returns] keys: " + path + ": " + text.error().detail, false});
    return nullptr;
  }
  conf::Result<bounce::ReturnKeys> keys = bounce::ReturnKeys::parse(text.value(), path);
  if (!keys.ok()) {
    problems->push_back({config.file, 1, 1, "[returns] keys: " + keys.error().detail, false});
    return nullptr;
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
    problems->push_back({config.file, 1, 1,
                         "[returns] keys: " + path +
                             " can be read by everybody: whoever has the keys can "
                             "write bounces about any address; chmod 600 it",
                         true});
  return std::make_shared<const bounce::ReturnKeys>(std::move(*keys));
}

}  // namespace relay
