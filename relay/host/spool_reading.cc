#include "relay/host/spool_reading.h"

namespace relay {

conf::Status read_spool(Transit* transit, const conf::Clock& clock,
                        const std::function<void(const std::string&)>& say) {
  const conf::Instant began = clock.now();
  conf::Status recovered = transit->recover(
      [&say](const std::string& key, const std::string& why) { say("spool: " + key + ": " + why); });
  if (!recovered.ok()) return recovered;
  const size_t found = transit->deliveries().messages();
  if (found > 0) {
    const double seconds = std::chrono::duration<double>(clock.now() - began).count();
    say("spool: " + std::to_string(found) + " messages read in " + std::to_string(seconds) + " s");
  }
  return conf::success();
}

}  // namespace relay
