// Everything that the relay reads from files when it starts or reloads: read and tried before any of it
// holds. It takes as long as it takes (certificates, keys that sign once, rules with their examples).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bounce/return_path.h"
#include "conf/config_words.h"
#include "dkim/key_store.h"
#include "relay/host/configuration.h"
#include "relay/host/login_secrets.h"
#include "relay/host/side_files.h"
#include "relay/host/tls_setup.h"

namespace relay {

struct FreshSettings {
  Configuration read;
  conf::ConfigWords words;  // of the file, right or wrong
  SideFiles files;          // that it names
  TlsContexts tls;
  LoginSecrets::Table secrets;
  std::shared_ptr<const dkim::KeyStore> keys;
  std::shared_ptr<const bounce::ReturnKeys> return_keys;  // null: none are configured
  std::string refused;                                    // why they cannot be used; "": they can
};

// `say` hears what the keys and certificates have against them, a line each; the problems of the file are in
// `read`. Any thread.
FreshSettings read_settings(const std::string& path, const std::function<void(const std::string&)>& say);
FreshSettings read_and_tell(const std::string& path);  // the same; all of it is said on standard error

}  // namespace relay
