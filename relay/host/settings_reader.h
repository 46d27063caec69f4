// Reads the settings anew on a thread of its own, so that the loop goes on meanwhile; one reading at a time.
// Loop thread.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "relay/admin/reload_view.h"
#include "relay/host/fresh_settings.h"

namespace relay {

class SettingsReader {
 public:
  struct Parts {
    std::function<FreshSettings()> read;                   // on the other thread
    std::function<void(std::function<void()>)> post;       // work for the loop's thread; from any thread
    std::function<void()> begins;                          // a reading begins
    std::function<admin::ReloadDone(FreshSettings)> take;  // it is over: on the loop's thread
  };
  explicit SettingsReader(Parts parts) : parts_(std::move(parts)) {}
  ~SettingsReader();  // waits for a reading that is under way; nobody hears of it
  SettingsReader(const SettingsReader&) = delete;
  SettingsReader& operator=(const SettingsReader&) = delete;

  // `done` hears what came of a reading that begins after this call. Who asks during one gets the next: the
  // files may have changed since it began.
  using Done = std::function<void(const admin::ReloadDone&)>;
  void ask(Done done);

 private:
  void begin();
  void finish(FreshSettings fresh);

  Parts parts_;
  std::vector<Done> asked_, served_;  // for the next reading; by the one under way
  std::thread thread_;                // joinable: a reading is under way
};

}  // namespace relay
