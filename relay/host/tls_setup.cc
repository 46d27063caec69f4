#include "relay/host/tls_setup.h"

#include <utility>

#include "conf/vocab/time.h"
#include "relay/tls/certificate_dates.h"

namespace relay {

namespace {

void warn_of_dates(const std::string& file, const std::function<void(const std::string&)>& warn) {
  const std::string text = tls::dates_warning(file, conf::SystemClock().wall());
  if (!text.empty()) warn(text);
}

}  // namespace

conf::Result<TlsContexts> load_tls(const conf::Config& config,
                                   const std::function<void(const std::string&)>& warn) {
  TlsContexts contexts;
  if (!config.tls_certificate.empty()) {
    std::string warning;
    auto server = tls::Context::server(config.tls_certificate, config.tls_key, &warning);
    if (!server.ok()) return server.error();
    if (!warning.empty()) warn(warning);
    warn_of_dates(config.tls_certificate, warn);
    contexts.server = std::move(*server);
  }
  auto client = tls::Context::client(config.tls_ca_file);
  if (!client.ok()) return client.error();
  contexts.client = std::move(*client);
  for (const conf::Login& login : config.logins) {
    if (login.certificate.empty()) continue;
    const conf::Status added = contexts.client->add_identity(login.name, login.certificate, login.key);
    if (!added.ok()) return added.error();
    warn_of_dates(login.certificate, warn);
  }
  return contexts;
}

}  // namespace relay
