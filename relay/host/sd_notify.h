// What the service manager is told (sd_notify(3), protocol of systemd). Without NOTIFY_SOCKET each call does
// nothing. Any thread.
#pragma once

#include <string>

namespace relay {

void notify_ready(const std::string& status);  // started, or reloaded
void notify_reloading();                       // end it with notify_ready
void notify_stopping(const std::string& status);

}  // namespace relay
