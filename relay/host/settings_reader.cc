#include "relay/host/settings_reader.h"

#include <exception>
#include <memory>
#include <utility>

namespace relay {

SettingsReader::~SettingsReader() {
  if (thread_.joinable()) thread_.join();
}

void SettingsReader::ask(Done done) {
  asked_.push_back(std::move(done));
  if (!thread_.joinable()) begin();
}

void SettingsReader::begin() {
  served_ = std::exchange(asked_, {});
  parts_.begins();
  thread_ = std::thread([this] {
    auto fresh = std::make_shared<FreshSettings>();
    try {
      *fresh = parts_.read();
    } catch (const std::exception& error) {  // a library's own, or no memory: the old configuration goes on
      *fresh = {};
      fresh->refused = error.what();
    }
    parts_.post([this, fresh] { finish(std::move(*fresh)); });
  });
}

void SettingsReader::finish(FreshSettings fresh) {
  thread_.join();
  const admin::ReloadDone done = parts_.take(std::move(fresh));
  for (const Done& each : std::exchange(served_, {})) each(done);
  if (!asked_.empty()) begin();
}

}  // namespace relay
