// The TLS contexts of a configuration. What it reads may need root. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/tls/context.h"

namespace relay {

struct TlsContexts {
  std::shared_ptr<tls::Context> server;  // null: no [tls] certificate
  std::shared_ptr<tls::Context> client;  // with the certificates of the logins
};

// The error names the file that cannot be used and says why. `warn` hears of what is odd and no mistake.
conf::Result<TlsContexts> load_tls(const conf::Config& config,
                                   const std::function<void(const std::string&)>& warn);

}  // namespace relay
