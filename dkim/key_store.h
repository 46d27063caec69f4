// The keys to sign with, found by the domain of the author. Immutable: a reload makes a new one. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/dkim_settings.h"
#include "dkim/signer.h"

namespace dkim {

class KeyStore {
 public:
  // Reads the key files (`run_as`: see PrivateKey::load). Each key is tried with `signer`: a probe is signed
  // and verified with libopendkim. Every key that cannot be used is a problem with its place in the
  // configuration `file`; so is, as a warning, an RSA key below 2048 bits. Null when there was an error.
  static std::shared_ptr<const KeyStore> load(const conf::DkimSettings& settings, const std::string& file,
                                              const Signer& signer, std::vector<conf::Problem>* problems,
                                              const std::string& run_as = {});

  struct Entry {
    std::shared_ptr<SigningKey> signing = std::make_shared<SigningKey>();  // a wildcard's domain is empty
    std::string mask;                                                      // as configured
    bool subdomains = true;
    bool wait_for_record = false;
    mutable std::atomic<bool> seen{false};  // set when the record was seen in DNS
    bool active() const { return !wait_for_record || seen; }
  };

  // The keys for mail from `from_domain` (canonical): those of that very domain, else of its nearest parent
  // with subdomains = true or a wildcard, else of the default domain. Of each algorithm the first active one
  // in the order of the file, RSA first. Empty: there is none.
  using Keys = std::vector<std::shared_ptr<const SigningKey>>;
  Keys keys_for(std::string_view from_domain) const;
  const std::vector<std::shared_ptr<Entry>>& entries() const { return entries_; }
  // Whether both sign the same mail with the same keys in the same way, records seen or not.
  bool signs_like(const KeyStore& other) const;

 private:
  Keys choose(std::string_view mask, std::string_view from_domain, bool below) const;

  std::vector<std::shared_ptr<Entry>> entries_;
  std::map<std::string, std::vector<const Entry*>, std::less<>> by_mask_;
  std::string default_domain_;
};

}  // namespace dkim
